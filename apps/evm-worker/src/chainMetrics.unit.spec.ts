import { createMetrics } from '@imart/runtime';
import { registerChainMetrics } from './chainMetrics';
import { createReaderCounts } from './readerCounts';

function setUp() {
  const endpoint = {
    endpoint: 'rpc#1 (host)',
    requests: 12,
    calls: 30,
    receivedChars: 1_000,
    errors: { RPC_TIMEOUT: 2 } as Record<string, number>,
    inFlight: 0,
  };
  const metrics = createMetrics({ labels: { subject: 'eip155:1' }, processMetrics: false });
  const secondReaders = createReaderCounts();
  const subject = {
    stats: () => ({
      endpoints: [endpoint],
      skippedLogs: { foreign: 4 },
      undecodableLogs: 1,
      rereadRanges: 2,
      bloomAlarms: 3,
      reorgs: 0,
      reorgBlocks: 0,
      deepestReorgBlocks: 0,
      falseReorgAlarms: 6,
      providerDisagreements: 5,
      endpointsDisagreeing: 2,
      endpointsLagging: 1,
      refusedFinality: 8,
      eventsAhead: 55,
    }),
  };
  registerChainMetrics(metrics, subject, secondReaders);
  const values = async (...names: string[]): Promise<(string | undefined)[]> => {
    const lines = (await metrics.render()).split('\n');
    return names.map((name) => {
      const [metric = '', label = ''] = name.split('|');
      return lines
        .find((line) => line.startsWith(`imart_${metric}{`) && line.includes(label))
        ?.replace(/^.* /, '');
    });
  };
  return { endpoint, metrics, secondReaders, values };
}

describe('metrics of an EVM chain', () => {
  it('are counters when their name ends in _total, and gauges otherwise', async () => {
    const types = [...(await setUp().metrics.render()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    expect(types.length).toBeGreaterThan(5);
    for (const [, name = '', type = ''] of types) {
      expect([name, type]).toEqual([name, name.endsWith('_total') ? 'counter' : 'gauge']);
    }
  });

  it('tell of each endpoint what it was asked and how it failed, as it is now', async () => {
    const { endpoint, metrics } = setUp();
    await metrics.render();
    endpoint.requests = 13;
    const text = await metrics.render();
    expect(text).toContain(
      'imart_rpc_requests_total{endpoint="rpc#1 (host)",use="live",subject="eip155:1"} 13\n',
    );
    expect(text).toContain(
      'imart_rpc_errors_total{endpoint="rpc#1 (host)",use="live",code="RPC_TIMEOUT",subject="eip155:1"} 2\n',
    );
  });

  it('tell what second readings ask of the endpoints, apart from the live stream', async () => {
    const { endpoint, secondReaders, values } = setUp();
    const second = ['rpc_requests_total|use="second-reading"', 'rpc_errors_total|use="second-reading"'];
    expect(await values(...second)).toEqual([undefined, undefined]);
    const asked = { ...endpoint, requests: 700, errors: { RPC_RATE_LIMITED: 9 } };
    secondReaders.reading({
      stats: () => ({ endpoints: [asked], skippedLogs: {} }),
      close: () => undefined,
    });
    expect(await values(...second)).toEqual(['700', '9']);
    expect(await values('rpc_errors_total|use="live",code="RPC_TIMEOUT"')).toEqual(['2']);
  });

  it('tell what was read and not applied, read again, and not executed yet', async () => {
    const { metrics, values } = setUp();
    expect(await metrics.render()).toContain(
      'imart_skipped_logs_total{reason="foreign",subject="eip155:1"} 4\n',
    );
    const counts = ['undecodable_logs_total', 'reread_ranges_total', 'bloom_alarms_total', 'events_ahead'];
    expect(await values(...counts)).toEqual(['1', '2', '3', '55']);
  });

  it('tell which endpoints contradict the others or stand still, and what was not believed of them (P6, P8, P13)', async () => {
    const { values } = setUp();
    expect(await values('endpoints_disagreeing', 'endpoints_lagging')).toEqual(['2', '1']);
    const counts = ['false_reorg_alarms', 'provider_disagreements', 'refused_finality'];
    expect(await values(...counts.map((name) => `${name}_total`))).toEqual(['6', '5', '8']);
  });
});
