import { childAbort } from '@imart/endpoints';
import type { BlockRange } from '../ranges/blockRange';
import type { ReadRange } from './rangeReader';

/** A range to ask for. */
export interface PlannedRange {
  readonly range: BlockRange;
  readonly allHeaders: boolean;
  /** Every block of it is known to be final. */
  readonly isFinal: boolean;
}

/** A range on its way. */
export interface PendingRange extends PlannedRange {
  /** How many contracts had been discovered when it was asked for. */
  readonly childCount: number;
  readonly read: Promise<ReadRange>;
}

export interface RangeQueueOptions {
  readonly inFlightMax: number;
  /** The next range from this block on, within the limit. */
  readonly plan: (from: number, limit: number) => PlannedRange;
  readonly start: (range: BlockRange, allHeaders: boolean, signal: AbortSignal) => Promise<ReadRange>;
  readonly childCount: () => number;
  readonly signal: AbortSignal;
}

/** Adjacent ranges that are read at the same time and taken in order. */
export interface RangeQueue {
  /** The first block that nobody has been asked for. */
  readonly next: number;
  readonly length: number;
  /** Asks for ranges up to the limit, as many as may be on their way. */
  fill(limit: number): void;
  /** The oldest range. */
  take(): PendingRange | undefined;
  /** Lets go of everything on its way; the next range begins at this block. */
  restart(from: number): void;
}

export function createRangeQueue(options: RangeQueueOptions, from: number): RangeQueue {
  const { inFlightMax, plan, start, childCount, signal } = options;
  let pending: PendingRange[] = [];
  let next = from;
  let running = childAbort(signal);

  return {
    get next() {
      return next;
    },
    get length() {
      return pending.length;
    },
    fill(limit) {
      while (pending.length < inFlightMax && next <= limit) {
        const planned = plan(next, limit);
        const { range, allHeaders } = planned;
        const read = start(range, allHeaders, running.signal);
        // Met by whoever takes it; until then it is nobody's unhandled rejection.
        read.catch(() => undefined);
        pending.push({ ...planned, childCount: childCount(), read });
        next = range.to + 1;
      }
    },
    take: () => pending.shift(),
    restart(at) {
      running.abort(new Error('the range is not needed any more'));
      running = childAbort(signal);
      pending = [];
      next = at;
    },
  };
}
