import type { SubjectId } from '@imart/core';
import { type FeedChange, type FeedLimits } from '@imart/pipeline';
import { type Committed } from './committed';
/** The feed's changes after one, as far as they are to be shown. */
export declare function readFeed(
  subjectId: SubjectId,
  state: Committed,
  afterFeedNo: bigint,
  { changesMax, eventsMax }: FeedLimits,
): readonly FeedChange[];
