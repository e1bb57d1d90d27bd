import { expect } from '@jest/globals';
import type { Event } from '@imart/core';
import { marketReducers, type MarketActivity, type MarketRow } from '@imart/market';
import { createStateCache, foldRun, noSnapshots, type FoldedRun } from '@imart/pipeline';
import { SUBJECT, type MarketScript } from './marketEvents';

export const MARKET_OBSERVER = { name: 'market', subjectId: SUBJECT, reducers: marketReducers };

/** One clean pass over all events: the oracle. */
export function straightFold(events: readonly Event[]): FoldedRun {
  const cache = createStateCache(Number.MAX_SAFE_INTEGER, true);
  return foldRun(events, { observer: MARKET_OBSERVER, cache, parked: new Set(), snapshotRule: noSnapshots });
}

/** What events lead to, for a spec to compare: `given(script).then(rows, activities)`. */
export interface Given {
  readonly rows: readonly MarketRow[];
  readonly activities: readonly MarketActivity[];
  readonly parked: FoldedRun['parked'];
  /** Exactly these rows and activities, in order; of each, only what is named is compared. */
  then(rows: readonly Partial<MarketRow>[], activities: readonly Partial<MarketActivity>[]): void;
}

export function given(script: MarketScript): Given {
  const run = straightFold(script.events);
  const rows = run.rows as readonly MarketRow[];
  const activities = run.activities as readonly MarketActivity[];
  return {
    rows,
    activities,
    parked: run.parked,
    then(expectedRows, expectedActivities) {
      expect(rows).toMatchObject([...expectedRows] as Record<string, unknown>[]);
      expect(activities).toMatchObject([...expectedActivities] as Record<string, unknown>[]);
    },
  };
}
