import {
  aggregateHash,
  aggregateKeyText,
  type AggregateKey,
  type Event,
  type FoldState,
  type SeqNo,
} from '@imart/core';
import { createHashSet } from './hashSet';

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

/** @defaultValue for the number of cached states: about 100 MB at most. */
export const CACHED_STATES_MAX_DEFAULT = 80_000;

/** Hashes of forgotten aggregates that are remembered: 64 MB at most. With more of them, every aggregate is read. */
const FORGOTTEN_MAX = 4_000_000;

/**
 * @param complete whether no aggregate had a state when the cache was made: true when the database was empty. Then an
 * aggregate that is neither cached nor among the forgotten ones is new, and needs no read.
 */
export function createStateCache(max: number, complete: boolean): StateCache {
  let states = new Map<string, FoldState>();
  let forgotten = complete ? createHashSet() : null;
  return {
    get size() {
      return states.size;
    },
    missing(events) {
      if (forgotten?.size === 0) return [];
      const missing = new Map<string, AggregateKey>();
      for (const event of events) {
        const keyText = aggregateKeyText(event.aggregateType, event.aggregateId);
        if (states.has(keyText) || missing.has(keyText)) continue;
        if (forgotten === null || forgotten.has(hashOf(event))) missing.set(keyText, event);
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
        const slash = key.indexOf('/');
        forgotten?.add(aggregateHash(key.slice(0, slash), key.slice(slash + 1)));
        states.delete(key);
      }
      if (forgotten !== null && forgotten.size > FORGOTTEN_MAX) forgotten = null;
    },
    clear() {
      states = new Map();
      forgotten = null;
    },
  };
}

const hashOf = (event: Event): bigint => aggregateHash(event.aggregateType, event.aggregateId);
