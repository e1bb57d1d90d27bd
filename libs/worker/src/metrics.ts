import type { PassStats, PipelineStats } from '@imart/pipeline';
import type { Metrics } from '@imart/runtime';
import type { WakeUpStream } from '@imart/stream';
import type { ChainWords } from './program';
import type { WorkerConfig } from './settings';
import { registerSubjectMetrics, type SubjectMetricsOptions } from './subjectMetrics';
import type { WorkerView } from './workerView';

export interface WorkerMetricsOptions extends SubjectMetricsOptions {
  readonly config: Pick<WorkerConfig, 'role' | 'parkedAggregatesMax'>;
  readonly words: ChainWords;
  readonly stats: Readonly<PipelineStats>;
  /** Registers those of the source; `null` in a process that does not read it. */
  readonly registerChain: ((metrics: Metrics) => void) | null;
  /** Of second readings; `null` in a process that makes none. */
  readonly passStats: Readonly<PassStats> | null;
  readonly stream: Pick<WakeUpStream, 'stats' | 'counts'>;
}

/** Registers what an operator must know. Everything is read when somebody asks. */
export function registerWorkerMetrics(options: WorkerMetricsOptions): void {
  registerEngine(options);
  options.registerChain?.(options.metrics);
  if (options.passStats !== null) registerPasses(options, options.passStats);
  registerStream(options.metrics, options.stream);
  registerProcess(options);
  registerSubjectMetrics(options);
}

const capital = (word: string): string => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

type CountOne = (name: string, help: string, read: () => number) => void;

const counting =
  (metrics: Metrics): CountOne =>
  (name, help, read) => {
    metrics.counter(name, help, [], (counter) => counter.add(read()));
  };

function registerEngine({ metrics, stats, words }: WorkerMetricsOptions): void {
  const { many } = words.position;
  const count = counting(metrics);
  count('ingested_events_total', 'Events added to the log by this process.', () => stats.ingestedEvents);
  count('executed_events_total', 'Events executed by this process.', () => stats.executedEvents);
  count(
    'source_records_total',
    `${capital(words.records)} read from the chain by this process.`,
    () => stats.sourceRecords,
  );
  count('appends_total', 'Ranges added to the log by this process.', () => stats.appends);
  count('runs_total', 'Runs of events committed by this process.', () => stats.runs);
  count('retries_total', 'Transactions that had to be tried again.', () => stats.retries);
  count('swept_wake_ups_total', 'Lanes that the sweeper had to wake.', () => stats.sweptWakeUps);
  count('fold_seconds_total', 'Seconds spent folding and encoding runs.', () => stats.foldSeconds);
  count(
    'database_seconds_total',
    'Seconds that catching up waited for commits.',
    () => stats.databaseSeconds,
  );
  count('source_seconds_total', 'Seconds that ingest waited for the chain.', () => stats.sourceSeconds);
  count('reorgs_total', `Times that the chain took ${many} back.`, () => stats.reorgs);
  count('reorg_blocks_total', `${capital(many)} that the chain took back, in all.`, () => stats.reorgBlocks);
  metrics.gauge('reorg_depth_max_blocks', `Most ${many} that were taken back at once.`, [], (gauge) =>
    gauge.set(stats.reorgDepthMax),
  );
  count(
    'retracted_events_total',
    'Events taken out of the log, by reorgs and late changes.',
    () => stats.retractedEvents,
  );
  count('late_changes_total', 'Changes of the log that a second reading made.', () => stats.lateChanges);
}

