import { ConfigError, messageOf, WorkerError } from '@imart/core';
import { createPassStats, createPipelineStats, type PipelineStats } from '@imart/pipeline';
import { createLogger, createMetrics, createShutdown, type LoadedConfig } from '@imart/runtime';
import { readSubjectReadings } from '@imart/storage';
import { registerCacheKeeper, startCacheKeeper } from './cache/startCacheKeeper';
import { holderName, openDatabase } from './database';
import { databaseThere } from './databaseThere';
import { ensureStates } from './ensureStates';
import { openHealthPages } from './healthPages';
import { registerTransactions, registerWorkerMetrics } from './metrics';
import { registerNotifications } from './notifications/notifierMetrics';
import { startNotifications } from './notifications/startNotifications';
import { openJobs } from './openJobs';
import { openRole } from './openRole';
import { createWorkerPasses } from './passes';
import type { OpenedChain, WorkerProgram } from './program';
import { readArguments, usageOf } from './readArguments';
import { engineSettings, type WorkerConfig } from './settings';
import { showProgress } from './showProgress';
import { runWorker } from './worker';
import { createWorkerView } from './workerView';

/** The settings cannot be used. */
const EXIT_CONFIG = 2;
/** An invariant is broken, or something failed that cannot be retried. */
const EXIT_STOPPED = 1;

/**
 * Runs a worker as this process: reads its arguments and settings, works, and ends the process. Exit code 0: told to stop, or
 * everything up to where reading was to end is executed. 1: an invariant is broken, or something failed that cannot be retried. 2: the
 * settings cannot be used. Call it once per process.
 *
 * @param args of the command line, without the program's name.
 */
export function startWorker<C extends WorkerConfig, R extends C>(
  program: WorkerProgram<C, R>,
  args: readonly string[],
): void {
  start(program, args).catch((error: unknown) => {
    process.stderr.write(`${program.name}: ${messageOf(error)}\n`);
    process.exitCode = error instanceof ConfigError ? EXIT_CONFIG : EXIT_STOPPED;
  });
}

async function start<C extends WorkerConfig, R extends C>(
  program: WorkerProgram<C, R>,
  args: readonly string[],
): Promise<void> {
  const read = readArguments(args);
  if (read.kind === 'help') process.stdout.write(usageOf(program));
  else await work(program, await program.loadConfig(read.settings));
}

