'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.keptOf = exports.contentsOf = exports.progressOf = void 0;
exports.statesOf = statesOf;
exports.rangeOf = rangeOf;
exports.mustBeTheSame = mustBeTheSame;
const node_util_1 = require('node:util');
const core_1 = require('@imart/core');
const blockSeqNo_1 = require('../blockSeqNo');
const pipeline_1 = require('@imart/pipeline');
const aggregateOfRow_1 = require('../aggregateOfRow');
const committed_1 = require('./committed');
/** How far the subject is. */
const progressOf = (state) => ({
  epoch: state.epoch,
  ingested: state.ingested,
  nextPosition: state.nextPosition,
  lanes: [...state.lanes],
  executed: state.lanes.reduce((least, seqNo) => (seqNo < least ? seqNo : least)),
  lastFeedNo: state.lastFeedNo,
  finalized: state.finalized,
  finalizedPosition: state.finalizedPosition,
  chainTimeUs: state.chainTimeUs,
  halt: state.halt,
});
exports.progressOf = progressOf;
/** The states of aggregates, as their rows hold them. */
function statesOf(committed, observer, keys) {
  const wanted = new Set(keys.map((key) => (0, core_1.aggregateKeyText)(key.aggregateType, key.aggregateId)));
  const found = new Map();
  for (const row of committed.rows.values()) {
    const key = (0, aggregateOfRow_1.aggregateOfRow)(row);
    const text = (0, core_1.aggregateKeyText)(key.aggregateType, key.aggregateId);
    if (!wanted.has(text)) continue;
    const entry = found.get(text) ?? { key, rows: [] };
    entry.rows.push(row);
    found.set(text, entry);
  }
  const states = new Map();
  for (const [text, { key, rows: own }] of found) {
    const reducer = observer.reducers.get(key.aggregateType);
    if (reducer !== undefined) states.set(text, reducer.restore(key.aggregateId, own));
  }
  return states;
}
/** The log between two positions. */
function rangeOf(committed, fromPosition, toPosition) {
  const within = (position) => position >= fromPosition && position <= toPosition;
  const { epoch, nextPosition, log, blocks, discovered } = committed;
  const events = log.map(committed_1.readStored).filter(({ source }) => within(source.position));
  const known = new Map(events.map(({ source }) => [source.position, source.blockHash]));
  for (const { position, hash } of blocks) if (within(position)) known.set(position, hash);
  return {
    epoch,
    nextPosition,
    events,
    blocks: [...known]
      .map(([position, hash]) => ({ position, hash }))
      .sort((a, b) => Number(a.position - b.position)),
    discovered: discovered.filter(({ discoveredAt }) =>
      within(blockSeqNo_1.blockSeqNo.decode(discoveredAt).position),
    ),
  };
}
/**
 * That a range which is there has the same events.
 * @throws {EventConflictError} it has others.
 */
function mustBeTheSame(subjectId, committed, { events, from, to }) {
  const within = committed.log.filter(({ event }) => event.seqNo >= from && event.seqNo <= to);
  const stored = new Map(within.map((one) => [one.event.seqNo, one]));
  for (const event of events) {
    const known = stored.get(event.seqNo);
    if (known === undefined)
      throw new pipeline_1.EventConflictError(subjectId, event.seqNo, 'it was not there');
    if (!(0, node_util_1.isDeepStrictEqual)(known, (0, committed_1.storedOf)(event, known.feedNo)))
      throw new pipeline_1.EventConflictError(subjectId, event.seqNo, 'another content');
    stored.delete(event.seqNo);
  }
  for (const seqNo of stored.keys())
    throw new pipeline_1.EventConflictError(subjectId, seqNo, 'the source no longer has it');
}
/** Everything that is committed. */
const contentsOf = (committed) => ({
  rows: [...committed.rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
  activities: [...committed.activities.values()]
    .map(({ event, ...activity }) => ({ ...activity, seqNo: event.seqNo }))
    .sort((a, b) => Number(a.seqNo - b.seqNo) || a.item - b.item),
  parked: [...committed.parked.values()].sort((a, b) => Number(a.fromSeqNo - b.fromSeqNo)),
});
exports.contentsOf = contentsOf;
/** What else is kept. */
const keptOf = (committed) => ({
  parkActions: [...committed.parkActions],
  operatorActions: [...committed.operatorActions],
  skipped: [...committed.skipped].sort((a, b) => (a < b ? -1 : 1)),
  snapshots: committed.snapshots
    .map(({ snapshot: { aggregateType, aggregateId }, seqNo }) => ({ aggregateType, aggregateId, seqNo }))
    .sort((a, b) => Number(a.seqNo - b.seqNo)),
  parkedAt: [...committed.parked.keys()].map((key) => String(committed.parkedAt.get(key)?.at)),
});
exports.keptOf = keptOf;
