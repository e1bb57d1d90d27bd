import { messageOf, WorkerError } from '@imart/core';
import { createPipelineStats } from '@imart/pipeline';
import { createLogger, createMetrics, createShutdown, type LoadedConfig } from '@imart/runtime';
import { createWakeUpStream } from '@imart/stream';
import { loadEvmWorkerConfig, type EvmWorkerConfig } from './config';
import { openDatabase } from './database';
import { followedOn, followedText } from './followed';
import { openHealthPages } from './healthPages';
import { registerWorkerMetrics } from './metrics';
import { reportProgress } from './reportProgress';
import { openChain } from './openChain';
import { openStore, runWorker } from './worker';

/** The settings cannot be used. */
const EXIT_CONFIG = 2;
/** An invariant is broken, or something failed that cannot be retried. */
const EXIT_STOPPED = 1;

async function main(loaded: LoadedConfig<EvmWorkerConfig>): Promise<void> {
  const { config, secrets, warnings, shown } = loaded;
  const logger = createLogger({
    level: config.logLevel,
    secrets,
    errorLogDir: config.logDir,
    errorLogSetting: 'LOG_DIR',
    fields: { app: 'evm-worker' },
  });
  const shutdown = createShutdown({ logger, graceMs: config.graceMs, flush: () => logger.close() });
  try {
    logger.info('starting', { settings: shown });
    for (const warning of warnings) logger.warn(warning);

    const health = await openHealthPages(config, logger, shutdown);
    const { pool, url } = await openDatabase(config, logger, shutdown);
    health.check('database', async () => ({ ok: (await pool.query('SELECT 1')).rowCount === 1 }));
    const chain = await openChain(config, logger, shutdown.signal);
    shutdown.onClose('RPC connections', () => chain.close());
    const followed = await followedOn(chain.chainId, config.markets, config.collections);
    const subject = chain.createSubject(followed);
    const { store, observer, startBlock } = await openStore({
      config,
      pool,
      subject,
      followed: followedText(followed),
      logger,
      signal: shutdown.signal,
    });
    const stream = await createWakeUpStream({
      subjectId: subject.id,
      observer: observer.name,
      backend:
        config.redisUrl === undefined
          ? { kind: 'postgres', connectionString: url }
          : { kind: 'redis', url: config.redisUrl },
      logger,
    });
    shutdown.onClose('wake-ups', () => stream.close());

    const stats = createPipelineStats();
    const { nextPosition } = await store.progress();
    const seen = { head: null as bigint | null, ingested: nextPosition - 1n, catchingUp: false };
    const metrics = createMetrics({ labels: { subject: subject.id } });
    registerWorkerMetrics({ metrics, stats, store, subject, stream, head: () => seen.head });
    health.check('chain', () => chain.health());
    health.show(metrics);
    logger.info('following', {
      subject: subject.id,
      followed: followedText(followed),
      nextBlock: nextPosition,
      endBlock: config.endBlock,
      healthPort: health.port,
    });

    const progress = reportProgress({
      sample: () => ({
        atMs: performance.now(),
        startBlock,
        block: seen.ingested,
        targetBlock: config.endBlock ?? seen.head,
        events: stats.executedEvents,
      }),
      logger,
      output: process.stdout,
      catchingUp: () => seen.catchingUp,
    });
    shutdown.onClose('progress', () => progress.stop());

    const started = performance.now();
    const working = runWorker(
      {
        config,
        pool,
        subject,
        store,
        observer,
        stream,
        stats,
        logger,
        onHead: (block) => {
          seen.head = block;
        },
        onCatchingUp: (catchingUp) => {
          if (seen.catchingUp && !catchingUp)
            logger.info('caught up', { block: seen.ingested, events: stats.executedEvents });
          seen.catchingUp = catchingUp;
        },
        onIngested: (block) => {
          seen.ingested = block;
        },
      },
      shutdown.signal,
    );
    // A shutdown waits for the range or run that is on its way.
    shutdown.onClose('worker', () => working.then(ignore, ignore));
    const end = await working;
    if (end === 'end-block') {
      const seconds = (performance.now() - started) / 1000;
      logger.info('END_BLOCK is executed', {
        endBlock: config.endBlock,
        events: stats.executedEvents,
        sourceRecords: stats.sourceRecords,
        parkedAggregates: stats.parkedAggregates,
        skippedLogs: subject.stats().skippedLogs,
        undecodableLogs: subject.stats().undecodableLogs,
        seconds: rounded(seconds),
        foldSeconds: rounded(stats.foldSeconds),
        databaseSeconds: rounded(stats.databaseSeconds),
        sourceSeconds: rounded(stats.sourceSeconds),
        eventsPerSecond: Math.round(stats.executedEvents / seconds),
      });
      await shutdown.stop('END_BLOCK is executed');
    }
  } catch (error) {
    if (shutdown.signal.aborted) return;
    const code = error instanceof WorkerError ? error.code : undefined;
    logger.error(`stopped: ${messageOf(error)}`, { code, error });
    await shutdown.stop('stopped by an error', code === 'CONFIG' ? EXIT_CONFIG : EXIT_STOPPED);
  }
}

const ignore = (): void => undefined;
const rounded = (seconds: number): number => Number(seconds.toFixed(2));

loadEvmWorkerConfig().then(main, (error: unknown) => {
  process.stderr.write(`evm-worker: ${messageOf(error)}\n`);
  process.exitCode = EXIT_CONFIG;
});
