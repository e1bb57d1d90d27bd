import type { ConfigProblem } from '@imart/core';
import { PURCHASE_DEADLINE_MS_DEFAULT, PURCHASE_DEADLINE_MS_MAX } from '@imart/purchase';
import {
  defineConfig,
  defineSetting,
  flag,
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
  type ValueType,
} from '@imart/runtime';
import { COMMAND_LANES_DEFAULT, STALE_AFTER_MS_DEFAULT } from '@imart/storage';
import { FAILING_MAX_MS_DEFAULT } from './webhooks/webhookRunner';

const OPS_TOKEN_MIN = 16;

/** A token: long enough that nobody guesses it. */
const longToken: ValueType<string> = {
  label: `text of at least ${OPS_TOKEN_MIN} characters, without spaces`,
  parse(value) {
    if (value.length < OPS_TOKEN_MIN || /\s/.test(value)) {
      throw new Error(
        `must have at least ${OPS_TOKEN_MIN} characters and no spaces; openssl rand -hex 24 makes one`,
      );
    }
    return value;
  },
};

/** 32 bytes that seal other keys. */
const masterKey: ValueType<string> = {
  label: '64 hex digits',
  parse(value) {
    if (!/^[0-9a-f]{64}$/i.test(value)) {
      throw new Error('must be 64 hex digits; openssl rand -hex 32 makes them');
    }
    return value;
  },
};

