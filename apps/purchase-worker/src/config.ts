import { STEP_BATCH_MAX_DEFAULT, STEP_POLL_MS_DEFAULT, PURCHASE_SERVICES, TAKES_MAX } from '@imart/purchase';
import {
  defineConfig,
  defineSetting,
  integer,
  listOf,
  loadConfig,
  oneOf,
  url,
  type ConfigOf,
  type Environment,
  type LoadedConfig,
} from '@imart/runtime';
import { PURCHASE_KEPT_MS_DEFAULT, PURCHASE_RESULT_MS_DEFAULT } from '@imart/storage';
import { engineSettings } from '@imart/worker';

/** Longest time for which something is kept: a year. */
const KEPT_MS_MAX = 31_622_400_000;

/** Every setting of the program. The table in docs/settings.md and .env.example are made from it. */
export const purchaseWorkerConfig = defineConfig({
  databaseUrl: engineSettings.databaseUrl,
  dataDir: engineSettings.dataDir,
  sessionRedisUrl: defineSetting({
    name: 'SESSION_REDIS_URL',
    type: url('redis', 'rediss'),
    secret: true,
    optional: true,
    group: 'Storage',
    example: 'redis://localhost:6379/1',
    meaning:
      'Redis that has results of purchases at hand, each with an end. May evict: not the database of the jobs. Without it, results are read from PostgreSQL.',
  }),
  services: defineSetting({
    name: 'PURCHASE_SERVICES',
    type: listOf(oneOf(...PURCHASE_SERVICES)),
    default: PURCHASE_SERVICES.join(','),
    group: 'Engine',
    meaning: 'Which services of the flow run in this process. Each must run somewhere.',
  }),
  batchMax: defineSetting({
    name: 'PURCHASE_BATCH_MAX',
    type: integer({ min: 1, max: TAKES_MAX }),
    default: String(STEP_BATCH_MAX_DEFAULT),
    unit: 'purchases',
    group: 'Engine',
    meaning: 'Most purchases that one transaction of a service takes.',
  }),
  pollMs: defineSetting({
    name: 'PURCHASE_POLL_MS',
    type: integer({ min: 5, max: 60_000 }),
    default: String(STEP_POLL_MS_DEFAULT),
    unit: 'ms',
    group: 'Engine',
    meaning:
      'How often a service looks by itself, should a notice be lost; and how often deadlines are looked at.',
  }),
  resultMs: defineSetting({
    name: 'PURCHASE_RESULT_MS',
    type: integer({ min: 1_000, max: KEPT_MS_MAX }),
    default: String(PURCHASE_RESULT_MS_DEFAULT),
    unit: 'ms',
    group: 'Storage',
    meaning: "How long a purchase's result is told, from its end on. The order stays for ever.",
  }),
  keptMs: defineSetting({
    name: 'PURCHASE_KEPT_MS',
    type: integer({ min: 0, max: KEPT_MS_MAX }),
    default: String(PURCHASE_KEPT_MS_DEFAULT),
    unit: 'ms',
    group: 'Storage',
    meaning: 'For how long after that it is still known that there was one (410 instead of 404).',
  }),
  host: engineSettings.host,
  port: engineSettings.port,
  graceMs: engineSettings.graceMs,
  logLevel: engineSettings.logLevel,
  logDir: engineSettings.logDir,
});

export type PurchaseWorkerConfig = ConfigOf<typeof purchaseWorkerConfig>;

/**
 * Reads all settings, and reports every problem at once, before anything connects.
 * @throws {ConfigError}
 */
export function loadPurchaseWorkerConfig(
  environment: Environment = process.env,
): LoadedConfig<PurchaseWorkerConfig> {
  return loadConfig(purchaseWorkerConfig, environment);
}
