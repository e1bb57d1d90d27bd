import { aggregateKeyText, type AggregateKey, type Event, type FoldState } from '@imart/core';
import { marketReducers } from '@imart/market';
import { createStateCache, foldRun, noSnapshots, type FoldedRun } from '@imart/pipeline';
import { SUBJECT } from './marketEvents';

export const MARKET_OBSERVER = { name: 'market', subjectId: SUBJECT, reducers: marketReducers };

/** One clean pass over all events: the oracle. */
export function straightFold(events: readonly Event[]): FoldedRun {
  const cache = createStateCache(Number.MAX_SAFE_INTEGER, true);
  return foldRun(events, { observer: MARKET_OBSERVER, cache, parked: new Set(), snapshotRule: noSnapshots });
}

/** The state of every aggregate after these events, by its reducer alone. */
export function foldedStates(events: readonly Event[]): Map<string, FoldState> {
  const states = new Map<string, FoldState>();
  const cache = createStateCache(Number.MAX_SAFE_INTEGER, true);
  foldRun(events, {
    observer: MARKET_OBSERVER,
    cache,
    parked: new Set(),
    snapshotRule: noSnapshots,
  });
  for (const event of events) {
    const text = aggregateKeyText(event.aggregateType, event.aggregateId);
    const state = cache.get(text);
    if (state !== undefined && state.version > 0) states.set(text, state);
  }
  return states;
}

/** The aggregates of events, each once. */
export const keysOf = (events: readonly Event[]): AggregateKey[] => [
  ...new Map(
    events.map(({ aggregateType, aggregateId }) => [
      aggregateKeyText(aggregateType, aggregateId),
      { aggregateType, aggregateId },
    ]),
  ).values(),
];

/** A run of no events. */
export const EMPTY_RUN: FoldedRun = { rows: [], activities: [], snapshots: [], parked: [], folded: 0 };
