import { evmSeqNo } from '@imart/core';
import { createPipelineStats } from '@imart/pipeline';
import { createMetrics } from '@imart/runtime';
import { registerWorkerMetrics } from './metrics';

describe('metrics of the EVM worker', () => {
  const stats = createPipelineStats();
  const endpoint = {
    endpoint: 'rpc#1 (host)',
    requests: 12,
    calls: 30,
    receivedChars: 1_000,
    errors: { RPC_TIMEOUT: 2 } as Record<string, number>,
    inFlight: 0,
  };
  const streamStats = { sent: 7, sendErrors: 1, handled: 6, failed: 2, stalled: 1, backendErrors: 3 };
  const metrics = createMetrics({ labels: { subject: 'eip155:1' }, processMetrics: false });
  registerWorkerMetrics({
    metrics,
    stats,
    store: {
      parked: () => Promise.resolve([]),
      progress: () =>
        Promise.resolve({
          epoch: 0n,
          ingested: evmSeqNo.encode(100n, 0, 0),
          nextPosition: 101n,
          lanes: [evmSeqNo.encode(99n, 3, 0)],
          executed: evmSeqNo.encode(99n, 3, 0),
          lastFeedNo: 1n,
          finalized: evmSeqNo.encode(90n, 0, 0),
          chainTimeUs: null,
        }),
    },
    subject: {
      stats: () => ({
        endpoints: [endpoint],
        skippedLogs: { foreign: 4 },
        undecodableLogs: 1,
        rereadRanges: 2,
        bloomAlarms: 3,
        eventsAhead: 55,
      }),
    },
    stream: { stats: streamStats },
    head: () => 105n,
  });
  const valueOf = (text: string, name: string): string | undefined =>
    text
      .split('\n')
      .find((line) => line.startsWith(`imart_${name}{`))
      ?.replace(/^.* /, '');

  it('are counters when their name ends in _total, and gauges otherwise', async () => {
    const types = [...(await metrics.render()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    expect(types.length).toBeGreaterThan(20);
    for (const [, name = '', type] of types)
      expect([name, type]).toEqual([name, name.endsWith('_total') ? 'counter' : 'gauge']);
  });

  it('tell the counts as they are now, however often they are read, two readings at a time too', async () => {
    stats.executedEvents = 40;
    await Promise.all([metrics.render(), metrics.render()]);
    stats.executedEvents = 50;
    endpoint.requests = 13;
    const [text = '', again] = await Promise.all([metrics.render(), metrics.render()]);
    expect(again).toBe(text);
    expect(valueOf(text, 'executed_events_total')).toBe('50');
    expect(text).toContain('imart_rpc_requests_total{endpoint="rpc#1 (host)",subject="eip155:1"} 13\n');
    expect(text).toContain(
      'imart_rpc_errors_total{endpoint="rpc#1 (host)",code="RPC_TIMEOUT",subject="eip155:1"} 2\n',
    );
    expect(text).toContain('imart_skipped_logs_total{reason="foreign",subject="eip155:1"} 4\n');
  });

  it('tell the places, what was read ahead, and the wake-ups', async () => {
    const text = await metrics.render();
    const names = ['head_block', 'ingested_block', 'executed_block', 'events_ahead', 'ingested_events_total'];
    expect(names.map((name) => valueOf(text, name))).toEqual(['105', '100', '99', '55', '0']);
    const wakeUps = [
      'ups_sent',
      'up_send_errors',
      'ups_handled',
      'ups_failed',
      'ups_stalled',
      'up_backend_errors',
    ];
    expect(wakeUps.map((name) => valueOf(text, `wake_${name}_total`))).toEqual([
      '7',
      '1',
      '6',
      '2',
      '1',
      '3',
    ]);
  });
});
