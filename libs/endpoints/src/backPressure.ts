import type { SeqNo } from '@imart/core';

/** Bounds the events that were handed on and are not executed. */
export interface BackPressure {
  handedOn(upTo: SeqNo, events: number): void;
  executed(upTo: SeqNo): void;
  /** Events from here on were taken back, and nobody will execute them: what was handed on with them does not count any more. */
  invalidated(from: SeqNo): void;
  /** More events wait than may: read no further. */
  readonly full: boolean;
  readonly waiting: number;
  /** Resolves when it is not full, or when the signal aborts. */
  room(signal: AbortSignal): Promise<void>;
}

export function createBackPressure(eventsMax: number): BackPressure {
  const queue: { upTo: SeqNo; events: number }[] = [];
  let waiting = 0;
  let wake: (() => void)[] = [];
  const wakeWhenRoom = (): void => {
    if (waiting > eventsMax) return;
    const woken = wake;
    wake = [];
    for (const resolve of woken) resolve();
  };

  return {
    handedOn(upTo, events) {
      if (events === 0) return;
      queue.push({ upTo, events });
      waiting += events;
    },
    executed(upTo) {
      let done = 0;
      while (done < queue.length && (queue[done] as { upTo: SeqNo }).upTo <= upTo) {
        waiting -= (queue[done] as { events: number }).events;
        done++;
      }
      queue.splice(0, done);
      wakeWhenRoom();
    },
    invalidated(from) {
      while (queue.length > 0 && (queue.at(-1) as { upTo: SeqNo }).upTo >= from) {
        waiting -= (queue.pop() as { events: number }).events;
      }
      wakeWhenRoom();
    },
    get full() {
      return waiting > eventsMax;
    },
    get waiting() {
      return waiting;
    },
    room(signal) {
      if (waiting <= eventsMax || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done);
          resolve();
        };
        signal.addEventListener('abort', done, { once: true });
        wake.push(done);
      });
    },
  };
}