/** Every setting of the API. */
export const apiConfig = defineConfig({
  databaseUrl: defineSetting({
    name: 'DATABASE_URL',
    type: url('postgresql', 'postgres'),
    secret: true,
    optional: true,
    group: 'Storage',
    example: 'postgresql://user:password@localhost:5432/imart',
    meaning:
      'The database that a worker fills; a read replica will do. Without it, the embedded one under DATA_DIR.',
  }),
  dataDir: defineSetting({
    name: 'DATA_DIR',
    type: text,
    default: '.data',
    group: 'Storage',
    meaning: 'Directory of the embedded PostgreSQL, the same as the worker has.',
  }),
  connectionsMax: defineSetting({
    name: 'API_CONNECTIONS_MAX',
    type: integer({ min: 1, max: 1_000 }),
    default: '10',
    unit: 'connections',
    group: 'Storage',
    meaning: 'Most database connections at a time; further requests wait.',
  }),
  queryTimeoutMs: defineSetting({
    name: 'API_QUERY_TIMEOUT_MS',
    type: integer({ min: 10, max: 600_000 }),
    default: '10000',
    unit: 'ms',
    group: 'Storage',
    meaning: 'A query that takes longer is given up, and the request answered with 503.',
  }),
  redisUrl: defineSetting({
    name: 'REDIS_URL',
    type: url('redis', 'rediss'),
    secret: true,
    optional: true,
    group: 'Storage',
    example: 'redis://localhost:6379',
    meaning:
      'The same as the worker has: where the wake-up jobs are, to show them, and where orders, tokens and collections are cached. Without it, jobs are in PostgreSQL, and nothing is cached.',
  }),
  cacheRedisUrl: defineSetting({
    name: 'CACHE_REDIS_URL',
    type: url('redis', 'rediss'),
    secret: true,
    optional: true,
    group: 'Storage',
    example: 'redis://localhost:6380',
    meaning:
      "A Redis of its own for the cache, the same as the worker has: then what is cached never takes the jobs' memory, and it may evict. Without it, REDIS_URL is used.",
  }),
  cacheTtlMs: defineSetting({
    name: 'API_CACHE_TTL_MS',
    type: integer({ min: 0, max: 3_600_000 }),
    default: '60000',
    unit: 'ms',
    group: 'Storage',
    meaning: 'How long an answer is cached at most; what changes is dropped at once. 0: nothing is cached.',
  }),
  opsToken: defineSetting({
    name: 'OPS_TOKEN',
    type: longToken,
    secret: true,
    optional: true,
    group: 'Operators',
    meaning: 'Whoever shows it sees the wake-up jobs at /ops/jobs. Without it there is no such page.',
  }),
  purchases: defineSetting({
    name: 'PURCHASES',
    type: flag,
    default: 'false',
    group: 'Purchases',
    meaning:
      'Whether purchases are taken and shown. DATABASE_URL must then be a server that can be written; a purchase-worker does the work.',
  }),
  purchasesOpen: defineSetting({
    name: 'PURCHASES_OPEN',
    type: flag,
    default: 'false',
    group: 'Purchases',
    meaning:
      'Whoever reaches the API may buy, without an API key: for trying out, and behind what knows who buys. Otherwise buying needs a key with the scope purchases:write.',
  }),
  purchaseDeadlineMs: defineSetting({
    name: 'PURCHASE_DEADLINE_MS',
    type: integer({ min: 100, max: PURCHASE_DEADLINE_MS_MAX }),
    default: String(PURCHASE_DEADLINE_MS_DEFAULT),
    unit: 'ms',
    group: 'Purchases',
    meaning: 'How long a purchase may take: then it fails, and what it held is given back.',
  }),
  sessionRedisUrl: defineSetting({
    name: 'SESSION_REDIS_URL',
    type: url('redis', 'rediss'),
    secret: true,
    optional: true,
    group: 'Purchases',
    example: 'redis://localhost:6379/1',
    meaning: 'Where purchase-worker puts results at hand. Without it, they are read from the database.',
  }),
  notificationsToken: defineSetting({
    name: 'NOTIFICATIONS_TOKEN',
    type: longToken,
    secret: true,
    optional: true,
    group: 'Notifications',
    meaning:
      'Whoever shows it, such as the service that knows who is logged in, may mark notifications as read; the database must be one that can be written to. Without it nobody may.',
  }),
  staleAfterMs: defineSetting({
    name: 'API_STALE_AFTER_MS',
    type: integer({ min: 100, max: 86_400_000 }),
    default: String(STALE_AFTER_MS_DEFAULT),
    unit: 'ms',
    group: 'Storage',
    meaning:
      'Answers are flagged as stale when the states are behind the chain, or nothing has been heard of it, for longer than this.',
  }),
  aggregates: defineSetting({
    name: 'AGGREGATES',
    type: listOf(text),
    optional: true,
    group: 'Commands',
    example: './tools/examples/allowlist.cjs',
    meaning:
      'Files that define aggregate types: this process takes their commands, appends and folds their events. Without it, nothing is written.',
  }),
  commandLanes: defineSetting({
    name: 'COMMAND_LANES',
    type: integer({ min: 1, max: 64 }),
    default: String(COMMAND_LANES_DEFAULT),
    unit: 'lanes',
    group: 'Commands',
    meaning:
      'How many lanes fold the events of an aggregate type side by side. Stored with the first start: another number is refused later.',
  }),
  commandMarker: defineSetting({
    name: 'COMMAND_MARKER',
    type: oneOf('postgres', 'redis'),
    default: 'postgres',
    group: 'Commands',
    meaning:
      'Where the latest accepted event of each aggregate is kept, which commands are validated against. redis takes that row off the database and needs REDIS_URL, with a weaker promise: marker and message are two steps, and while Redis is away or full no command is taken.',
  }),
  parkedAggregatesMax: defineSetting({
    name: 'PARKED_AGGREGATES_MAX',
    type: integer({ min: 0, max: 1_000_000 }),
    default: '1000',
    unit: 'aggregates',
    group: 'Commands',
    meaning: 'More aggregates of one type than this set aside after failures stop the work on that type.',
  }),
  eventQueues: defineSetting({
    name: 'EVENT_QUEUES',
    type: listOf(text),
    optional: true,
    group: 'Commands',
    example: 'allowlist/shop',
    meaning:
      'Queues of BullMQ that are told of events, as TYPE/NAME: in Redis where REDIS_URL is set, else in PostgreSQL. A new one is told from the first event on.',
  }),
  personalDataKey: defineSetting({
    name: 'PERSONAL_DATA_KEY',
    type: masterKey,
    secret: true,
    optional: true,
    group: 'Commands',
    meaning:
      'Master key of what events say about persons, 64 hex digits (openssl rand -hex 32); needed by aggregate types that have such data, always the same for a database. Lost, that data is lost.',
  }),
  webhooksPrivate: defineSetting({
    name: 'WEBHOOKS_PRIVATE',
    type: flag,
    default: 'false',
    group: 'Commands',
    meaning:
      'Webhooks may be at addresses of the own network, and without TLS: for trying out. Whoever may register one can then reach what only this process can.',
  }),
  webhookFailingMaxMs: defineSetting({
    name: 'WEBHOOK_FAILING_MAX_MS',
    type: integer({ min: 1_000, max: 2_592_000_000 }),
    default: String(FAILING_MAX_MS_DEFAULT),
    unit: 'ms',
    group: 'Commands',
    meaning: 'A webhook that takes nothing for longer than this is disabled, until its owner enables it.',
  }),
  host: defineSetting({
    name: 'HOST',
    type: text,
    default: '127.0.0.1',
    group: 'Process',
    meaning: 'Address that the API listens on.',
  }),
  port: defineSetting({
    name: 'PORT',
    type: port,
    default: '3000',
    group: 'Process',
    meaning: 'Port that the API listens on.',
  }),
  apiPort: defineSetting({
    name: 'API_PORT',
    type: port,
    optional: true,
    group: 'Process',
    meaning: 'Comes before PORT, where several programs share one environment.',
  }),
  graceMs: defineSetting({
    name: 'SHUTDOWN_GRACE_MS',
    type: integer({ min: 100, max: 600_000 }),
    default: '15000',
    unit: 'ms',
    group: 'Process',
    meaning: 'How long a shutdown may take to answer what was asked.',
  }),
  logLevel: defineSetting({
    name: 'LOG_LEVEL',
    type: oneOf('error', 'warn', 'info', 'debug'),
    default: 'info',
    group: 'Process',
    meaning: 'Least important level that is logged; at debug, every request.',
  }),
  logDir: defineSetting({
    name: 'LOG_DIR',
    type: text,
    default: 'logs',
    group: 'Process',
    meaning: 'Directory of error.log.',
  }),
});

export type ApiConfig = ConfigOf<typeof apiConfig>;

/**
 * Reads all settings, and reports every problem at once, before anything connects.
 * @throws {ConfigError}
 */
export function loadApiConfig(environment: Environment = process.env): LoadedConfig<ApiConfig> {
  return loadConfig(apiConfig, environment, markerProblems);
}

/** Markers that cannot be kept where they are to be, or that nobody would set. */
function markerProblems({ commandMarker, redisUrl, aggregates }: ApiConfig): readonly ConfigProblem[] {
  if (commandMarker !== 'redis') return [];
  const problem =
    redisUrl === undefined
      ? 'redis needs REDIS_URL; set it, or COMMAND_MARKER=postgres'
      : aggregates === undefined
        ? 'redis is for commands, and AGGREGATES names no file that defines any; set it, or leave COMMAND_MARKER out'
        : null;
  return problem === null ? [] : [{ setting: 'COMMAND_MARKER', problem }];
}
