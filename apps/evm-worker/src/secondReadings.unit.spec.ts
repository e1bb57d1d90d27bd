import { createSecondReadings } from './secondReadings';

function readerOf(requests: number, errors: Record<string, number>) {
  const endpoint = { endpoint: 'rpc#1 (host)', requests, calls: 0, receivedChars: 0, errors, inFlight: 0 };
  const reader = {
    closed: false,
    endpoint,
    stats: () => ({ endpoints: [endpoint], skippedLogs: {} }),
    close: () => void (reader.closed = true),
  };
  return reader;
}

describe('second readings of this process', () => {
  it('count what is asked now and what was asked under earlier leases', () => {
    const readings = createSecondReadings();
    expect(readings.endpoints()).toEqual([]);
    const first = readerOf(3, { RPC_TIMEOUT: 1 });
    const end = readings.reading(first);
    first.endpoint.requests = 5;
    expect(readings.endpoints()).toEqual([
      { endpoint: 'rpc#1 (host)', requests: 5, errors: { RPC_TIMEOUT: 1 } },
    ]);
    end();
    expect(first.closed).toBe(true);
    readings.reading(readerOf(10, { RPC_TIMEOUT: 1, RPC_RATE_LIMITED: 2 }));
    expect(readings.endpoints()).toEqual([
      { endpoint: 'rpc#1 (host)', requests: 15, errors: { RPC_TIMEOUT: 2, RPC_RATE_LIMITED: 2 } },
    ]);
  });

  it('are not blocked any more when another process takes over; their counts stay', () => {
    const readings = createSecondReadings();
    const end = readings.reading(readerOf(1, {}));
    Object.assign(readings.stats, { blocked: 'block 7 is not served', failures: 4 });
    end();
    expect(readings.stats).toMatchObject({ blocked: null, failures: 4 });
  });
});
