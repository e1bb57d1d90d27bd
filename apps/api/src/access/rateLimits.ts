import { RateLimitedError } from './errors';

/** Keys and addresses whose recent requests are remembered; beyond it, the one that asked longest ago is forgotten. */
export const RATES_REMEMBERED_MAX = 10_000;

/** Lets so many requests a second pass for each name, averaged: what was not used within the last second may be used at once. */
export interface RateLimits {
  /** @throws {RateLimitedError} with how long to wait. */
  take(name: string, perSecond: number): void;
}

/** @param now milliseconds that never go back. */
export function createRateLimits(now: () => number): RateLimits {
  /** Tokens left, and when that was. */
  const buckets = new Map<string, { left: number; at: number }>();
  return {
    take(name, perSecond) {
      const at = now();
      const before = buckets.get(name) ?? { left: perSecond, at };
      const left = Math.min(perSecond, before.left + ((at - before.at) / 1000) * perSecond);
      // At the end of the map's order: the first one is forgotten first.
      buckets.delete(name);
      buckets.set(name, { left: left >= 1 ? left - 1 : left, at });
      if (buckets.size > RATES_REMEMBERED_MAX) buckets.delete(buckets.keys().next().value as string);
      if (left >= 1) return;
      const seconds = Math.max(1, Math.ceil((1 - left) / perSecond));
      throw new RateLimitedError(
        `more than ${perSecond} requests a second: ask again in ${seconds} s`,
        seconds,
      );
    },
  };
}
