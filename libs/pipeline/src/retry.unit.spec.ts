import { retryDelayMs, STORAGE_RETRY, waitMs } from './index';

describe('the schedule of retries (Q8)', () => {
  it('doubles its bound from the first wait to the longest', () => {
    const bounds = Array.from({ length: 9 }, (_, i) => retryDelayMs(STORAGE_RETRY, i + 1, () => 1));
    expect(bounds).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  });

  it('waits anything below the bound', () => {
    expect(retryDelayMs(STORAGE_RETRY, 3, () => 0.5)).toBe(100);
    expect(retryDelayMs(STORAGE_RETRY, 3, () => 0)).toBe(0);
  });

  it('stays finite after very many attempts', () => {
    expect(retryDelayMs(STORAGE_RETRY, 1_000_000, () => 1)).toBe(5000);
    expect(retryDelayMs({ firstMs: 1, maxMs: Number.MAX_SAFE_INTEGER }, 5000, () => 1)).toBe(2 ** 30);
  });
});

describe('waiting', () => {
  it('ends when it is aborted, before and during, and leaves no listener behind', async () => {
    const stopping = new AbortController();
    const waiting = waitMs(60_000, stopping.signal);
    stopping.abort();
    await waiting;
    await waitMs(60_000, stopping.signal);
  });
});
