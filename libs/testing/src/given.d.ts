import type { MarketActivity, MarketRow } from '@imart/market';
import type { FoldedRun } from '@imart/pipeline';
import type { MarketScript } from './marketEvents';
/** What events lead to, for a spec to compare: `given(script).then(rows, activities)`. */
export interface Given {
  readonly rows: readonly MarketRow[];
  readonly activities: readonly MarketActivity[];
  readonly parked: FoldedRun['parked'];
  /** Exactly these rows and activities, in order; of each, only what is named is compared. */
  then(rows: readonly Partial<MarketRow>[], activities: readonly Partial<MarketActivity>[]): void;
}
export declare function given(script: MarketScript): Given;
