'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.EMPTY_RUN = exports.keysOf = exports.MARKET_OBSERVER = void 0;
exports.straightFold = straightFold;
exports.foldedStates = foldedStates;
const core_1 = require('@imart/core');
const market_1 = require('@imart/market');
const pipeline_1 = require('@imart/pipeline');
const marketEvents_1 = require('./marketEvents');
exports.MARKET_OBSERVER = {
  name: 'market',
  subjectId: marketEvents_1.SUBJECT,
  reducers: market_1.marketReducers,
};
/** One clean pass over all events: the oracle. */
function straightFold(events) {
  const cache = (0, pipeline_1.createStateCache)(Number.MAX_SAFE_INTEGER, true);
  return (0, pipeline_1.foldRun)(events, {
    observer: exports.MARKET_OBSERVER,
    cache,
    parked: new Set(),
    snapshotRule: pipeline_1.noSnapshots,
  });
}
/** The state of every aggregate after these events, by its reducer alone. */
function foldedStates(events) {
  const states = new Map();
  const cache = (0, pipeline_1.createStateCache)(Number.MAX_SAFE_INTEGER, true);
  (0, pipeline_1.foldRun)(events, {
    observer: exports.MARKET_OBSERVER,
    cache,
    parked: new Set(),
    snapshotRule: pipeline_1.noSnapshots,
  });
  for (const event of events) {
    const text = (0, core_1.aggregateKeyText)(event.aggregateType, event.aggregateId);
    const state = cache.get(text);
    if (state !== undefined && state.version > 0) states.set(text, state);
  }
  return states;
}
/** The aggregates of events, each once. */
const keysOf = (events) => [
  ...new Map(
    events.map(({ aggregateType, aggregateId }) => [
      (0, core_1.aggregateKeyText)(aggregateType, aggregateId),
      { aggregateType, aggregateId },
    ]),
  ).values(),
];
exports.keysOf = keysOf;
/** A run of no events. */
exports.EMPTY_RUN = { rows: [], activities: [], snapshots: [], parked: [], folded: 0 };
