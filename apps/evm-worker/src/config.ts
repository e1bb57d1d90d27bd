import { ConfigError, type ConfigProblem } from '@imart/core';
import { CACHED_STATES_MAX_DEFAULT, SNAPSHOT_EVERY_DEFAULT } from '@imart/pipeline';
import {
  bigInteger,
  defineConfig,
  defineSetting,
  integer,
  listOf,
  loadConfig,
  oneOf,
  port,
  text,
  url,
  type ConfigOf,
  type Environment,
  type LoadedConfig,
  type Setting,
  type ValueType,
} from '@imart/runtime';
import { marketProblems } from './marketProblems';
import { collectionsSetting, marketEntry, type MarketEntry } from './marketSetting';

/** The last block that a SeqNo of 32 position bits can name. */
const BLOCK_MAX = 2n ** 32n - 1n;

const blockHash: ValueType<string> = {
  label: '0x and 64 hex digits',
  parse(value) {
    if (!/^0x[0-9a-fA-F]{64}$/.test(value)) throw new Error('must be 0x and 64 hex digits');
    return value.toLowerCase();
  },
};

/** Every setting of the worker. The table in docs/settings.md and .env.example are made from it. */
export const evmWorkerConfig = defineConfig({
  rpcUrls: defineSetting({
    name: 'RPC_URLS',
    type: listOf(url('http', 'https')),
    secret: true,
    group: 'Chain',
    example: 'https://rpc.example.org,https://rpc2.example.org',
    meaning: 'JSON-RPC endpoints of one chain, best first; the others take over while it fails.',
  }),
  rpcWsUrl: defineSetting({
    name: 'RPC_WS_URL',
    type: url('ws', 'wss'),
    secret: true,
    optional: true,
    group: 'Chain',
    example: 'wss://rpc.example.org',
    meaning: 'Where newHeads is subscribed to: a hint that a block is there, never a source of truth.',
  }),
  chainId: defineSetting({
    name: 'CHAIN_ID',
    type: bigInteger({ min: 1n, max: 2n ** 53n - 1n }),
    optional: true,
    group: 'Chain',
    example: '1',
    meaning: 'The chain that the endpoints must serve. Without it, the first endpoint tells.',
  }),
  genesisHash: defineSetting({
    name: 'GENESIS_HASH',
    type: blockHash,
    optional: true,
    group: 'Chain',
    meaning: 'Hash of block 0, for providers that no longer have it.',
  }),
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
  rangeBlocksMax: defineSetting({
    name: 'RANGE_BLOCKS_MAX',
    type: integer({ min: 1, max: 1_000_000 }),
    default: '50000',
    unit: 'blocks',
    group: 'Chain',
    meaning: 'Most blocks in one eth_getLogs; the range adapts to the provider below it.',
  }),
  markets: defineSetting({
    name: 'MARKETS',
    type: listOf(marketEntry),
    group: 'Market',
    example: 'seaport-1.5,blur-v2,imart:0x5fbdb2315678afecb367f032d93f642f64180aa3',
    meaning:
      'Marketplaces to follow, each where it is known to be or at the address after its colon; a file with a marketplace of your own by its path.',
  }),
  collections: defineSetting({
    name: 'COLLECTIONS',
    type: collectionsSetting,
    default: 'factories',
    group: 'Market',
    meaning:
      "Whose token transfers are followed: addresses, 'all', or only the collections that the markets' factories create (these are followed in any case).",
  }),
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
    meaning: 'More aggregates set aside than this stop the worker: the fault is systematic.',
  }),
  sweepIntervalMs: defineSetting({
    name: 'SWEEP_INTERVAL_MS',
    type: integer({ min: 50, max: 600_000 }),
    default: '1000',
    unit: 'ms',
    group: 'Engine',
    meaning: 'How often ingested is compared with executed, and missing wake-ups are sent.',
  }),
  host: defineSetting({
    name: 'WORKER_HOST',
    type: text,
    default: '127.0.0.1',
    group: 'Process',
    meaning: 'Address that /healthz, /readyz and /metrics listen on.',
  }),
  port: defineSetting({
    name: 'WORKER_PORT',
    type: port,
    default: '0',
    group: 'Process',
    meaning: 'Port of /healthz, /readyz and /metrics.',
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

/** The value of one setting, whatever is wrong with others; `undefined` when it has none, or none that is valid. */
function validValue<T>(setting: Setting<T>, environment: Environment): T | undefined {
  const text = environment[setting.name]?.trim() || setting.default;
  try {
    return text === undefined ? undefined : (setting.type.parse(text) as T);
  } catch {
    return undefined;
  }
}

/** The entries of `MARKETS` that are well-formed, whatever is wrong with others. */
function validMarkets(environment: Environment): readonly MarketEntry[] {
  return (environment[evmWorkerConfig.markets.name] ?? '').split(',').flatMap((part) => {
    try {
      return [marketEntry.parse(part.trim())];
    } catch {
      return [];
    }
  });
}

/** What is wrong with settings that are valid by themselves. */
async function furtherProblems(environment: Environment): Promise<readonly ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  const startBlock = validValue(evmWorkerConfig.startBlock, environment);
  const endBlock = validValue(evmWorkerConfig.endBlock, environment);
  if (startBlock !== undefined && endBlock !== undefined && endBlock < startBlock) {
    problems.push({ setting: 'END_BLOCK', problem: `${endBlock} lies before START_BLOCK ${startBlock}` });
  }
  const chainId = validValue(evmWorkerConfig.chainId, environment);
  const markets = await marketProblems(
    validMarkets(environment),
    chainId === undefined ? null : Number(chainId),
  );
  return [...problems, ...markets];
}

/**
 * Reads all settings and loads the files of marketplaces that they name, and reports every problem at once, before
 * anything connects.
 * @throws {ConfigError}
 */
export async function loadEvmWorkerConfig(
  environment: Environment = process.env,
): Promise<LoadedConfig<EvmWorkerConfig>> {
  const further = await furtherProblems(environment);
  let loaded: LoadedConfig<EvmWorkerConfig>;
  try {
    loaded = loadConfig(evmWorkerConfig, environment);
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError([...error.problems, ...further]) : error;
  }
  if (further.length > 0) throw new ConfigError(further);
  return loaded;
}
