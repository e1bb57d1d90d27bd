import { messageOf } from '@imart/core';

/** What a run has started, for the case that it is interrupted. */
export interface Interruption {
  /** Whether it was. Whatever fails from then on fails because of it. */
  readonly happened: boolean;
  /** Has it ended when the run is interrupted, in the reverse of this order. @returns takes it back: it has been ended. */
  onInterruption(end: () => Promise<unknown>): () => void;
  /** Resolves with the exit code when the run has been interrupted and all is ended; else never. */
  readonly ended: Promise<number>;
}

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;

/** Takes over the signals that end a program. The second one ends it at once. */
export function createInterruption(tell: (line: string) => void): Interruption {
  const endings = new Set<() => Promise<unknown>>();
  let happened = false;
  const endAll = async (): Promise<void> => {
    for (const end of [...endings].reverse()) {
      await end().catch((error: unknown) => tell(`could not be ended: ${messageOf(error)}`));
    }
  };
  const ended = new Promise<number>((resolve) => {
    for (const [signal, code] of SIGNALS) {
      process.on(signal, () => {
        if (happened) process.exit(code);
        happened = true;
        tell(`${signal}: ending what was started`);
        void endAll().then(() => resolve(code));
      });
    }
  });
  return {
    get happened() {
      return happened;
    },
    onInterruption(end) {
      endings.add(end);
      return () => void endings.delete(end);
    },
    ended,
  };
}
