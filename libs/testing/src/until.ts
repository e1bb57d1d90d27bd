export interface UntilOptions {
  /** What is waited for, in words. @defaultValue the condition's own text */
  readonly what?: string;
  /** @defaultValue `60_000` */
  readonly patienceMs?: number;
  /** How long after each look the next one comes. @defaultValue `2` */
  readonly everyMs?: number;
}

/**
 * Waits for a condition that nothing announces: of another process, or behind an interface without events. A look that fails counts as
 * not yet.
 * @throws with what was waited for and the last failure, when it takes longer than it may.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { what = condition.toString(), patienceMs = 60_000, everyMs = 2 }: UntilOptions = {},
): Promise<void> {
  let failure: unknown;
  for (const end = performance.now() + patienceMs; performance.now() < end;) {
    try {
      if (await condition()) return;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error(`in ${patienceMs} ms it did not come true: ${what}`, { cause: failure });
}
