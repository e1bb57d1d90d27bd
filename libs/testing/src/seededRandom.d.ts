/** Repeatable randomness: the same number gives the same choices, on every machine. */
export interface SeededRandom {
  /** From 0 (inclusive) to 1 (exclusive). */
  next(): number;
  /** A whole number of both ends. */
  between(least: number, most: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
}
/** mulberry32. */
export declare function seededRandom(seed: number): SeededRandom;
