export interface PatienceOptions {
  /** How long endpoints may give no usable answer, in milliseconds. */
  readonly patienceMs: number;
  /** Resolves after so many milliseconds, or early when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Called once, when they have given none for so long; with the reason that was told last. */
  readonly onEnd: (error: EndpointsAwayError) => void;
}

/** No endpoint gave a usable answer for as long as was to be waited. */
export class EndpointsAwayError extends Error {
  constructor(patienceMs: number, reason: string) {
    super(
      `no endpoint gave a usable answer for ${patienceMs / 1_000} s, the last one: ${reason}; try again when one does, with --rpc ask another one, or raise --patience`,
    );
    this.name = 'EndpointsAwayError';
  }
}

/** Ends what somebody waits for at a terminal, which a worker would wait for as long as it takes. */
export interface Patience {
  /** As `onAvailability` of an endpoint pool tells it. */
  told(available: boolean, reason: string): void;
  /** Nothing is waited for any more. */
  close(): void;
}

export function createPatience({ patienceMs, wait, onEnd }: PatienceOptions): Patience {
  let away: { reason: string; readonly answered: AbortController } | null = null;
  const answered = (): void => {
    away?.answered.abort();
    away = null;
  };
  return {
    told(available, reason) {
      if (available) return answered();
      if (away !== null) {
        away.reason = reason;
        return;
      }
      const now = { reason, answered: new AbortController() };
      away = now;
      void wait(patienceMs, now.answered.signal).then(() => {
        if (!now.answered.signal.aborted) onEnd(new EndpointsAwayError(patienceMs, now.reason));
      });
    },
    close: answered,
  };
}
