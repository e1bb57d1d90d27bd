import { isDeepStrictEqual } from 'node:util';

/** The first so many differences of a kind are told in full. */
const TOLD = 3;

/** Longest text of one item in a message. */
const TEXT_MAX = 300;

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? `${one}` : one)).slice(
    0,
    TEXT_MAX,
  );

/** Compares two lists item by item, in order, and tells what is missing, different or too much. */
export function differencesOf<T>(
  what: string,
  expected: readonly T[],
  found: readonly T[],
  keyOf: (item: T) => string,
): string[] {
  if (isDeepStrictEqual(expected, found)) return [];
  const left = new Map<string, T>();
  const differences: string[] = [];
  for (const item of found) {
    if (left.has(keyOf(item))) differences.push(`${what} ${keyOf(item)} is there twice`);
    left.set(keyOf(item), item);
  }
  for (const item of expected) {
    const key = keyOf(item);
    const stored = left.get(key);
    left.delete(key);
    if (stored === undefined) differences.push(`${what} ${key} is missing: ${textOf(item)}`);
    else if (!isDeepStrictEqual(stored, item))
      differences.push(`${what} ${key} differs: expected ${textOf(item)}, stored ${textOf(stored)}`);
  }
  for (const [key, item] of left) differences.push(`${what} ${key} is too much: ${textOf(item)}`);
  if (differences.length === 0) differences.push(`${what}: in another order`);
  const more = differences.length - TOLD;
  return more > 0 ? [...differences.slice(0, TOLD), `${what}: ${more} more`] : differences;
}
