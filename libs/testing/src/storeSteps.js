'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.refoldOne = exports.AN_OPERATOR = void 0;
exports.append = append;
exports.executeLanes = executeLanes;
exports.contentsOfStraightFold = contentsOfStraightFold;
exports.wholeRange = wholeRange;
exports.catchUpWith = catchUpWith;
exports.readAggregate = readAggregate;
const globals_1 = require('@jest/globals');
const pipeline_1 = require('@imart/pipeline');
const fakeSubject_1 = require('./fakeSubject');
const inMemorySubjectStore_1 = require('./inMemorySubjectStore');
const marketEvents_1 = require('./marketEvents');
const silentLogger_1 = require('./silentLogger');
const straightFold_1 = require('./straightFold');
const never = new AbortController().signal;
const allLanes = (store) => Array.from({ length: store.lanes }, (_, lane) => lane);
/** Who decides in specs that are not about it. */
exports.AN_OPERATOR = { actedBy: 'an operator', reason: 'because' };
/** Appends one range, as ingest does. */
function append(store, message) {
  return store.transaction(async (tx) => {
    const { lastFeedNo } = await tx.lockIngest();
    return tx.append(await store.prepareAppend(message, lastFeedNo + 1n));
  });
}
/** Executes all lanes up to the end of the log. */
async function executeLanes(store, snapshotRule = pipeline_1.noSnapshots, runEventsMax = 1000) {
  for (const lane of allLanes(store)) {
    const executor = (0, pipeline_1.createExecutor)({
      store,
      observer: straightFold_1.MARKET_OBSERVER,
      cachedStatesMax: 3,
      parkedAggregatesMax: 1000,
    });
    const stats = (0, pipeline_1.createPipelineStats)();
    await (0, pipeline_1.createLane)({
      lane,
      store,
      executor,
      snapshotRule,
      runEventsMax,
      stats,
      now: () => 0,
    }).advance();
  }
}
/** What one clean pass over all events leaves behind. */
async function contentsOfStraightFold(events) {
  const store = (0, inMemorySubjectStore_1.createInMemorySubjectStore)({
    subjectId: marketEvents_1.SUBJECT,
    lanes: 1,
    observer: straightFold_1.MARKET_OBSERVER,
  });
  await store.transaction(async (tx) =>
    tx.writeRun(await store.prepareRun((0, straightFold_1.straightFold)(events))),
  );
  return store.contents();
}
/** The events of a script as one range from position 0 to the one after the last event. */
function wholeRange(events) {
  return (0, fakeSubject_1.appendMessage)(events, 0n, (events.at(-1)?.source.position ?? 0n) + 1n);
}
/** Takes ranges as a worker that catches up does. */
async function catchUpWith(store, messages, cachedStatesMax = 1000) {
  const catchUp = (0, pipeline_1.createCatchUp)({
    store,
    executor: (0, pipeline_1.createExecutor)({
      store,
      observer: straightFold_1.MARKET_OBSERVER,
      cachedStatesMax,
      parkedAggregatesMax: 1000,
    }),
    stats: (0, pipeline_1.createPipelineStats)(),
    logger: silentLogger_1.silentLogger,
    random: () => 0,
    now: () => 0,
    onCommitted: () => undefined,
  });
  for (const message of messages) (0, globals_1.expect)(await catchUp.push(message, never)).toBe(true);
  await catchUp.drain(never);
}
/** Refolds an aggregate from a place on, up to where the lanes are. */
const refoldOne = (store, touched) =>
  store.transaction(async (tx) => {
    await tx.lockIngest();
    const { executed } = await tx.lockLanes(allLanes(store));
    await tx.unpark([touched]);
    await (0, pipeline_1.refold)(tx, { store, observer: straightFold_1.MARKET_OBSERVER }, [
      { ...touched, upToSeqNo: executed },
    ]);
  });
exports.refoldOne = refoldOne;
/** The events of one aggregate, as a refold reads them. */
async function readAggregate(store, range) {
  const events = [];
  await store.transaction((tx) =>
    tx.readAggregates([range], async (piece) => {
      events.push(...piece);
    }),
  );
  return events;
}
