import { expect } from '@jest/globals';
import type { MarketActivity, MarketRow } from '@imart/market';
import type { FoldedRun } from '@imart/pipeline';
import type { MarketScript } from './marketEvents';
import { straightFold } from './straightFold';

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
