/** Wakes whoever waits in this process. Losing a ring costs latency only: everybody looks again by themselves. */
export interface Bell {
  ring(): void;
  /** Until the next ring, the time is over or the signal aborts. A ring since the last wait ends it at once. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** Rung with every command: it makes nothing then that is not needed. */
export function createBell(): Bell {
  let hasRung = false;
  const waiting = new Set<() => void>();
  return {
    ring() {
      hasRung = true;
      for (const wake of waiting) wake();
    },
    async wait(ms, signal) {
      if (!hasRung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            clearTimeout(timer);
            signal.removeEventListener('abort', wake);
            waiting.delete(wake);
            resolve();
          };
          const timer = setTimeout(wake, ms);
          signal.addEventListener('abort', wake);
          waiting.add(wake);
        });
      }
      hasRung = false;
    },
  };
}
