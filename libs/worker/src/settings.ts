import { CACHED_STATES_MAX_DEFAULT, LEASE_MS_DEFAULT, SNAPSHOT_EVERY_DEFAULT } from '@imart/pipeline';
import {
  bigInteger,
  defineSetting,
  integer,
  oneOf,
  port,
  text,
  url,
  type ConfigOf,
  type ConfigSchema,
  type Setting,
} from '@imart/runtime';
import { NOTIFICATION_LIST_MAX_DEFAULT } from '@imart/stream';
import { startingPlace } from './notifications/startingPlace';
import type { PositionWords } from './words';

/** What a process does, and how it shares that with others. */
export const roleSettings = {
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
};

/**
 * Where reading begins and ends.
 * @param positionMax the last position that a SeqNo of the chain can name.
 */
export function positionSettings({ one, startSetting, endSetting }: PositionWords, positionMax: bigint) {
  return {
    startPosition: defineSetting({
      name: startSetting,
      type: bigInteger({ min: 0n, max: positionMax }),
      default: '0',
      unit: one,
      group: 'Chain',
      meaning: `The first ${one} to read, when the database has none of this chain; afterwards it goes on where it was.`,
    }),
    endPosition: defineSetting({
      name: endSetting,
      type: bigInteger({ min: 0n, max: positionMax }),
      optional: true,
      unit: one,
      group: 'Chain',
      meaning: `Stop, with exit code 0, when everything up to and including this ${one} is executed.`,
    }),
  };
}

/**
 * How often the source's head is asked for.
 * @param what the head is of: `the chain`.
 */
export function pollSetting(what: string, defaultMs: number) {
  return defineSetting({
    name: 'POLL_INTERVAL_MS',
    type: integer({ min: 10, max: 600_000 }),
    default: String(defaultMs),
    unit: 'ms',
    group: 'Chain',
    meaning: `How often the head of ${what} is asked for.`,
  });
}

/** What is the same whatever is read: storage, engine, watching, the process itself. */
export const engineSettings = {
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
    meaning:
      "Redis for the wake-up jobs, the receivers' lists of notifications and the API's cache. Without it, jobs go through PostgreSQL, and nothing is pushed.",
  }),
  cacheRedisUrl: defineSetting({
    name: 'CACHE_REDIS_URL',
    type: url('redis', 'rediss'),
    secret: true,
    optional: true,
    group: 'Storage',
    example: 'redis://localhost:6380',
    meaning:
      "A Redis of its own for the API's cache, from which the worker drops what changes. Without it, REDIS_URL is used.",
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
  notifications: defineSetting({
    name: 'NOTIFICATIONS',
    type: oneOf('final', 'executed', 'off'),
    default: 'final',
    group: 'Notifications',
    meaning:
      'When accounts are told what concerns them: when it is final, or as soon as it is executed, and then retracted when a reorg takes it back. off: not by this process. The same for all of one chain.',
  }),
  notificationsFrom: defineSetting({
    name: 'NOTIFICATIONS_FROM',
    type: startingPlace,
    default: 'now',
    group: 'Notifications',
    meaning:
      "Nobody is told of what happened before, by the chain's time: a history that is read late tells nothing. Counts at the first start with a chain; now: that moment.",
  }),
  notificationsListMax: defineSetting({
    name: 'NOTIFICATIONS_LIST_MAX',
    type: integer({ min: 1, max: 1_000_000 }),
    default: String(NOTIFICATION_LIST_MAX_DEFAULT),
    unit: 'notifications',
    group: 'Notifications',
    meaning: "Most entries of one receiver's list in Redis; the oldest are cut off.",
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
};

/** The settings that every worker has. */
export type WorkerSettings = typeof roleSettings &
  ReturnType<typeof positionSettings> &
  typeof engineSettings;

/** Their values: what this package needs to know of a program's configuration. */
export type WorkerConfig = ConfigOf<WorkerSettings>;

const REQUIRED_WHEN = 'where ROLE is all or ingest';

/** A setting that {@link whereChainIsRead} has marked. */
export type SettingOfReaders<T> = Setting<T | undefined> & { readonly requiredWhen: string };

/** A setting that only a process needs which reads the chain: absent without a fault in one that only executes. */
export function whereChainIsRead<T>(setting: Setting<T>): SettingOfReaders<T> {
  return { ...setting, optional: true, requiredWhen: REQUIRED_WHEN } as SettingOfReaders<T>;
}

/** The values of a schema in a process that reads the chain: what {@link whereChainIsRead} has marked is there. */
export type ReadingConfigOf<S extends ConfigSchema> = ConfigOf<S> & {
  readonly [K in keyof S as S[K] extends SettingOfReaders<unknown> ? K : never]: NonNullable<ConfigOf<S>[K]>;
};

/** The same setting as a process must have it that reads the chain. */
export function asRead(setting: Setting<unknown>): Setting<unknown> {
  return setting.requiredWhen === REQUIRED_WHEN ? { ...setting, optional: false } : setting;
}

/** Whether a process with this role reads the chain. */
export const readsChain = ({ role }: Pick<WorkerConfig, 'role'>): boolean => role !== 'apply';
