import type { Event } from '@imart/core';
import { marketReducers } from '@imart/market';
import { createStateCache, foldRun, noSnapshots, type FoldedRun } from '@imart/pipeline';
import { SUBJECT } from './marketEvents';

export const MARKET_OBSERVER = { name: 'market', subjectId: SUBJECT, reducers: marketReducers };

/** One clean pass over all events: the oracle. */
export function straightFold(events: readonly Event[]): FoldedRun {
  const cache = createStateCache(Number.MAX_SAFE_INTEGER, true);
  return foldRun(events, { observer: MARKET_OBSERVER, cache, parked: new Set(), snapshotRule: noSnapshots });
}
