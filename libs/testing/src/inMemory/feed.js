'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.readFeed = readFeed;
const pipeline_1 = require('@imart/pipeline');
const committed_1 = require('./committed');
/** The feed's changes after one, as far as they are to be shown. */
function readFeed(subjectId, state, afterFeedNo, { changesMax = 100, eventsMax = 10_000 }) {
  const { feed, log, retracted, lastFeedNo } = state;
  if (afterFeedNo > lastFeedNo) throw new pipeline_1.FeedGapError(subjectId, afterFeedNo, lastFeedNo);
  const shown = [];
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
function waits({ feed, lanes }, { feedNo, kind, fromSeqNo, toSeqNo }) {
  if (kind !== 'appended' && kind !== 'late') return false;
  const cuts = feed.filter((row) => row.kind === 'invalidated' && row.feedNo > feedNo);
  const end = cuts.reduce((least, cut) => (cut.fromSeqNo <= least ? cut.fromSeqNo - 1n : least), toSeqNo);
  return end >= fromSeqNo && lanes.some((seqNo) => seqNo < end);
}
const feedEvent = (stored) => ({
  event: (0, committed_1.readStored)(stored),
  addedBy: stored.feedNo,
  retractedBy: 'retractedBy' in stored ? stored.retractedBy : null,
});
const inOrder = (a, b) =>
  (0, committed_1.ascending)(
    { event: a.event, text: '', feedNo: 0n },
    { event: b.event, text: '', feedNo: 0n },
  );
