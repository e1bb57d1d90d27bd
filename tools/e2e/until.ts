// Not by its name: the whole of it runs in jest only.
import { until as untilTrue } from '../../libs/testing/src/until';

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
  await untilTrue(condition, { what, patienceMs, everyMs: 10 });
}
