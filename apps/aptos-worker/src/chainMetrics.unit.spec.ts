import { createMetrics } from '@imart/runtime';
import { registerChainMetrics } from './chainMetrics';

function setUp() {
  const endpoint = {
    endpoint: 'aptos#1 (host)',
    requests: 12,
    receivedBytes: 9_000,
    errors: { RPC_TIMEOUT: 2 } as Record<string, number>,
    inFlight: 3,
  };
  const metrics = createMetrics({ labels: { subject: 'aptos:1' }, processMetrics: false });
  const stats = {
    endpoints: [endpoint],
    transactions: 700,
    sourceEvents: 2_000,
    failedTransactions: 40,
    undecodableEvents: 5,
    unknownEvents: new Map([['0x1::offer::Offered', 3]]),
    eventsAhead: 55,
  };
  registerChainMetrics(metrics, { stats: () => stats });
  return { endpoint, metrics };
}

describe('metrics of an Aptos ledger', () => {
  it('are counters when their name ends in _total, and gauges otherwise', async () => {
    const types = [...(await setUp().metrics.render()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    expect(types.length).toBeGreaterThan(5);
    for (const [, name = '', type = ''] of types) {
      expect([name, type]).toEqual([name, name.endsWith('_total') ? 'counter' : 'gauge']);
    }
  });

  it('tell of each endpoint what it was asked and how it failed, as it is now, under the names of every chain', async () => {
    const { endpoint, metrics } = setUp();
    await metrics.render();
    endpoint.requests = 13;
    const text = await metrics.render();
    for (const line of [
      'rpc_requests_total{endpoint="aptos#1 (host)",use="live",subject="aptos:1"} 13',
      'rpc_errors_total{endpoint="aptos#1 (host)",use="live",code="RPC_TIMEOUT",subject="aptos:1"} 2',
      'rpc_received_bytes_total{endpoint="aptos#1 (host)",subject="aptos:1"} 9000',
      'rpc_in_flight{endpoint="aptos#1 (host)",subject="aptos:1"} 3',
    ])
      expect(text).toContain(`imart_${line}\n`);
  });

  it('tell what was read, not used, not understood, and not executed yet', async () => {
    const text = await setUp().metrics.render();
    for (const line of [
      'transactions_total{subject="aptos:1"} 700',
      'skipped_transactions_total{reason="failed",subject="aptos:1"} 40',
      'undecodable_events_total{subject="aptos:1"} 5',
      'unknown_events_total{type="0x1::offer::Offered",subject="aptos:1"} 3',
      'events_ahead{subject="aptos:1"} 55',
    ])
      expect(text).toContain(`imart_${line}\n`);
  });
});
