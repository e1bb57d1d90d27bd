/**
 * Bounds how many requests are on their way at once (P19). The bound halves when the provider complains of too many and
 * grows back by one for each run of answers as long as the bound.
 */
export interface InFlight {
  /** Resolves when there is room, first come first served. @throws the signal's reason when it aborts first. */
  enter(signal: AbortSignal): Promise<void>;
  leave(): void;
  tooMany(): void;
  succeeded(): void;
  readonly count: number;
  readonly limit: number;
}

export function createInFlight(max: number): InFlight {
  const waiting: { enter: () => void }[] = [];
  let count = 0;
  let limit = max;
  let streak = 0;

  const admit = (): void => {
    while (count < limit && waiting.length > 0) {
      count++;
      waiting.shift()?.enter();
    }
  };

  return {
    enter(signal) {
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      if (count < limit && waiting.length === 0) {
        count++;
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(entry), 1);
          reject(signal.reason as Error);
        };
        const entry = {
          enter: () => {
            signal.removeEventListener('abort', onAbort);
            resolve();
          },
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiting.push(entry);
      });
    },
    leave() {
      count--;
      admit();
    },
    tooMany() {
      limit = Math.max(1, Math.floor(limit / 2));
      streak = 0;
    },
    succeeded() {
      if (limit === max || ++streak < limit) return;
      streak = 0;
      limit++;
      admit();
    },
    get count() {
      return count;
    },
    get limit() {
      return limit;
    },
  };
}
