import { aggregateKeyText, type AggregateKey, type Event, type FoldState, type SeqNo } from '@imart/core';

/**
 * The states of recently touched aggregates. It is a cache of committed rows plus what the runs in flight have changed:
 * dropping it at any moment between runs changes no result.
 */
export interface StateCache {
  /** The aggregates among these events that must be loaded before they can be folded. */
  missing(events: readonly Event[]): AggregateKey[];
  get(keyText: string): FoldState | undefined;
  set(keyText: string, state: FoldState): void;
  /**
   * Forgets the least recently changed states beyond the bound, between runs only. A state that changed after
   * `committedSeqNo` stays: the database does not have it yet.
   */
  trim(committedSeqNo: SeqNo): void;
  clear(): void;
  readonly size: number;
}

/** @defaultValue for the number of cached states: about 150 MB at most. */
export const CACHED_STATES_MAX_DEFAULT = 120_000;

/**
 * @param complete whether an aggregate that is not in the cache is known to have no state: true when the database was
 * empty. It stays true until the first state is forgotten, and saves the reads for aggregates that are new.
 */
export function createStateCache(max: number, complete: boolean): StateCache {
  let states = new Map<string, FoldState>();
  let knowsAll = complete;
  return {
    get size() {
      return states.size;
    },
    missing(events) {
      if (knowsAll) return [];
      const missing = new Map<string, AggregateKey>();
      for (const event of events) {
        const keyText = aggregateKeyText(event.aggregateType, event.aggregateId);
        if (!states.has(keyText)) missing.set(keyText, event);
      }
      return [...missing.values()];
    },
    get: (keyText) => states.get(keyText),
    set(keyText, state) {
      // Deleting first moves the key to the end: insertion order is the order of last change.
      states.delete(keyText);
      states.set(keyText, state);
    },
    trim(committedSeqNo) {
      let excess = states.size - max;
      if (excess <= 0) return;
      for (const [key, state] of states) {
        if (excess-- <= 0 || state.seqNo > committedSeqNo) break;
        knowsAll = false;
        states.delete(key);
      }
    },
    clear() {
      states = new Map();
      knowsAll = false;
    },
  };
}
