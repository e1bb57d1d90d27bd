// Not by its name: the whole of it runs in jest only.
import { until as untilTrue } from '../../libs/testing/src/until';
import type { Program } from './programs';

/** Longer than anything that is waited for takes on a busy machine. */
export const PATIENCE_MS = 120_000;
/** Of what a program said that ended, so many characters are told. */
const LAST_WORDS_MAX = 2_000;

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

/**
 * Waits for a condition on programs that must all run meanwhile.
 * @throws as {@link until} does, and as soon as one has ended, with the last that it said.
 */
export async function untilWhileRunning(
  programs: readonly Pick<Program, 'isRunning' | 'said'>[],
  what: string,
  condition: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const ended = () => programs.find((program) => !program.isRunning());
  // Thrown from the look itself it would count as not yet.
  await until(what, async () => ended() !== undefined || (await condition()), patienceMs);
  const gone = ended();
  if (gone !== undefined)
    throw new Error(`a program ended before ${what}: ${gone.said().slice(-LAST_WORDS_MAX)}`);
}