async function work<C extends WorkerConfig, R extends C>(
  program: WorkerProgram<C, R>,
  loaded: LoadedConfig<C>,
): Promise<void> {
  const { words, seqNos } = program;
  const { position } = words;
  const { config, secrets, warnings, shown } = loaded;
  const logger = createLogger({
    level: config.logLevel,
    secrets,
    errorLogDir: config.logDir,
    errorLogSetting: engineSettings.logDir.name,
    fields: { app: program.name, ...(config.role === 'all' ? {} : { role: config.role }) },
  });
  let doing: Readonly<Record<string, unknown>> = { step: 'opening' };
  const shutdown = createShutdown({
    logger,
    graceMs: config.graceMs,
    context: () => doing,
    flush: () => logger.close(),
  });
  try {
    logger.info('starting', { settings: shown });
    for (const warning of warnings) logger.warn(warning);

    const holder = holderName(program.name);
    const health = await openHealthPages(config, logger, shutdown);
    const database = await openDatabase(config, holder, logger, shutdown);
    health.check('database', async () => ({ ok: (await database.pool.query('SELECT 1')).rowCount === 1 }));
    const rebuilding = ensureStates(database.pool, program, logger, shutdown.signal);
    // What it has begun is put away before the connections close.
    shutdown.onClose('states', () => rebuilding.then(ignore, ignore));
    await rebuilding;
    const role = await openRole({ program, config, pool: database.pool, health, logger, shutdown });
    if (role === null) return;
    const { chain, subjectId, opened } = role;
    const { store, leases, observer } = opened;
    const stream = await openJobs(config, database.url, subjectId, logger, shutdown.signal);
    if (stream === null) return;
    shutdown.onClose('wake-ups', () => stream.close());
    // A backend that goes away later makes nothing stand still: the sweeper drives the lanes.
    health.check('jobs', () => ({ ok: true }));

    const stats = createPipelineStats();
    const passStats = createPassStats();
    const metrics = createMetrics({ labels: { subject: subjectId } });
    const view = createWorkerView({
      config,
      words: position,
      logger,
      onTransaction: registerTransactions(metrics),
    });
    registerWorkerMetrics({
      metrics,
      config,
      words,
      seqNos,
      stats,
      view,
      registerChain: chain === null ? null : (registered) => chain.registerMetrics(registered),
      passStats: (chain?.secondReadings ?? null) === null ? null : passStats,
      stream,
      lanes: store.lanes,
      read: () => readSubjectReadings(database.pool, opened.subject, observer.name),
      now: () => performance.now(),
    });
    const notifications =
      config.role === 'ingest'
        ? null
        : await startNotifications({
            config,
            pool: database.pool,
            subject: opened.subject,
            subjectId,
            seqNos,
            store,
            holder,
            logger,
            shutdown,
          });
    if (notifications !== null) registerNotifications(metrics, notifications);
    const cacheKeeper =
      config.role === 'ingest'
        ? null
        : await startCacheKeeper({
            config,
            pool: database.pool,
            subject: opened.subject,
            subjectId,
            store,
            nearHeadPositions: program.nearHeadPositions,
            holder,
            logger,
            shutdown,
          });
    if (cacheKeeper !== null) registerCacheKeeper(metrics, cacheKeeper);
    health.show({ metrics, readiness: view.readiness, progress: view.progressChecks });
    const { nextPosition } = await databaseThere(() => store.progress(), { logger, signal: shutdown.signal });
    view.onIngested(nextPosition - 1n);
    doing = { step: 'working', subject: subjectId };
    logger.info('following', {
      subject: subjectId,
      ...(chain === null ? {} : { followed: chain.followed }),
      [position.field('next')]: nextPosition,
      [position.field('end')]: config.endPosition,
      healthPort: health.port,
    });

    const progress = showProgress({
      config,
      words: position,
      nearHeadPositions: program.nearHeadPositions,
      view,
      stats,
      startPosition: opened.startPosition,
      logger,
    });
    shutdown.onClose('progress', () => progress.stop());

    const started = performance.now();
    const working = runWorker(
      {
        config,
        seqNos,
        pool: database.pool,
        subject: chain?.subject ?? null,
        store,
        leases,
        holder,
        passes:
          chain === null || chain.secondReadings === null
            ? null
            : createWorkerPasses({
                readings: chain.secondReadings,
                followed: chain.followed,
                words: position,
                seqNos,
                nearHeadPositions: program.nearHeadPositions,
                pool: database.pool,
                subject: opened.subject,
                store,
                observer,
                stats,
                passStats,
                logger,
                heights: () => view,
              }),
        observer,
        stream,
        stats,
        logger,
        watch: view,
      },
      shutdown.signal,
    );
    // A shutdown waits for the range or run that is on its way.
    shutdown.onClose('worker', () => working.then(ignore, ignore));
    const end = await working;
    if (end === 'end-position') {
      const reason = `${position.endSetting} is executed`;
      logger.info(reason, {
        [position.field('end')]: config.endPosition,
        ...summary(stats, (performance.now() - started) / 1000, chain),
      });
      await shutdown.stop(reason);
    }
  } catch (error) {
    if (shutdown.signal.aborted) return;
    const code = error instanceof WorkerError ? error.code : undefined;
    logger.error(`stopped: ${messageOf(error)}`, { code, error });
    await shutdown.stop('stopped by an error', code === 'CONFIG' ? EXIT_CONFIG : EXIT_STOPPED);
  }
}

function summary(stats: Readonly<PipelineStats>, seconds: number, chain: OpenedChain | null) {
  return {
    events: stats.executedEvents,
    sourceRecords: stats.sourceRecords,
    parkedAggregates: stats.parkedAggregates,
    ...chain?.summary(),
    seconds: rounded(seconds),
    foldSeconds: rounded(stats.foldSeconds),
    databaseSeconds: rounded(stats.databaseSeconds),
    sourceSeconds: rounded(stats.sourceSeconds),
    eventsPerSecond: Math.round(stats.executedEvents / seconds),
  };
}

const ignore = (): void => undefined;
const rounded = (seconds: number): number => Number(seconds.toFixed(2));
