import { followedOn, followedText, openChain, type EvmSubject } from '@imart/chain-evm';
import { ConfigError, messageOf, WorkerError, type SubjectId } from '@imart/core';
import { createPipelineStats, type PipelineStats } from '@imart/pipeline';
import {
  createLogger,
  createMetrics,
  createShutdown,
  type LoadedConfig,
  type Logger,
  type Shutdown,
} from '@imart/runtime';
import { readSubjectReadings } from '@imart/storage';
import { awaitSubject } from './awaitSubject';
import {
  environmentWith,
  loadEvmWorkerConfig,
  readsChain,
  type EvmWorkerConfig,
  type ReadingConfig,
} from './config';
import { holderName, openDatabase, type Database } from './database';
import { databaseThere } from './databaseThere';
import { openHealthPages, type HealthPages } from './healthPages';
import { registerTransactions, registerWorkerMetrics } from './metrics';
import { openJobs } from './openJobs';
import { openSubjectStore, type OpenedStore } from './openSubjectStore';
import { ensureStates } from './ensureStates';
import { createWorkerPasses, type WorkerPassesOptions } from './passes';
import { readArguments, USAGE } from './readArguments';
import { reportProgress } from './reportProgress';
import { createSecondReadings } from './secondReadings';
import { runWorker } from './worker';
import { createWorkerView, type WorkerView } from './workerView';

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
    fields: { app: 'evm-worker', ...(config.role === 'all' ? {} : { role: config.role }) },
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

    const holder = holderName();
    const health = await openHealthPages(config, logger, shutdown);
    const database = await openDatabase(config, holder, logger, shutdown);
    health.check('database', async () => ({ ok: (await database.pool.query('SELECT 1')).rowCount === 1 }));
    const rebuilding = ensureStates(database.pool, logger, shutdown.signal);
    // What it has begun is put away before the connections close.
    shutdown.onClose('states', () => rebuilding.then(ignore, ignore));
    await rebuilding;
    const chain = await openRole(config, database, health, logger, shutdown);
    if (chain === null) return;
    const { subject, subjectId, opened, followed, reading } = chain;
    const { store, leases, observer } = opened;
    const stream = await openJobs(config, database.url, subjectId, logger, shutdown.signal);
    if (stream === null) return;
    shutdown.onClose('wake-ups', () => stream.close());
    // A backend that goes away later makes nothing stand still: the sweeper drives the lanes.
    health.check('jobs', () => ({ ok: true }));

    const stats = createPipelineStats();
    const metrics = createMetrics({ labels: { subject: subjectId } });
    const secondReadings = createSecondReadings();
    const view = createWorkerView({ config, logger, onTransaction: registerTransactions(metrics) });
    registerWorkerMetrics({
      metrics,
      config,
      stats,
      view,
      subject,
      secondReadings,
      stream,
      lanes: store.lanes,
      read: () => readSubjectReadings(database.pool, opened.subject, observer.name),
      now: () => performance.now(),
    });
    health.show({ metrics, readiness: view.readiness, progress: view.progressChecks });
    const { nextPosition } = await databaseThere(() => store.progress(), { logger, signal: shutdown.signal });
    view.onIngested(nextPosition - 1n);
    doing = { step: 'working', subject: subjectId };
    logger.info('following', {
      subject: subjectId,
      ...(followed === null ? {} : { followed }),
      nextBlock: nextPosition,
      endBlock: config.endBlock,
      healthPort: health.port,
    });

    const progress = showProgress(config, view, stats, opened.startBlock, logger);
    shutdown.onClose('progress', () => progress.stop());

    const started = performance.now();
    const working = runWorker(
      {
        config,
        pool: database.pool,
        subject,
        store,
        leases,
        holder,
        passes:
          reading === null
            ? null
            : createWorkerPasses({
                ...reading,
                pool: database.pool,
                subject: opened.subject,
                store,
                observer,
                stats,
                secondReadings,
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
    if (end === 'end-block') {
      logger.info('END_BLOCK is executed', {
        endBlock: config.endBlock,
        ...summary(stats, (performance.now() - started) / 1000, subject),
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

/** A chain and its part of the database, as the role needs them. */
interface OpenedRole {
  /** `null` in a process that only executes. */
  readonly subject: EvmSubject | null;
  readonly subjectId: SubjectId;
  readonly opened: OpenedStore;
  /** `null` in a process that only executes. */
  readonly followed: string | null;
  /** What reading ranges again takes; `null` in a process that only executes. */
  readonly reading: Pick<WorkerPassesOptions, 'config' | 'chain' | 'following' | 'followed'> | null;
}

/** @returns `null` when the shutdown began before it was done. */
async function openRole(
  config: EvmWorkerConfig,
  database: Database,
  health: HealthPages,
  logger: Logger,
  shutdown: Shutdown,
): Promise<OpenedRole | null> {
  if (readsChain(config)) return openReader(config, database, health, logger, shutdown);
  const found = await awaitSubject(config, database.pool, logger, shutdown.signal);
  if (found === null) return null;
  health.check('chain', () => ({ ok: true }));
  return { ...found, subject: null, followed: null, reading: null };
}

async function openReader(
  config: ReadingConfig,
  { pool }: Database,
  health: HealthPages,
  logger: Logger,
  shutdown: Shutdown,
): Promise<OpenedRole> {
  const chain = await openChain(config, logger, shutdown.signal);
  shutdown.onClose('RPC connections', () => chain.close());
  const following = await followedOn(chain.chainId, config.markets, config.collections);
  const subject = chain.createSubject(following);
  const followed = followedText(following);
  const opened = await openSubjectStore({
    config,
    pool,
    subject,
    followed,
    logger,
    signal: shutdown.signal,
  });
  health.check('chain', () => chain.health());
  const reading = { config, chain, following, followed };
  return { subject, subjectId: subject.id, opened, followed, reading };
}

/** Far enough below the head for a process without lanes to count as catching up, in blocks. */
const CATCHING_UP_BLOCKS = 32n;

function showProgress(
  config: EvmWorkerConfig,
  view: WorkerView,
  stats: Readonly<PipelineStats>,
  startBlock: bigint,
  logger: Logger,
): { stop(): void } {
  const isFar = (): boolean => {
    const { head, ingestedBlock } = view;
    return head !== null && ingestedBlock !== null && head.position - ingestedBlock > CATCHING_UP_BLOCKS;
  };
  return reportProgress({
    sample: () => ({
      atMs: performance.now(),
      startBlock,
      block: view.ingestedBlock ?? startBlock - 1n,
      targetBlock: config.endBlock ?? view.head?.position ?? null,
      events: config.role === 'ingest' ? stats.ingestedEvents : stats.executedEvents,
    }),
    logger,
    output: process.stdout,
    catchingUp: () => (config.role === 'ingest' ? isFar() : view.catchingUp),
  });
}

function summary(stats: Readonly<PipelineStats>, seconds: number, subject: EvmSubject | null) {
  return {
    events: stats.executedEvents,
    sourceRecords: stats.sourceRecords,
    parkedAggregates: stats.parkedAggregates,
    ...(subject === null
      ? {}
      : {
          skippedLogs: subject.stats().skippedLogs,
          undecodableLogs: subject.stats().undecodableLogs,
        }),
    seconds: rounded(seconds),
    foldSeconds: rounded(stats.foldSeconds),
    databaseSeconds: rounded(stats.databaseSeconds),
    sourceSeconds: rounded(stats.sourceSeconds),
    eventsPerSecond: Math.round(stats.executedEvents / seconds),
  };
}

const ignore = (): void => undefined;
const rounded = (seconds: number): number => Number(seconds.toFixed(2));

async function start(): Promise<void> {
  const args = readArguments(process.argv.slice(2));
  if (args.kind === 'help') process.stdout.write(USAGE);
  else await main(await loadEvmWorkerConfig(environmentWith(args.settings)));
}

start().catch((error: unknown) => {
  process.stderr.write(`evm-worker: ${messageOf(error)}\n`);
  process.exitCode = error instanceof ConfigError ? EXIT_CONFIG : EXIT_STOPPED;
});
