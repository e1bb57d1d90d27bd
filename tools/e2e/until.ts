/** Longer than anything that is waited for takes on a busy machine. */
export const PATIENCE_MS = 120_000;

/**
 * Waits for a condition on other processes, which have no event to wait for. A look that fails counts as not yet.
 * @throws with what was waited for and the last failure, when it takes longer than it may.
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  let failure: unknown;
  for (const end = performance.now() + patienceMs; performance.now() < end;) {
    try {
      if (await condition()) return;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`in ${patienceMs} ms it did not come true: ${what}`, { cause: failure });
}
