import { chainSettingProblems, evmChainSettings } from '@imart/chain-evm';
import { ConfigError, type ConfigProblem } from '@imart/core';
import {
  createRedactor,
  defineConfig,
  defineSetting,
  loadConfig,
  text,
  url,
  type ConfigOf,
  type ConfigSchema,
  type Environment,
} from '@imart/runtime';

/** Which database the commands work on: the worker's own settings. */
export const imartConfig = defineConfig({
  databaseUrl: defineSetting({
    name: 'DATABASE_URL',
    type: url('postgresql', 'postgres'),
    secret: true,
    optional: true,
    group: 'Storage',
    example: 'postgresql://user:password@localhost:5432/imart',
    meaning: "The worker's database. Without it, the embedded one under DATA_DIR.",
  }),
  dataDir: defineSetting({
    name: 'DATA_DIR',
    type: text,
    default: '.data',
    group: 'Storage',
    meaning: 'Directory of the embedded PostgreSQL.',
  }),
});

export type ImartConfig = ConfigOf<typeof imartConfig>;

/** Texts of the secret settings that were read. */
const secrets = new Set<string>();

/** What a command prints of errors goes through this: a provider's answer may repeat the key that it was asked with. */
export const withoutSecrets = (text: string): string => createRedactor([...secrets])(text);

function load<Schema extends ConfigSchema>(schema: Schema, environment: Environment): ConfigOf<Schema> {
  const loaded = loadConfig(schema, environment);
  for (const secret of loaded.secrets) secrets.add(secret);
  return loaded.config;
}

/** @throws {ConfigError} */
export function loadImartConfig(): ImartConfig {
  return load(imartConfig, process.env);
}

/** Of commands that read the chain: what the worker reads and follows. */
const imartChainConfig = defineConfig({ ...imartConfig, ...evmChainSettings });

export type ImartChainConfig = ConfigOf<typeof imartChainConfig>;

/**
 * @param rpcUrl asked instead of `RPC_URLS`; `null`: these.
 * @throws {ConfigError} with all problems at once, those of marketplace files too.
 */
export async function loadImartChainConfig(rpcUrl: string | null): Promise<ImartChainConfig> {
  const environment = { ...process.env, ...(rpcUrl === null ? {} : { RPC_URLS: rpcUrl }) };
  const further = await chainSettingProblems(environment);
  let config: ImartChainConfig;
  try {
    config = load(imartChainConfig, environment);
  } catch (error) {
    throw error instanceof ConfigError ? problemsOf([...error.problems, ...further], rpcUrl) : error;
  }
  if (further.length > 0) throw problemsOf(further, rpcUrl);
  return config;
}

/** What is wrong with an endpoint that was given as an option is said of the option. */
function problemsOf(problems: readonly ConfigProblem[], rpcUrl: string | null): ConfigError {
  return new ConfigError(
    problems.map((one) =>
      rpcUrl !== null && one.setting === 'RPC_URLS' ? { ...one, setting: '--rpc' } : one,
    ),
  );
}
