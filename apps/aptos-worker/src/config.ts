import {
  APTOS_REST_DEFAULTS,
  aptosChainSettings,
  aptosMarketSettings,
  aptosSeqNo,
  aptosSettingProblems,
} from '@imart/chain-aptos';
import {
  defineConfig,
  defineSetting,
  integer,
  type ConfigOf,
  type Environment,
  type LoadedConfig,
} from '@imart/runtime';
import {
  engineSettings,
  loadWorkerConfig,
  positionSettings,
  positionWords,
  readsChain,
  roleSettings,
  whereChainIsRead,
  type ArgumentSettings,
} from '@imart/worker';

/** What the positions of these chains are called. */
export const VERSIONS = positionWords('version');

/** Every setting of the worker. The table in docs/settings.md and .env.example are made from it. */
export const aptosWorkerConfig = defineConfig({
  ...roleSettings,
  source: aptosChainSettings.source,
  urls: whereChainIsRead(aptosChainSettings.urls),
  apiKey: aptosChainSettings.apiKey,
  chainId: aptosChainSettings.chainId,
  genesisHash: aptosChainSettings.genesisHash,
  handles: aptosChainSettings.handles,
  ...positionSettings(VERSIONS, aptosSeqNo.max.position),
  pollIntervalMs: defineSetting({
    name: 'POLL_INTERVAL_MS',
    type: integer({ min: 10, max: 600_000 }),
    default: String(APTOS_REST_DEFAULTS.pollIntervalMs),
    unit: 'ms',
    group: 'Chain',
    meaning: 'How often the head of the ledger is asked for.',
  }),
  pagesInFlight: aptosChainSettings.pagesInFlight,
  markets: whereChainIsRead(aptosMarketSettings.markets),
  ...engineSettings,
});

export type AptosWorkerConfig = ConfigOf<typeof aptosWorkerConfig>;

/** The settings of a process that reads the ledger. */
export type ReadingConfig = AptosWorkerConfig & {
  readonly [K in 'urls' | 'markets']: NonNullable<AptosWorkerConfig[K]>;
};

/** Whether these settings are of a process that reads the ledger: it has what that needs. */
export const isReading = (config: AptosWorkerConfig): config is ReadingConfig => readsChain(config);

/**
 * Reads all settings and loads the files of marketplaces that they name, and reports every problem at once, before anything connects.
 * @throws {ConfigError}
 */
export function loadAptosWorkerConfig(
  environment: Environment = environmentWith([]),
): Promise<LoadedConfig<AptosWorkerConfig>> {
  return loadWorkerConfig({ schema: aptosWorkerConfig, chainProblems: aptosSettingProblems }, environment);
}

/** The settings of this process's environment, with those of its arguments, which come first. */
export function environmentWith(args: ArgumentSettings): Environment {
  return { ...process.env, ...Object.fromEntries(args) };
}
