import type { SubjectStore } from '@imart/pipeline';
import type { StoreContents, StoreKept } from './inMemory/reads';
/** An empty store, and a look at everything that is committed in it. */
export interface OpenedStore {
  readonly store: SubjectStore;
  contents(): Promise<StoreContents>;
  kept(): Promise<StoreKept>;
}
/** A store whose contract is to be looked at. */
export interface SubjectStoreFeatures {
  /** Opens `SUBJECT` for `MARKET_OBSERVER`, with nothing in it, from position 0 on. */
  open(lanes: number): Promise<OpenedStore>;
  /** How many random histories each property tries. */
  readonly runs: number;
  /** Called after each feature: whatever a feature may have left behind fails it. */
  afterEach?(): Promise<void>;
}
