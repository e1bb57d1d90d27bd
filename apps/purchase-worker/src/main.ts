import { ConfigError, messageOf, WorkerError } from '@imart/core';
import { createPurchaseWorker } from '@imart/purchase';
import { createHealthServer, createLogger, createMetrics, createShutdown } from '@imart/runtime';
import { openPurchases } from '@imart/storage';
import { createRedisSessionCache } from '@imart/stream';
import { databaseThere, holderName, openDatabase } from '@imart/worker';
import { loadPurchaseWorkerConfig, purchaseWorkerConfig } from './config';
import { registerPurchaseMetrics } from './metrics';

/** Lanes of sales, for the number of connections. */
const LANES = 4;

/** Runs the services of purchases until it is told to stop. Exit code 1: an invariant is broken. 2: settings that cannot be used. */
async function main(): Promise<void> {
  const { config, warnings, secrets, shown } = loadPurchaseWorkerConfig();
  const logger = createLogger({
    level: config.logLevel,
    secrets,
    errorLogDir: config.logDir,
    errorLogSetting: purchaseWorkerConfig.logDir.name,
    fields: { app: 'purchase-worker' },
  });
  const shutdown = createShutdown({ logger, graceMs: config.graceMs, flush: () => logger.close() });
  for (const warning of warnings) logger.warn(warning);
  logger.info('starting', { settings: shown });
  try {
    const holder = holderName('purchase-worker');
    const { pool } = await openDatabase({ ...config, lanes: LANES }, holder, logger, shutdown);
    const { resultMs, keptMs, services, batchMax, pollMs } = config;
    const { store, sales, snapshots } = await databaseThere(() => openPurchases({ pool, resultMs, keptMs }), {
      logger,
      signal: shutdown.signal,
    });
    const metrics = createMetrics({ labels: { app: 'purchase-worker' } });
    const { sessionRedisUrl } = config;
    const sessions =
      sessionRedisUrl === undefined ? undefined : createRedisSessionCache({ url: sessionRedisUrl, logger });
    if (sessions !== undefined) shutdown.onClose('cache of results', () => sessions.close());
    const worker = createPurchaseWorker({
      store,
      sales,
      snapshots,
      services,
      holder,
      batchMax,
      pollMs,
      logger,
      random: Math.random,
      now: () => performance.now(),
      ...(sessions === undefined ? {} : { sessions }),
      onEnded(ended) {
        for (const { status, error } of ended) counter.count(status, error);
      },
    });
    const counter = registerPurchaseMetrics(metrics, worker, () => store.backlog());
    const health = await createHealthServer({
      host: config.host,
      port: config.port,
      portSetting: purchaseWorkerConfig.port.name,
      liveness: {},
      readiness: { database: async () => ({ ok: (await pool.query('SELECT 1')).rowCount === 1 }) },
      metrics,
      logger,
    });
    shutdown.onClose('health pages', () => health.close());
    logger.info('working on purchases', { services, healthPort: health.port });
    const working = worker.run(shutdown.signal);
    shutdown.onClose('services', () => working.catch(() => undefined));
    await working;
  } catch (error) {
    if (shutdown.signal.aborted) return;
    const code = error instanceof WorkerError ? error.code : undefined;
    logger.error(`stopped: ${messageOf(error)}`, { code, error });
    await shutdown.stop('stopped by an error', code === 'CONFIG' ? 2 : 1);
  }
}

main().catch((error: unknown) => {
  // There is no logger yet.
  process.stderr.write(`purchase-worker: ${messageOf(error)}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
});
