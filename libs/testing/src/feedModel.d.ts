import type { Event } from '@imart/core';
import type { SubjectStore } from '@imart/pipeline';
import type { SeededRandom } from './seededRandom';
/** A reader of the feed with a cursor and a model of the log of its own. */
export interface FeedModel {
  /** Takes in what is to be shown: a part of it, or all. */
  read(store: SubjectStore, random: SeededRandom, all?: boolean): Promise<void>;
  /** What the log is, as far as it was told. Ascending. */
  events(): readonly Event[];
  readonly cursor: bigint;
}
/**
 * @param taking `all`: what was taken back since is added, and removed when the change that took it back is told; `kept`: it is
 * left out from the beginning.
 */
export declare function createFeedModel(taking: 'all' | 'kept'): FeedModel;
