"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.MARKET_OBSERVER = void 0;
exports.straightFold = straightFold;
const market_1 = require("@imart/market");
const pipeline_1 = require("@imart/pipeline");
const marketEvents_1 = require("./marketEvents");
exports.MARKET_OBSERVER = { name: 'market', subjectId: marketEvents_1.SUBJECT, reducers: market_1.marketReducers };
/** One clean pass over all events: the oracle. */
function straightFold(events) {
    const cache = (0, pipeline_1.createStateCache)(Number.MAX_SAFE_INTEGER, true);
    return (0, pipeline_1.foldRun)(events, { observer: exports.MARKET_OBSERVER, cache, parked: new Set(), snapshotRule: pipeline_1.noSnapshots });
}
