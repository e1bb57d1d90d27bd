import { waitMs } from '@imart/pipeline';

/** Wakes whoever waits in this process. Losing a ring costs latency only: everybody looks again by themselves. */
export interface Bell {
  ring(): void;
  /** Until the next ring, the time is over or the signal aborts. A ring since the last wait ends it at once. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createBell(): Bell {
  let rung = new AbortController();
  return {
    ring: () => rung.abort(),
    async wait(ms, signal) {
      await waitMs(ms, AbortSignal.any([signal, rung.signal]));
      if (rung.signal.aborted) rung = new AbortController();
    },
  };
}
