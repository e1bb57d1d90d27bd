import { expiryUs, startUs } from './expiry';

const UINT64_MAX = 2n ** 64n - 1n;
const UINT256_MAX = 2n ** 256n - 1n;

describe('the moment an order expires (D10)', () => {
  it.each([
    ['0 means never', 0n, null],
    ['the first second is a moment', 1n, 1_000_000n],
    ['2022-06-15T12:00:00Z', 1_655_294_400n, 1_655_294_400_000_000n],
    ['the last second of 32 bits', 4_294_967_295n, 4_294_967_295_000_000n],
    ['9999-12-31T23:59:59Z is the last moment', 253_402_300_799n, 253_402_300_799_000_000n],
    ['the year 10000 means never', 253_402_300_800n, null],
    ['milliseconds taken for seconds mean never', 1_655_294_400_000n, null],
    ['the greatest uint64 means never', UINT64_MAX, null],
    ['the greatest uint256 means never', UINT256_MAX, null],
  ])('%s', (_case, seconds, expected) => {
    expect(expiryUs(seconds)).toBe(expected);
  });

  it('agrees with the calendar about where the year 10000 begins', () => {
    expect(expiryUs(253_402_300_799n)).toBe(BigInt(Date.parse('9999-12-31T23:59:59Z')) * 1000n);
  });
});

describe('the moment an order begins', () => {
  it.each([
    ['0 means from the start', 0n, null],
    ['2022-06-15T12:00:00Z', 1_655_294_400n, 1_655_294_400_000_000n],
    ['9999-12-31T23:59:59Z', 253_402_300_799n, 253_402_300_799_000_000n],
    ['a date beyond is the year 10000, not the start', UINT256_MAX, 253_402_300_800_000_000n],
  ])('%s', (_case, seconds, expected) => {
    expect(startUs(seconds)).toBe(expected);
  });
});
