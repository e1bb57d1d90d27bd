'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.MENDED =
  exports.finalize =
  exports.orderKey =
  exports.late =
  exports.upTo =
  exports.takeBackAfter =
  exports.at =
  exports.changing =
    void 0;
exports.takeBack = takeBack;
exports.blockByBlock = blockByBlock;
exports.movedTo = movedTo;
exports.applyLate = applyLate;
exports.filled = filled;
exports.onlyListed = onlyListed;
exports.executeUpTo = executeUpTo;
exports.executeWith = executeWith;
const blockSeqNo_1 = require('../blockSeqNo');
const market_1 = require('@imart/market');
const pipeline_1 = require('@imart/pipeline');
const fakeSubject_1 = require('../fakeSubject');
const marketEvents_1 = require('../marketEvents');
const silentLogger_1 = require('../silentLogger');
const storeSteps_1 = require('../storeSteps');
const straightFold_1 = require('../straightFold');
const changing = (store, observer = straightFold_1.MARKET_OBSERVER) => ({
  store,
  observer,
  logger: silentLogger_1.silentLogger,
});
exports.changing = changing;
const at = (position) => blockSeqNo_1.blockSeqNo.last(position);
exports.at = at;
/** Everything after this position is taken back. */
const takeBackAfter = (position, ancestor = (0, fakeSubject_1.fakeBlock)(position)) => ({
  kind: 'invalidate',
  fromSeqNo: blockSeqNo_1.blockSeqNo.first(position + 1n),
  ancestor,
});
exports.takeBackAfter = takeBackAfter;
async function takeBack(store, position) {
  const { epoch } = await store.progress();
  return (0, pipeline_1.invalidate)(
    (0, exports.changing)(store),
    (0, exports.takeBackAfter)(position),
    epoch,
  );
}
/** The events as complete ranges of one position each, every block told: so are positions above finality. */
function blockByBlock(events, toPosition, fromPosition = 0n) {
  const messages = [];
  for (let position = fromPosition; position <= toPosition; position++)
    messages.push((0, fakeSubject_1.appendMessage)(events, position, position));
  return messages;
}
const upTo = (events, position) => events.filter(({ source }) => source.position <= position);
exports.upTo = upTo;
/** The same event elsewhere: as another block, or another transaction order, has it. */
function movedTo(event, position, index, blockHash) {
  const block = (0, fakeSubject_1.fakeBlock)(position);
  return {
    ...event,
    seqNo: blockSeqNo_1.blockSeqNo.encode(position, index, 0),
    source: {
      ...event.source,
      position,
      index,
      blockHash: blockHash ?? block.hash,
      timeUs: block.timeUs,
    },
  };
}
const late = (epoch, change) => ({
  epoch,
  blocks: [],
  inserted: [],
  replaced: [],
  retracted: [],
  discovered: [],
  ...change,
});
exports.late = late;
async function applyLate(store, change) {
  const { epoch } = await store.progress();
  return (0, pipeline_1.applyLateChange)((0, exports.changing)(store), (0, exports.late)(epoch, change));
}
const orderKey = (id) => ({
  aggregateType: market_1.AGGREGATE.order,
  aggregateId: `${marketEvents_1.MARKET}:${id}`,
});
exports.orderKey = orderKey;
const finalize = (store, position) =>
  store.transaction(async (tx) => {
    await tx.lockIngest();
    await tx.finalize({ kind: 'finalize', upToSeqNo: (0, exports.at)(position), position });
  });
exports.finalize = finalize;
/** A program that has been mended: what its order reducer could not fold changes nothing. */
exports.MENDED = {
  ...straightFold_1.MARKET_OBSERVER,
  reducers: new Map(straightFold_1.MARKET_OBSERVER.reducers).set(market_1.AGGREGATE.order, mendedOrders()),
};
function mendedOrders() {
  const reducer = straightFold_1.MARKET_OBSERVER.reducers.get(market_1.AGGREGATE.order);
  return {
    ...reducer,
    fold: (state, event) =>
      event.name === 'TokenMinted' ? { state, rows: [], activities: [] } : reducer.fold(state, event),
  };
}
/** Every `every`-th event of an aggregate makes a snapshot, in a store with these events, executed. */
async function filled(features, events, { lanes = 1, every = 2, toPosition = 30n } = {}) {
  const opened = await features.open(lanes);
  for (const message of blockByBlock(events, toPosition))
    await (0, storeSteps_1.append)(opened.store, message);
  await (0, storeSteps_1.executeLanes)(
    opened.store,
    every === 0 ? pipeline_1.noSnapshots : (0, pipeline_1.snapshotEvery)(every),
  );
  return opened;
}
/** Refuses what was never listed. */
function onlyListed() {
  const reducer = straightFold_1.MARKET_OBSERVER.reducers.get(market_1.AGGREGATE.order);
  return {
    ...reducer,
    fold(state, event) {
      if (state.version === 0 && event.name !== 'OrderListed') throw new Error('it was never listed');
      return reducer.fold(state, event);
    },
  };
}
/** Executes each lane up to a place of its own. */
async function executeUpTo(store, places) {
  for (const [lane, place] of places.entries()) {
    const short = {
      ...store,
      transaction: (work) =>
        store.transaction((tx) =>
          work({ ...tx, lockLanes: async (lanes) => ({ ...(await tx.lockLanes(lanes)), ingested: place }) }),
        ),
    };
    await executeWith(short, straightFold_1.MARKET_OBSERVER, [lane]);
  }
}
async function executeWith(store, observer, lanes = Array.from({ length: store.lanes }, (_, lane) => lane)) {
  for (const lane of lanes) {
    const executor = (0, pipeline_1.createExecutor)({
      store,
      observer,
      cachedStatesMax: 100,
      parkedAggregatesMax: 100,
    });
    const stats = (0, pipeline_1.createPipelineStats)();
    await (0, pipeline_1.createLane)({
      lane,
      store,
      executor,
      snapshotRule: pipeline_1.noSnapshots,
      runEventsMax: 1000,
      stats,
      now: () => 0,
    }).advance();
  }
}
