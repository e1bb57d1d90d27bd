import type { SubjectId } from '@imart/core';
import { FeedGapError, type FeedChange, type FeedEvent, type FeedLimits } from '@imart/pipeline';
import {
  ascending,
  readStored,
  type Committed,
  type FeedRow,
  type RetractedEvent,
  type StoredEvent,
} from './committed';

/** The feed's changes after one, as far as they are to be shown. */
export function readFeed(
  subjectId: SubjectId,
  state: Committed,
  afterFeedNo: bigint,
  { changesMax = 100, eventsMax = 10_000 }: FeedLimits,
): readonly FeedChange[] {
  const { feed, log, retracted, lastFeedNo } = state;
  if (afterFeedNo > lastFeedNo) throw new FeedGapError(subjectId, afterFeedNo, lastFeedNo);
  const shown: FeedChange[] = [];
  let events = 0;
  for (const row of feed.filter(({ feedNo }) => feedNo > afterFeedNo).slice(0, changesMax)) {
    if (waits(state, row) || events >= eventsMax) break;
    const added = [...log, ...retracted].filter(({ feedNo }) => feedNo === row.feedNo).map(feedEvent);
    const gone = retracted.filter(({ retractedBy }) => retractedBy === row.feedNo).map(feedEvent);
    events += added.length + gone.length;
    shown.push({ ...row, committedAtMs: 0, added: added.sort(inOrder), retracted: gone.sort(inOrder) });
  }
  return shown;
}

/** Whether something is left of it that the lanes have not executed. */
function waits({ feed, lanes }: Committed, { feedNo, kind, fromSeqNo, toSeqNo }: FeedRow): boolean {
  if (kind !== 'appended' && kind !== 'late') return false;
  const cuts = feed.filter((row) => row.kind === 'invalidated' && row.feedNo > feedNo);
  const end = cuts.reduce<bigint>(
    (least, cut) => (cut.fromSeqNo <= least ? cut.fromSeqNo - 1n : least),
    toSeqNo,
  );
  return end >= fromSeqNo && lanes.some((seqNo) => seqNo < end);
}

const feedEvent = (stored: StoredEvent | RetractedEvent): FeedEvent => ({
  event: readStored(stored),
  addedBy: stored.feedNo,
  retractedBy: 'retractedBy' in stored ? stored.retractedBy : null,
});

const inOrder = (a: FeedEvent, b: FeedEvent): number =>
  ascending({ event: a.event, text: '', feedNo: 0n }, { event: b.event, text: '', feedNo: 0n });
