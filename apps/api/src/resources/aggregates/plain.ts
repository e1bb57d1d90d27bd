/** A value as JSON can hold it: quantities as decimal text, maps as objects, sets as lists. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, one]) => [String(key), plain(one)]));
  if (value instanceof Set) return [...value].map(plain);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

/** Microseconds since 1970 as ISO 8601 in UTC. */
export function isoOf(timeUs: bigint): string {
  const seconds = new Date(Number(timeUs / 1_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${(timeUs % 1_000_000n).toString().padStart(6, '0')}Z`;
}
