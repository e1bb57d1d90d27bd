import { chainSettingProblems, evmChainSettings, validValueOf } from '@imart/chain-evm';
import { ConfigError, type ConfigProblem } from '@imart/core';
import {
  CACHED_STATES_MAX_DEFAULT,
  LEASE_MS_DEFAULT,
  SECOND_PASS_RATE_DEFAULT,
  SNAPSHOT_EVERY_DEFAULT,
} from '@imart/pipeline';
import {
  bigInteger,
  defineConfig,
  defineSetting,
  flag,
  integer,
  loadConfig,
  oneOf,
  port,
  text,
  url,
  type ConfigOf,
  type Environment,
  type LoadedConfig,
  type Setting,
} from '@imart/runtime';

/** The last block that a SeqNo of 32 position bits can name. */
const BLOCK_MAX = 2n ** 32n - 1n;

type EndpointUrls = ValueOf<typeof evmChainSettings.rpcUrls>;
type Markets = ValueOf<typeof evmChainSettings.markets>;
type ValueOf<S> = S extends Setting<infer T> ? T : never;

const REQUIRED_WHEN = 'where ROLE is all or ingest';

/** Every setting of the worker. The table in docs/settings.md and .env.example are made from it. */
export const evmWorkerConfig = defineConfig({
  role: defineSetting({
    name: 'ROLE',
    type: oneOf('all', 'ingest', 'apply'),
    default: 'all',
    group: 'Role',
    meaning:
      'What this process does: ingest reads the chain into the event log, apply executes the log, all does both. The same as --role.',
  }),
  leaseMs: defineSetting({
    name: 'LEASE_MS',
    type: integer({ min: 1_000, max: 600_000 }),
    default: String(LEASE_MS_DEFAULT),
    unit: 'ms',
    group: 'Role',
    meaning:
      'How long the process that writes the log may be silent before another one that stands by takes over. The same for all of one chain.',
  }),
  rpcUrls: { ...evmChainSettings.rpcUrls, optional: true, requiredWhen: REQUIRED_WHEN } as Setting<
    EndpointUrls | undefined
  >,
  rpcWsUrl: defineSetting({
    name: 'RPC_WS_URL',
    type: url('ws', 'wss'),
    secret: true,
    optional: true,
    group: 'Chain',
    example: 'wss://rpc.example.org',
    meaning: 'Where newHeads is subscribed to: a hint that a block is there, never a source of truth.',
  }),
  chainId: evmChainSettings.chainId,
  genesisHash: evmChainSettings.genesisHash,
  startBlock: defineSetting({
    name: 'START_BLOCK',
    type: bigInteger({ min: 0n, max: BLOCK_MAX }),
    default: '0',
    unit: 'block',
    group: 'Chain',
    meaning:
      'The first block to read, when the database has none of this chain; afterwards it goes on where it was.',
  }),
  endBlock: defineSetting({
    name: 'END_BLOCK',
    type: bigInteger({ min: 0n, max: BLOCK_MAX }),
    optional: true,
    unit: 'block',
    group: 'Chain',
    meaning: 'Stop, with exit code 0, when everything up to and including this block is executed.',
  }),
  finalityDepthBlocks: defineSetting({
    name: 'FINALITY_DEPTH_BLOCKS',
    type: integer({ min: 0, max: 100_000 }),
    default: '64',
    unit: 'blocks',
    group: 'Chain',
    meaning: 'How far below the head a block counts as final, where the chain has no finalized tag.',
  }),
  pollIntervalMs: defineSetting({
    name: 'POLL_INTERVAL_MS',
    type: integer({ min: 10, max: 600_000 }),
    default: '1000',
    unit: 'ms',
    group: 'Chain',
    meaning: 'How often the head of the chain is asked for.',
  }),
  rangeBlocksMax: evmChainSettings.rangeBlocksMax,
  checkBlooms: evmChainSettings.checkBlooms,
  secondPassBlocksPerSecond: defineSetting({
    name: 'SECOND_PASS_BLOCKS_PER_SECOND',
    type: integer({ min: 0, max: 10_000 }),
    default: String(SECOND_PASS_RATE_DEFAULT),
    unit: 'blocks/s',
    group: 'Chain',
    meaning:
      'How fast the final blocks are read a second time, behind the head, to find what a provider has left out; a block read whole counts twice. 0: not at all.',
  }),
  secondPassWholeBlocks: defineSetting({
    name: 'SECOND_PASS_WHOLE_BLOCKS',
    type: flag,
    default: 'false',
    group: 'Chain',
    meaning:
      'Whether the second pass reads every block by the receipts of its transactions, which costs a provider much more than logs and headers. For chains whose blooms say nothing, with one endpoint.',
  }),
  markets: { ...evmChainSettings.markets, optional: true, requiredWhen: REQUIRED_WHEN } as Setting<
    Markets | undefined
  >,
  collections: evmChainSettings.collections,
  databaseUrl: defineSetting({
    name: 'DATABASE_URL',
    type: url('postgresql', 'postgres'),
    secret: true,
    optional: true,
    group: 'Storage',
    example: 'postgresql://user:password@localhost:5432/imart',
    meaning: 'PostgreSQL 15 or newer. Without it, an embedded one runs under DATA_DIR.',
  }),
  dataDir: defineSetting({
    name: 'DATA_DIR',
    type: text,
    default: '.data',
    group: 'Storage',
    meaning: 'Directory of the embedded PostgreSQL.',
  }),
  redisUrl: defineSetting({
    name: 'REDIS_URL',
    type: url('redis', 'rediss'),
    secret: true,
    optional: true,
    group: 'Storage',
    example: 'redis://localhost:6379',
    meaning: 'Redis for the wake-up jobs. Without it, they go through PostgreSQL.',
  }),
  lanes: defineSetting({
    name: 'LANES',
    type: integer({ min: 1, max: 32 }),
    default: '1',
    group: 'Engine',
    meaning: 'Into how many serial lanes the aggregates are parted. Fixed once a chain is in the database.',
  }),
  snapshotEvery: defineSetting({
    name: 'SNAPSHOT_EVERY',
    type: integer({ min: 1, max: 1_000_000 }),
    default: String(SNAPSHOT_EVERY_DEFAULT),
    unit: 'events',
    group: 'Engine',
    meaning: 'After how many events of one aggregate its state is kept as a snapshot.',
  }),
  cachedStatesMax: defineSetting({
    name: 'CACHED_STATES_MAX',
    type: integer({ min: 1_000, max: 10_000_000 }),
    default: String(CACHED_STATES_MAX_DEFAULT),
    unit: 'states',
    group: 'Engine',
    meaning: 'How many aggregate states are kept in memory while catching up.',
  }),
  parkedAggregatesMax: defineSetting({
    name: 'PARKED_AGGREGATES_MAX',
    type: integer({ min: 0, max: 1_000_000 }),
    default: '1000',
    unit: 'aggregates',
    group: 'Engine',
    meaning: 'More aggregates set aside than this halt the chain: the fault is systematic.',
  }),
  sweepIntervalMs: defineSetting({
    name: 'SWEEP_INTERVAL_MS',
    type: integer({ min: 50, max: 600_000 }),
    default: '1000',
    unit: 'ms',
    group: 'Engine',
    meaning: 'How often ingested is compared with executed, and missing wake-ups are sent.',
  }),
  progressStallMs: defineSetting({
    name: 'PROGRESS_STALL_MS',
    type: integer({ min: 100, max: 86_400_000 }),
    default: '60000',
    unit: 'ms',
    group: 'Watch',
    meaning:
      'How long ingested or executed may stand still while there is more to do, before /progress fails.',
  }),
  headStallMs: defineSetting({
    name: 'HEAD_STALL_MS',
    type: integer({ min: 0, max: 86_400_000 }),
    default: '600000',
    unit: 'ms',
    group: 'Watch',
    meaning:
      "How long the chain's head may stand still before /progress fails; 0: for ever, for a chain that makes blocks only when there is something in them.",
  }),
  clockSkewMaxMs: defineSetting({
    name: 'CLOCK_SKEW_MAX_MS',
    type: integer({ min: 1_000, max: 86_400_000 }),
    default: '120000',
    unit: 'ms',
    group: 'Watch',
    meaning:
      "How far a new block's time may lie from this host's clock before it is said and shown. States go by the chain's time alone.",
  }),
  host: defineSetting({
    name: 'WORKER_HOST',
    type: text,
    default: '127.0.0.1',
    group: 'Process',
    meaning: 'Address that /healthz, /readyz, /progress and /metrics listen on.',
  }),
  port: defineSetting({
    name: 'WORKER_PORT',
    type: port,
    default: '0',
    group: 'Process',
    meaning: 'Port of /healthz, /readyz, /progress and /metrics.',
  }),
  graceMs: defineSetting({
    name: 'SHUTDOWN_GRACE_MS',
    type: integer({ min: 100, max: 600_000 }),
    default: '15000',
    unit: 'ms',
    group: 'Process',
    meaning: 'How long a shutdown may take to finish what runs.',
  }),
  logLevel: defineSetting({
    name: 'LOG_LEVEL',
    type: oneOf('error', 'warn', 'info', 'debug'),
    default: 'info',
    group: 'Process',
    meaning: 'Least important level that is logged.',
  }),
  logDir: defineSetting({
    name: 'LOG_DIR',
    type: text,
    default: 'logs',
    group: 'Process',
    meaning: 'Directory of error.log.',
  }),
});

