'use strict';
var __importDefault =
  (this && this.__importDefault) ||
  function (mod) {
    return mod && mod.__esModule ? mod : { default: mod };
  };
Object.defineProperty(exports, '__esModule', { value: true });
exports.describeAnyHistory = describeAnyHistory;
const globals_1 = require('@jest/globals');
const fast_check_1 = __importDefault(require('fast-check'));
const blockSeqNo_1 = require('../blockSeqNo');
const pipeline_1 = require('@imart/pipeline');
const fakeSubject_1 = require('../fakeSubject');
const histories_1 = require('../histories');
const marketOfEverything_1 = require('../marketOfEverything');
const storeSteps_1 = require('../storeSteps');
const straightFold_1 = require('../straightFold');
/** Any history, by any way. */
function describeAnyHistory({ open, runs }) {
  (0, globals_1.describe)('any history', () => {
    (0, globals_1.it)(
      'gives the tables of one clean pass, by catching up in any ranges and with any cache',
      async () => {
        await fast_check_1.default.assert(
          fast_check_1.default.asyncProperty(
            histories_1.histories,
            fast_check_1.default.integer({ min: 1, max: 4 }),
            fast_check_1.default.integer({ min: 1, max: 20 }),
            async ({ events, ends }, lanes, cachedStatesMax) => {
              const { store, contents } = await open(lanes);
              await (0, storeSteps_1.catchUpWith)(
                store,
                (0, fakeSubject_1.appendMessages)(events, ends, true),
                cachedStatesMax,
              );
              (0, globals_1.expect)(await contents()).toEqual(
                await (0, storeSteps_1.contentsOfStraightFold)(events),
              );
              const end = blockSeqNo_1.blockSeqNo.last(ends.at(-1));
              (0, globals_1.expect)(await store.progress()).toMatchObject({ executed: end, ingested: end });
              (0, globals_1.expect)(await store.loadStates((0, straightFold_1.keysOf)(events))).toEqual(
                (0, straightFold_1.foldedStates)(events),
              );
            },
          ),
          { numRuns: runs },
        );
      },
      300_000,
    );
    (0, globals_1.it)(
      'gives them by any lanes and runs, and refolding any aggregate from any event changes nothing',
      async () => {
        await fast_check_1.default.assert(
          fast_check_1.default.asyncProperty(
            histories_1.histories,
            fast_check_1.default.integer({ min: 1, max: 4 }),
            fast_check_1.default.integer({ min: 1, max: 10 }),
            fast_check_1.default.integer({ min: 1, max: 4 }),
            fast_check_1.default.nat(),
            async ({ events, ends }, lanes, runEventsMax, every, from) => {
              const { store, contents } = await open(lanes);
              for (const message of (0, fakeSubject_1.appendMessages)(events, ends))
                await (0, storeSteps_1.append)(store, message);
              await (0, storeSteps_1.executeLanes)(store, (0, pipeline_1.snapshotEvery)(every), runEventsMax);
              const expected = await (0, storeSteps_1.contentsOfStraightFold)(events);
              (0, globals_1.expect)(await contents()).toEqual(expected);
              for (const key of (0, straightFold_1.keysOf)(events)) {
                const fromSeqNo = events[from % events.length].seqNo;
                await (0, storeSteps_1.refoldOne)(store, { ...key, fromSeqNo });
              }
              (0, globals_1.expect)(await contents()).toEqual(expected);
            },
          ),
          { numRuns: runs },
        );
      },
      300_000,
    );
  });
  (0, globals_1.it)('refolding every aggregate from every event leaves all tables as they were', async () => {
    for (const every of [1, 3]) {
      const { store, contents } = await open(2);
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
      await (0, storeSteps_1.executeLanes)(store, (0, pipeline_1.snapshotEvery)(every));
      const before = await contents();
      (0, globals_1.expect)(before).toEqual(await (0, storeSteps_1.contentsOfStraightFold)(events));
      for (const key of (0, straightFold_1.keysOf)(events)) {
        const own = events.filter(
          (e) => e.aggregateType === key.aggregateType && e.aggregateId === key.aggregateId,
        );
        for (const { seqNo: fromSeqNo } of own) {
          await (0, storeSteps_1.refoldOne)(store, { ...key, fromSeqNo });
        }
        (0, globals_1.expect)(await contents()).toEqual(before);
      }
    }
  });
}
