/** 10000-01-01T00:00:00Z. Contracts write "never" as 0, as the largest integer, or as some year nobody means. */
const YEAR_10000_S = 253_402_300_800n;

/**
 * The moment at which something expires, in microseconds since 1970, from the seconds that a contract gives. `null`:
 * never, which contracts write as 0 or as a date after the year 9999 (D10).
 */
export function expiryUs(seconds: bigint): bigint | null {
  return seconds === 0n || seconds >= YEAR_10000_S ? null : seconds * 1_000_000n;
}

/**
 * The moment from which something is valid, in microseconds since 1970; `null`: from the start, which contracts write as 0.
 * A date that no calendar here holds becomes the first moment of the year 10000: it stays in the future.
 */
export function startUs(seconds: bigint): bigint | null {
  if (seconds === 0n) return null;
  return (seconds < YEAR_10000_S ? seconds : YEAR_10000_S) * 1_000_000n;
}
