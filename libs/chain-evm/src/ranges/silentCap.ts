const ROUND_SIZES = new Set([100, 500, 1_000, 2_000, 2_500, 5_000, 10_000, 20_000, 50_000, 100_000]);

/** Whether an answer with so many logs may have been cut without saying so: providers cut at round sizes. */
export function maybeCut(logs: number): boolean {
  return ROUND_SIZES.has(logs);
}
