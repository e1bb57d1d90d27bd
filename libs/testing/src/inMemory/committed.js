'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.refuse =
  exports.LedgerMisuse =
  exports.ascending =
  exports.isOf =
  exports.storedOf =
  exports.readStored =
    void 0;
exports.nothingCommitted = nothingCommitted;
exports.copyOf = copyOf;
exports.addSnapshot = addSnapshot;
exports.park = park;
exports.newestSnapshot = newestSnapshot;
const core_1 = require('@imart/core');
const market_1 = require('@imart/market');
const pipeline_1 = require('@imart/pipeline');
function nothingCommitted(lanes) {
  return {
    log: [],
    retracted: [],
    feed: [],
    rows: new Map(),
    activities: new Map(),
    parked: new Map(),
    parkedAt: new Map(),
    parkActions: [],
    operatorActions: [],
    passes: [],
    skipped: new Set(),
    snapshots: [],
    discovered: [],
    blocks: [],
    halt: null,
    epoch: 0n,
    ingested: core_1.BEFORE_FIRST,
    nextPosition: 0n,
    lanes: Array.from({ length: lanes }, () => core_1.BEFORE_FIRST),
    lastFeedNo: 0n,
    finalized: core_1.BEFORE_FIRST,
    finalizedPosition: null,
    chainTimeUs: null,
  };
}
/** A copy whose changes are nobody else's. What it holds is never changed, only replaced. */
function copyOf(state) {
  return {
    ...state,
    log: [...state.log],
    retracted: [...state.retracted],
    feed: [...state.feed],
    rows: new Map(state.rows),
    activities: new Map(state.activities),
    parked: new Map(state.parked),
    parkedAt: new Map(state.parkedAt),
    parkActions: [...state.parkActions],
    operatorActions: [...state.operatorActions],
    passes: [...state.passes],
    skipped: new Set(state.skipped),
    snapshots: [...state.snapshots],
    discovered: [...state.discovered],
    blocks: [...state.blocks],
    lanes: [...state.lanes],
  };
}
const readStored = ({ event, text }) => ({
  ...event,
  data: market_1.marketEventCodec.decode(event.name, text),
});
exports.readStored = readStored;
const storedOf = ({ data, ...event }, feedNo) => ({
  event,
  text: market_1.marketEventCodec.encode(event.name, data),
  feedNo,
});
exports.storedOf = storedOf;
const isOf = (key, other) =>
  key.aggregateType === other.aggregateType && key.aggregateId === other.aggregateId;
exports.isOf = isOf;
const ascending = (a, b) => (a.event.seqNo < b.event.seqNo ? -1 : a.event.seqNo > b.event.seqNo ? 1 : 0);
exports.ascending = ascending;
/** Of one event there is one snapshot: the one that is written last. */
function addSnapshot(state, { state: folded, ...snapshot }) {
  const { seqNo, version } = folded;
  state.snapshots = state.snapshots.filter(
    (one) => one.seqNo !== seqNo || !(0, exports.isOf)(one.snapshot, snapshot),
  );
  state.snapshots.push({ snapshot, seqNo, version, text: (0, pipeline_1.encodeState)(folded) });
}
/** Sets an aggregate aside; one that is set aside already stays so from where it was. */
function park(state, marker) {
  const key = (0, core_1.aggregateKeyText)(marker.aggregateType, marker.aggregateId);
  if (state.parked.has(key)) return;
  state.parked.set(key, marker);
  const { fromSeqNo } = marker;
  if (state.parkedAt.get(key)?.fromSeqNo === fromSeqNo) return;
  state.parkedAt.set(key, { fromSeqNo, at: state.parkedAt.size + state.parkActions.length });
}
/** The newest usable snapshot of an aggregate below a place. */
function newestSnapshot({ snapshots }, key, below, reducerVersion) {
  const [newest] = snapshots
    .filter(({ snapshot }) => (0, exports.isOf)(key, snapshot) && snapshot.reducerVersion === reducerVersion)
    .filter(({ seqNo }) => seqNo < below)
    .sort((a, b) => (a.seqNo < b.seqNo ? 1 : -1));
  return newest === undefined ? undefined : { ...newest, state: (0, pipeline_1.decodeState)(newest.text) };
}
/** The port is used as it must not be. Of disposition `stop`, so that no retry hides it from a spec. */
class LedgerMisuse extends pipeline_1.LedgerGapError {
  constructor(what) {
    super('in-memory store', 0n, 0n);
    this.message = `the store is used wrongly: ${what}`;
  }
}
exports.LedgerMisuse = LedgerMisuse;
/** A broken rule of the port, not of the data. */
const refuse = (what) => {
  throw new LedgerMisuse(what);
};
exports.refuse = refuse;
