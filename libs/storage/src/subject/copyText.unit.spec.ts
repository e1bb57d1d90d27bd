import fc from 'fast-check';
import { timestampText } from './copyText';

const text = (iso: string): string => timestampText(BigInt(Date.parse(iso)) * 1000n);

describe('timestampText', () => {
  it('writes what Postgres reads as the same microsecond', () => {
    expect(text('1970-01-01T00:00:00Z')).toBe('1970-01-01T00:00:00+00');
    expect(text('2023-11-14T22:13:20Z')).toBe('2023-11-14T22:13:20+00');
    expect(timestampText(1_700_000_000_000_001n)).toBe('2023-11-14T22:13:20.000001+00');
    expect(timestampText(1_700_000_000_999_999n)).toBe('2023-11-14T22:13:20.999999+00');
  });

  it('writes years that have more than four digits without a sign, which would be a time zone', () => {
    expect(text('+010000-01-01T00:00:00Z')).toBe('10000-01-01T00:00:00+00');
    expect(text('+275760-09-12T23:59:59.999Z')).toBe('275760-09-12T23:59:59.999000+00');
  });

  it('agrees with the calendar of the language at every microsecond', () => {
    const seed = Date.now();
    console.log(`seed ${seed}`);
    // Up to the greatest time that a Date holds.
    const time = fc.bigInt({ min: 0n, max: 8_640_000_000_000_000_000n - 1n });
    fc.assert(
      fc.property(time, (us) => {
        const iso = new Date(Number(us / 1000n)).toISOString().replace(/^\+0*/, '');
        const digits = `${iso.slice(-4, -1)}${String(us % 1000n).padStart(3, '0')}`;
        const expected = `${iso.slice(0, -5)}${/^0+$/.test(digits) ? '' : `.${digits}`}+00`;
        expect(timestampText(us)).toBe(expected);
        // Said again, from what it remembers.
        timestampText(us + 1n);
        expect(timestampText(us)).toBe(expected);
      }),
      { seed, numRuns: 2000 },
    );
  });
});
