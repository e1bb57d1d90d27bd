import { expiryUs, startUs, type TimeUnit } from './times';

const MOMENT_US = 1_666_339_963_012_358n;
const U64_MAX = 2n ** 64n - 1n;
const YEAR_10000_US = 253_402_300_800_000_000n;
const UNITS: readonly TimeUnit[] = ['s', 'ms', 'us', 'by-size'];

describe('a time', () => {
  it.each<[TimeUnit, bigint, bigint]>([
    ['s', 1_666_339_963n, 1_666_339_963_000_000n],
    ['ms', 1_666_339_963_012n, 1_666_339_963_012_000n],
    ['us', MOMENT_US, MOMENT_US],
    ['by-size', 1_666_339_963n, 1_666_339_963_000_000n],
    ['by-size', 1_666_339_963_012n, 1_666_339_963_012_000n],
    ['by-size', MOMENT_US, MOMENT_US],
  ])('in %s of %s is the moment %s us (D10)', (unit, value, us) => {
    expect(expiryUs(value, unit)).toBe(us);
    expect(startUs(value, unit)).toBe(us);
  });

  it.each(UNITS)('in %s of 0 or of the largest u64 is none to expire at (D3, D10)', (unit) => {
    expect(expiryUs(0n, unit)).toBeNull();
    expect(expiryUs(U64_MAX, unit)).toBeNull();
    expect(expiryUs(2n ** 63n, unit)).toBeNull();
  });

  it.each(UNITS)('in %s that no calendar holds is a start that does not come (D3, D10)', (unit) => {
    expect(startUs(0n, unit)).toBeNull();
    expect(startUs(U64_MAX, unit)).toBe(YEAR_10000_US);
  });

  it('counts to the last microsecond of the year 9999 (D10)', () => {
    expect(expiryUs(YEAR_10000_US - 1n, 'us')).toBe(YEAR_10000_US - 1n);
    expect(expiryUs(YEAR_10000_US, 'us')).toBeNull();
  });
});
