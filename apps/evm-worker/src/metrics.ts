import type { EvmSubject } from '@imart/chain-evm';
import { evmSeqNo } from '@imart/core';
import type { PipelineStats, SubjectStore } from '@imart/pipeline';
import type { Metrics } from '@imart/runtime';
import type { WakeUpStream } from '@imart/stream';

export interface WorkerMetricsOptions {
  readonly metrics: Metrics;
  readonly stats: Readonly<PipelineStats>;
  readonly store: Pick<SubjectStore, 'parked' | 'progress'>;
  readonly subject: Pick<EvmSubject, 'stats'>;
  readonly stream?: Pick<WakeUpStream, 'stats'>;
  /** The head as the source last told it; `null` before. */
  readonly head: () => bigint | null;
}

/** Registers what an operator must know. Everything is read when somebody asks. */
export function registerWorkerMetrics(options: WorkerMetricsOptions): void {
  registerEngine(options);
  registerChain(options);
  if (options.stream !== undefined) registerStream(options.metrics, options.stream);
  registerPlaces(options);
}

type CountOne = (name: string, help: string, read: () => number) => void;

const counting =
  (metrics: Metrics): CountOne =>
  (name, help, read) => {
    metrics.counter(name, help, [], (counter) => counter.add(read()));
  };

function registerEngine({ metrics, stats }: WorkerMetricsOptions): void {
  const count = counting(metrics);
  count('ingested_events_total', 'Events added to the log by this process.', () => stats.ingestedEvents);
  count('executed_events_total', 'Events executed by this process.', () => stats.executedEvents);
  count('source_records_total', 'Logs read from the chain by this process.', () => stats.sourceRecords);
  count('appends_total', 'Ranges added to the log by this process.', () => stats.appends);
  count('runs_total', 'Runs of events committed by this process.', () => stats.runs);
  count('retries_total', 'Transactions that had to be tried again.', () => stats.retries);
  count('swept_wake_ups_total', 'Wake-ups that the sweeper had to send.', () => stats.sweptWakeUps);
  count('fold_seconds_total', 'Seconds spent folding and encoding runs.', () => stats.foldSeconds);
  count(
    'database_seconds_total',
    'Seconds that catching up waited for commits.',
    () => stats.databaseSeconds,
  );
  count('source_seconds_total', 'Seconds that ingest waited for the chain.', () => stats.sourceSeconds);
}

function registerChain({ metrics, subject }: WorkerMetricsOptions): void {
  const read = () => subject.stats();
  const count = counting(metrics);
  count(
    'undecodable_logs_total',
    'Logs that nobody understands, kept as they came.',
    () => read().undecodableLogs,
  );
  count(
    'reread_ranges_total',
    'Ranges whose answer did not fit what was read before.',
    () => read().rereadRanges,
  );
  count(
    'bloom_alarms_total',
    'Blocks that were asked for again because of their bloom, for nothing.',
    () => read().bloomAlarms,
  );
  metrics.counter('skipped_logs_total', 'Logs that were received and not applied.', ['reason'], (counter) => {
    for (const [reason, logs] of Object.entries(read().skippedLogs)) counter.add(logs, { reason });
  });
  metrics.counter('rpc_requests_total', 'HTTP requests; a batch is one.', ['endpoint'], (counter) => {
    for (const { endpoint, requests } of read().endpoints) counter.add(requests, { endpoint });
  });
  metrics.counter('rpc_errors_total', 'Requests that failed.', ['endpoint', 'code'], (counter) => {
    for (const { endpoint, errors } of read().endpoints)
      for (const [code, failed] of Object.entries(errors)) counter.add(failed, { endpoint, code });
  });
  metrics.gauge('events_ahead', 'Events read from the chain and not executed yet.', [], (gauge) =>
    gauge.set(read().eventsAhead),
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

function registerPlaces({ metrics, store, head }: WorkerMetricsOptions): void {
  metrics.gauge('head_block', 'Newest block that the provider told of.', [], (gauge) =>
    gauge.set(head() ?? -1n),
  );
  metrics.gauge('parked_aggregates', 'Aggregates that are set aside.', [], async (gauge) => {
    gauge.set((await store.parked()).length);
  });
  metrics.gauge('ingested_block', 'Last block whose events are all in the log.', [], async (gauge) => {
    gauge.set((await store.progress()).nextPosition - 1n);
  });
  metrics.gauge('executed_block', 'Last block whose events are all executed.', [], async (gauge) => {
    const { executed } = await store.progress();
    gauge.set(executed < 0n ? -1n : evmSeqNo.decode(executed).position);
  });
}