function registerPasses(
  { metrics, words }: Pick<WorkerMetricsOptions, 'metrics' | 'words'>,
  stats: Readonly<PassStats>,
): void {
  const count = counting(metrics);
  const { many } = words.position;
  count('second_reading_blocks_total', `${capital(many)} read again by this process.`, () => stats.positions);
  count(
    'second_reading_whole_blocks_total',
    `Of these, ${many} read by the receipts of their transactions.`,
    () => stats.wholeBlocks,
  );
  count(
    'second_reading_failures_total',
    'Second readings that came to nothing, and are tried again.',
    () => stats.failures,
  );
  metrics.gauge(
    'second_reading_blocked',
    '1 while the second reading that is on cannot go on; the log says why.',
    [],
    (gauge) => gauge.set(stats.blocked === null ? 0 : 1),
  );
}

function registerStream(metrics: Metrics, { stats }: Pick<WakeUpStream, 'stats'>): void {
  const count = counting(metrics);
  count('wake_ups_sent_total', 'Wake-ups given to the queue, duplicates included.', () => stats.sent);
  count('wake_up_send_errors_total', 'Wake-ups that the queue did not take.', () => stats.sendErrors);
  count('wake_ups_handled_total', 'Wake-ups that a lane has handled.', () => stats.handled);
  count('wake_ups_failed_total', 'Wake-ups whose handling failed.', () => stats.failed);
  count('wake_ups_stalled_total', 'Wake-ups taken over from a worker that was gone.', () => stats.stalled);
  count('wake_up_backend_errors_total', 'Errors of the queue itself.', () => stats.backendErrors);
}

function registerProcess({ metrics, config, view, stats, words }: WorkerMetricsOptions): void {
  const isSo = (name: string, help: string, read: (view: WorkerView) => boolean): void => {
    metrics.gauge(name, help, [], (gauge) => gauge.set(read(view) ? 1 : 0));
  };
  metrics.gauge('worker_info', '1, with the role of this process.', ['role'], (gauge) =>
    gauge.set(1, { role: config.role }),
  );
  isSo(
    'lease_held',
    '1 while this process reads the chain into the log.',
    ({ lease }) => lease.kind === 'held',
  );
  isSo('standby', '1 while another process does.', ({ lease }) => lease.kind === 'standby');
  metrics.gauge('lease_fencing', 'Number of the lease that this process holds, else 0.', [], (gauge) =>
    gauge.set(view.lease.kind === 'held' ? view.lease.fencing : 0),
  );
  metrics.counter(
    'session_restarts_total',
    'Readings of the chain that ended and began anew, by what ended them.',
    ['code'],
    (counter) => {
      counter.add(stats.sessionRestarts, { code: 'EPOCH_MOVED' });
      for (const [code, times] of view.restarts) counter.add(times, { code });
    },
  );
  isSo('halted', '1 while the chain stands still until an operator mends it.', ({ progress }) =>
    Boolean(progress?.halt),
  );
  metrics.gauge('progress_stalled', '1: it does not move though it should.', ['what'], (gauge) => {
    const { ingested, executed, head } = view.moves;
    for (const [what, check] of Object.entries({ ingested, executed, head }))
      gauge.set(check().ok ? 0 : 1, { what });
  });
  metrics.gauge(
    'clock_skew_seconds',
    `The host's clock minus the time of the last new ${words.position.one}; 0 before the first.`,
    [],
    (gauge) => gauge.set(view.skew.seconds ?? 0),
  );
  isSo('clock_skewed', '1 while that is beyond CLOCK_SKEW_MAX_MS.', ({ skew }) => skew.isTooLarge);
  metrics.gauge('parked_aggregates_max', 'More parked aggregates than this halt the chain.', [], (gauge) =>
    gauge.set(config.parkedAggregatesMax),
  );
}

const TRANSACTION_BOUNDS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Tells how long transactions take, by what they are for. */
export function registerTransactions(metrics: Metrics): (part: string, seconds: number) => void {
  const seconds = metrics.histogram(
    'transaction_seconds',
    'From the beginning of a database transaction to the end of its commit; of lanes with the folding inside.',
    TRANSACTION_BOUNDS_SECONDS,
    ['part'],
  );
  return (part, taken) => seconds.observe(taken, { part });
}
