import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Somebody has interrupted the command. What was committed stays. */
export class InterruptedError extends Error {
  /** As a shell has it: 128 and the signal's number. */
  readonly exitCode: number;

  constructor(signal: (typeof SIGNALS)[number]) {
    super('interrupted');
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** What comes of the work. @throws {InterruptedError} at once when a signal comes first; the second signal ends the process. */
export async function untilInterrupted<T>(work: Promise<T>): Promise<T> {
  const listeners = new Map<(typeof SIGNALS)[number], () => void>();
  const interrupted = new Promise<never>((_resolve, reject) => {
    for (const signal of SIGNALS) {
      const listener = (): void => reject(new InterruptedError(signal));
      listeners.set(signal, listener);
      process.once(signal, listener);
    }
  });
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  }
}
