import { waitMs } from '@imart/pipeline';
import type { PositionFate } from './ports';

export interface WaitOptions {
  /** Longest wait. Bounded by {@link WAIT_MAX_MS}. */
  readonly timeoutMs: number;
  /** Ends the wait early. @defaultValue it does not end early */
  readonly signal?: AbortSignal;
}

/** Nobody waits for longer than this: whoever wants to know later asks again. */
export const WAIT_MAX_MS = 60_000;

const FIRST_LOOK_MS = 2;
const LOOK_MAX_MS = 50;

const never = new AbortController().signal;

/** Looks again and again, less and less often, until the position is decided or the time is over. */
export async function waitForPosition(
  look: () => Promise<PositionFate>,
  { timeoutMs, signal = never }: WaitOptions,
): Promise<PositionFate> {
  const timeout = AbortSignal.timeout(Math.min(timeoutMs, WAIT_MAX_MS));
  const over = AbortSignal.any([signal, timeout]);
  for (let delayMs = FIRST_LOOK_MS; ; delayMs = Math.min(delayMs * 2, LOOK_MAX_MS)) {
    const fate = await look();
    if (fate.kind !== 'pending' || over.aborted) return fate;
    await waitMs(delayMs, over);
  }
}