export type EvmWorkerConfig = ConfigOf<typeof evmWorkerConfig>;

/** The settings of a process that reads the chain. */
export interface ReadingConfig extends EvmWorkerConfig {
  readonly rpcUrls: EndpointUrls;
  readonly markets: Markets;
}

/** Whether these settings are of a process that reads the chain: it has what that needs. */
export const readsChain = (config: EvmWorkerConfig): config is ReadingConfig => config.role !== 'apply';

/** What is wrong with settings that are valid by themselves. */
async function furtherProblems(
  environment: Environment,
  role: EvmWorkerConfig['role'],
): Promise<readonly ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  const startBlock = validValueOf(evmWorkerConfig.startBlock, environment);
  const endBlock = validValueOf(evmWorkerConfig.endBlock, environment);
  if (startBlock !== undefined && endBlock !== undefined && endBlock < startBlock) {
    problems.push({ setting: 'END_BLOCK', problem: `${endBlock} lies before START_BLOCK ${startBlock}` });
  }
  return role === 'apply' ? problems : [...problems, ...(await chainSettingProblems(environment))];
}

/**
 * Reads all settings and loads the files of marketplaces that they name, and reports every problem at once, before
 * anything connects.
 * @throws {ConfigError}
 */
export async function loadEvmWorkerConfig(
  environment: Environment = environmentWith([]),
): Promise<LoadedConfig<EvmWorkerConfig>> {
  const role = validValueOf(evmWorkerConfig.role, environment) ?? 'all';
  const further = await furtherProblems(environment, role);
  const { rpcUrls, markets } = evmChainSettings;
  const schema = role === 'apply' ? evmWorkerConfig : { ...evmWorkerConfig, rpcUrls, markets };
  let loaded: LoadedConfig<EvmWorkerConfig>;
  try {
    loaded = loadConfig(schema, environment);
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError([...error.problems, ...further]) : error;
  }
  if (further.length > 0) throw new ConfigError(further);
  return loaded;
}

/**
 * The settings of this process's environment, with those of its arguments, which come first.
 * @param args what {@link readArguments} has read.
 */
export function environmentWith(args: readonly (readonly [name: string, value: string])[]): Environment {
  return { ...process.env, ...Object.fromEntries(args) };
}
