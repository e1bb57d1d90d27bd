import { createReaderCounts } from './readerCounts';

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

describe('what second readings of this process ask', () => {
  it('is what is asked now and what was asked under earlier leases', () => {
    const counts = createReaderCounts();
    expect(counts.endpoints()).toEqual([]);
    const first = readerOf(3, { RPC_TIMEOUT: 1 });
    const end = counts.reading(first);
    first.endpoint.requests = 5;
    expect(counts.endpoints()).toEqual([
      { endpoint: 'rpc#1 (host)', requests: 5, errors: { RPC_TIMEOUT: 1 } },
    ]);
    end();
    expect(first.closed).toBe(true);
    counts.reading(readerOf(10, { RPC_TIMEOUT: 1, RPC_RATE_LIMITED: 2 }));
    expect(counts.endpoints()).toEqual([
      { endpoint: 'rpc#1 (host)', requests: 15, errors: { RPC_TIMEOUT: 2, RPC_RATE_LIMITED: 2 } },
    ]);
  });
});
