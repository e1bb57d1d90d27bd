import { clockOffset, figuresOf, latencies, quantile, type Look } from './figures';

const ms = (value: number): bigint => BigInt(Math.round(value * 1e6));
const look = (asked: number, answered: number, executed: number): Look => ({
  askedNs: ms(asked),
  answeredNs: ms(answered),
  executed,
  epoch: 0,
});

describe('latencies', () => {
  it('reaches from where a block was served to the first answer that shows it, and tells how much less it may be', () => {
    const looks = [look(100, 101, 6), look(102, 103, 6), look(104, 105, 7), look(106, 107, 7)];
    expect(latencies([{ number: 7, atNs: ms(100.5) }], looks)).toEqual([
      { number: 7, ms: 4.5, uncertaintyMs: 3 },
    ]);
  });

  it('counts a block that became visible together with a later one', () => {
    const looks = [look(0, 1, 5), look(30, 31, 7)];
    const served = [
      { number: 6, atNs: ms(2) },
      { number: 7, atNs: ms(20) },
    ];
    expect(latencies(served, looks).map((latency) => latency.ms)).toEqual([29, 11]);
  });

  it('is never more uncertain than it is long', () => {
    expect(latencies([{ number: 1, atNs: ms(10) }], [look(0, 1, 0), look(11, 12, 1)])).toEqual([
      { number: 1, ms: 2, uncertaintyMs: 2 },
    ]);
    expect(latencies([{ number: 1, atNs: ms(10) }], [look(11, 12, 1)])[0]?.uncertaintyMs).toBe(2);
  });

  it('refuses what cannot be: a block never seen, one seen before it was served', () => {
    expect(() => latencies([{ number: 8, atNs: 0n }], [look(0, 1, 7)])).toThrow('block 8 was never seen');
    expect(() => latencies([{ number: 7, atNs: ms(5) }], [look(0, 1, 7)])).toThrow(
      'block 7 was seen before it was served',
    );
  });
});

describe('quantile', () => {
  it('is the value that at least that share does not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([0.01, 0.5, 0.99, 1].map((q) => quantile(hundred, q))).toEqual([1, 50, 99, 100]);
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    // Of fewer than a hundred values, the 99th percentile is the greatest: nothing is smoothed away.
    expect(quantile([1, 2, 500], 0.99)).toBe(500);
  });

  it('orders numbers by value, not by their text', () => {
    expect(figuresOf([9, 10, 100])).toEqual({ count: 3, p50: 10, p99: 100, least: 9, most: 100 });
  });

  it('refuses to make a figure of nothing, and shares that are none', () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError);
    expect(() => quantile([1], 0)).toThrow(RangeError);
    expect(() => quantile([1], 99)).toThrow(RangeError);
  });
});

describe('clockOffset', () => {
  it('takes the sample with the shortest way, and says how wrong it may be', () => {
    const samples = [
      { beforeNs: 0n, toldNs: 5_000n, afterNs: 1_000n },
      { beforeNs: 2_000n, toldNs: 6_950n, afterNs: 2_100n },
      { beforeNs: 3_000n, toldNs: 9_000n, afterNs: 9_000n },
    ];
    expect(clockOffset(samples)).toEqual({ offsetNs: 4_900n, errorNs: 50n });
  });

  it('needs a sample', () => {
    expect(() => clockOffset([])).toThrow(RangeError);
  });
});
