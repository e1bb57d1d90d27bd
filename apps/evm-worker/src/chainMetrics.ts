import type { EvmSubject } from '@imart/chain-evm';
import type { Metrics } from '@imart/runtime';
import type { ReaderCounts } from './readerCounts';

/** Registers what an operator must know of the chain's endpoints and logs. Everything is read when somebody asks. */
export function registerChainMetrics(
  metrics: Metrics,
  subject: Pick<EvmSubject, 'stats'>,
  secondReaders: Pick<ReaderCounts, 'endpoints'>,
): void {
  const read = () => subject.stats();
  const count = (name: string, help: string, value: () => number): void => {
    metrics.counter(name, help, [], (counter) => counter.add(value()));
  };
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
  count(
    'false_reorg_alarms_total',
    'Looks at the blocks read last that a contradiction called for, and that found nothing to take back.',
    () => read().falseReorgAlarms,
  );
  count(
    'provider_disagreements_total',
    'Times that endpoints began to follow different branches for longer than a moment.',
    () => read().providerDisagreements,
  );
  metrics.gauge('endpoints_disagreeing', 'Endpoints that follow another branch, now.', [], (gauge) =>
    gauge.set(read().endpointsDisagreeing),
  );
  metrics.gauge('endpoints_lagging', 'Endpoints that stand still while others go on, now.', [], (gauge) =>
    gauge.set(read().endpointsLagging),
  );
  count(
    'refused_finality_total',
    'Answers about the finalized block that cannot be true.',
    () => read().refusedFinality,
  );
  metrics.counter('skipped_logs_total', 'Logs that were received and not applied.', ['reason'], (counter) => {
    for (const [reason, logs] of Object.entries(read().skippedLogs)) counter.add(logs, { reason });
  });
  const byUse = () =>
    [
      ['live', read().endpoints],
      ['second-reading', secondReaders.endpoints()],
    ] as const;
  metrics.counter('rpc_requests_total', 'HTTP requests; a batch is one.', ['endpoint', 'use'], (counter) => {
    for (const [use, endpoints] of byUse())
      for (const { endpoint, requests } of endpoints) counter.add(requests, { endpoint, use });
  });
  metrics.counter('rpc_errors_total', 'Requests that failed.', ['endpoint', 'use', 'code'], (counter) => {
    for (const [use, endpoints] of byUse())
      for (const { endpoint, errors } of endpoints)
        for (const [code, failed] of Object.entries(errors)) counter.add(failed, { endpoint, use, code });
  });
  metrics.gauge('events_ahead', 'Events read from the chain and not executed yet.', [], (gauge) =>
    gauge.set(read().eventsAhead),
  );
}
