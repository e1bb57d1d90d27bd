/** 10000-01-01T00:00:00Z in microseconds. Contracts write "never" as 0, as the largest integer, or as some year nobody means. */
const YEAR_10000_US = 253_402_300_800_000_000n;

export type TimeUnit = 's' | 'ms' | 'us' | 'by-size';

/** Since 1970, dates of this century have 10 digits in seconds, 13 in milliseconds, 16 in microseconds. */
function factorOf(value: bigint, unit: TimeUnit): bigint {
  if (unit === 's') return 1_000_000n;
  if (unit === 'ms') return 1_000n;
  if (unit === 'us') return 1n;
  if (value < 100_000_000_000n) return 1_000_000n;
  return value < 100_000_000_000_000n ? 1_000n : 1n;
}

export const microseconds = (value: bigint, unit: TimeUnit): bigint => value * factorOf(value, unit);

/**
 * The moment at which something expires, in microseconds since 1970. `null`: never, which contracts write as 0 or as a date after
 * the year 9999 (D10). `by-size`: contracts that are not of one mind about their unit.
 */
export function expiryUs(value: bigint, unit: TimeUnit): bigint | null {
  const us = microseconds(value, unit);
  return us === 0n || us >= YEAR_10000_US ? null : us;
}

/** The moment from which something is valid; `null`: from the start. A date that no calendar holds stays in the future. */
export function startUs(value: bigint, unit: TimeUnit): bigint | null {
  const us = microseconds(value, unit);
  if (us === 0n) return null;
  return us < YEAR_10000_US ? us : YEAR_10000_US;
}
