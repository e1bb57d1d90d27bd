import type { AptosSubject } from '@imart/chain-aptos';
import type { Metrics } from '@imart/runtime';

/** Registers what an operator must know of the ledger's endpoints and transactions. Everything is read when somebody asks. */
export function registerChainMetrics(metrics: Metrics, subject: Pick<AptosSubject, 'stats'>): void {
  const read = () => subject.stats();
  const count = (name: string, help: string, value: () => number): void => {
    metrics.counter(name, help, [], (counter) => counter.add(value()));
  };
  count('transactions_total', 'Transactions that were read.', () => read().transactions);
  metrics.counter(
    'skipped_transactions_total',
    'Transactions that were read, and whose events were not used.',
    ['reason'],
    (counter) => counter.add(read().failedTransactions, { reason: 'failed' }),
  );
  count(
    'undecodable_events_total',
    'Events that nobody understands, kept as they came.',
    () => read().undecodableEvents,
  );
  metrics.counter(
    'unknown_events_total',
    'Events of followed packages that no marketplace knows; nothing is made of them.',
    ['type'],
    (counter) => {
      for (const [type, seen] of read().unknownEvents) counter.add(seen, { type });
    },
  );
  // The names that every chain has; a ledger is not read a second time.
  metrics.counter('rpc_requests_total', 'HTTP requests, or streams.', ['endpoint', 'use'], (counter) => {
    for (const { endpoint, requests } of read().endpoints) counter.add(requests, { endpoint, use: 'live' });
  });
  metrics.counter('rpc_errors_total', 'Requests that failed.', ['endpoint', 'use', 'code'], (counter) => {
    for (const { endpoint, errors } of read().endpoints)
      for (const [code, failed] of Object.entries(errors))
        counter.add(failed, { endpoint, use: 'live', code });
  });
  metrics.counter('rpc_received_bytes_total', 'Bytes of answers, decompressed.', ['endpoint'], (counter) => {
    for (const { endpoint, receivedBytes } of read().endpoints) counter.add(receivedBytes, { endpoint });
  });
  metrics.gauge('rpc_in_flight', 'Requests without an answer yet, now.', ['endpoint'], (gauge) => {
    for (const { endpoint, inFlight } of read().endpoints) gauge.set(inFlight, { endpoint });
  });
  metrics.gauge('events_ahead', 'Events read from the chain and not executed yet.', [], (gauge) =>
    gauge.set(read().eventsAhead),
  );
}
