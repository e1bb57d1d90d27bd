import type { EvmSubject } from '@imart/chain-evm';
import { evmSeqNo } from '@imart/core';
import type { PipelineStats, SubjectStore } from '@imart/pipeline';
import type { Metrics } from '@imart/runtime';

export interface WorkerMetricsOptions {
  readonly metrics: Metrics;
  readonly stats: PipelineStats;
  readonly store: SubjectStore;
  readonly subject: Pick<EvmSubject, 'stats'>;
  /** The head as the source last told it; `null` before. */
  readonly head: () => bigint | null;
}

/** Registers what an operator must know. Counters are read from the engine's stats when somebody asks. */
export function registerWorkerMetrics({ metrics, stats, store, subject, head }: WorkerMetricsOptions): void {
  const fromStats = (name: string, help: string, read: () => number): void => {
    metrics.gauge(name, help, [], (gauge) => gauge.set(read()));
  };
  fromStats('ingested_events_total', 'Events added to the log by this process.', () => stats.ingestedEvents);
  fromStats('executed_events_total', 'Events executed by this process.', () => stats.executedEvents);
  fromStats('source_records_total', 'Logs read from the chain by this process.', () => stats.sourceRecords);
  fromStats('appends_total', 'Ranges added to the log by this process.', () => stats.appends);
  fromStats('runs_total', 'Runs of events committed by this process.', () => stats.runs);
  fromStats('retries_total', 'Transactions that had to be tried again.', () => stats.retries);
  fromStats('swept_wake_ups_total', 'Wake-ups that the sweeper had to send.', () => stats.sweptWakeUps);
  fromStats('fold_seconds_total', 'Seconds spent folding and encoding runs.', () => stats.foldSeconds);
  fromStats(
    'database_seconds_total',
    'Seconds that catching up waited for commits.',
    () => stats.databaseSeconds,
  );
  fromStats('source_seconds_total', 'Seconds that ingest waited for the chain.', () => stats.sourceSeconds);
  const read = () => subject.stats();
  fromStats(
    'undecodable_logs_total',
    'Logs that nobody understands, kept as they came.',
    () => read().undecodableLogs,
  );
  fromStats(
    'reread_ranges_total',
    'Ranges whose answer did not fit what was read before.',
    () => read().rereadRanges,
  );
  fromStats(
    'bloom_alarms_total',
    'Blocks that were asked for again because of their bloom, for nothing.',
    () => read().bloomAlarms,
  );
  metrics.gauge('skipped_logs_total', 'Logs that were received and not applied.', ['reason'], (gauge) => {
    for (const [reason, count] of Object.entries(read().skippedLogs)) gauge.set(count, { reason });
  });
  metrics.gauge('rpc_errors_total', 'Requests that failed.', ['endpoint', 'code'], (gauge) => {
    for (const { endpoint, errors } of read().endpoints)
      for (const [code, count] of Object.entries(errors)) gauge.set(count, { endpoint, code });
  });
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
