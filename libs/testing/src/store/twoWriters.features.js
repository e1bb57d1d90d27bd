'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.describeTwoWriters = describeTwoWriters;
const globals_1 = require('@jest/globals');
const core_1 = require('@imart/core');
const blockSeqNo_1 = require('../blockSeqNo');
const pipeline_1 = require('@imart/pipeline');
const marketOfEverything_1 = require('../marketOfEverything');
const storeSteps_1 = require('../storeSteps');
/** Something that is waited for. */
function gate() {
  let open = () => undefined;
  const opened = new Promise((resolve) => (open = resolve));
  return { opened, open: () => open() };
}
/** What locks are for. */
function describeTwoWriters({ open }) {
  (0, globals_1.describe)('two writers', () => {
    /** One that has its locks and keeps them until it may go on, and one that begins meanwhile. */
    const inTurns = async (store, first, second) => {
      const [locked, begun, mayLeave] = [gate(), gate(), gate()];
      const one = store.transaction((tx) =>
        first(tx, () => {
          locked.open();
          return mayLeave.opened;
        }),
      );
      await locked.opened;
      let isThrough = false;
      const two = store.transaction(async (tx) => {
        begun.open();
        const result = await second(tx);
        isThrough = true;
        return result;
      });
      await begun.opened;
      // What does not wait for a lock is through by now.
      for (let looks = 0; looks < 30; looks++) await store.progress();
      const waited = !isThrough;
      mayLeave.open();
      return { waited, results: await Promise.all([one, two]) };
    };
    (0, globals_1.it)('of one lane take turns: the second sees what the first has committed', async () => {
      const { store } = await open(2);
      const { waited, results } = await inTurns(
        store,
        async (tx, holds) => {
          const { lanes } = await tx.lockLanes([0, 1]);
          await holds();
          await tx.setCheckpoints([0, 1], blockSeqNo_1.blockSeqNo.last(1n), 0n);
          return lanes;
        },
        async (tx) => (await tx.lockLanes([1])).lanes,
      );
      (0, globals_1.expect)(waited).toBe(true);
      (0, globals_1.expect)(results).toEqual([
        [core_1.BEFORE_FIRST, core_1.BEFORE_FIRST],
        [blockSeqNo_1.blockSeqNo.last(1n), blockSeqNo_1.blockSeqNo.last(1n)],
      ]);
    });
    (0, globals_1.it)('of the log take turns: one range is appended once', async () => {
      const { store } = await open(1);
      const message = (0, storeSteps_1.wholeRange)((0, marketOfEverything_1.marketOfEverything)().events);
      const appended = async (tx, holds = async () => undefined) => {
        const { lastFeedNo } = await tx.lockIngest();
        await holds();
        return (await tx.append(await store.prepareAppend(message, lastFeedNo + 1n))).kind;
      };
      const { waited, results } = await inTurns(store, appended, (tx) => appended(tx));
      (0, globals_1.expect)(waited).toBe(true);
      (0, globals_1.expect)(results).toEqual(['appended', 'already-there']);
      (0, globals_1.expect)((await store.progress()).lastFeedNo).toBe(1n);
    });
    (0, globals_1.it)('that execute the same lane write every row and activity once', async () => {
      const { store, contents } = await open(1);
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
      await Promise.all([
        (0, storeSteps_1.executeLanes)(store, pipeline_1.noSnapshots, 3),
        (0, storeSteps_1.executeLanes)(store, pipeline_1.noSnapshots, 5),
      ]);
      (0, globals_1.expect)(await contents()).toEqual(await (0, storeSteps_1.contentsOfStraightFold)(events));
    });
  });
}
