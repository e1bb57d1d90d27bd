'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.describeHalt = describeHalt;
const globals_1 = require('@jest/globals');
const pipeline_1 = require('@imart/pipeline');
const fakeSubject_1 = require('../fakeSubject');
const marketEvents_1 = require('../marketEvents');
const storeSteps_1 = require('../storeSteps');
/** The contract of a chain that stands still until somebody decides. */
function describeHalt(name, features) {
  const { open } = features;
  (0, globals_1.describe)(`${name}: a halt`, () => {
    (0, globals_1.it)(
      'is told by everything that reads, until it is cleared; its first reason stays',
      async () => {
        const { store } = await open(1);
        (0, globals_1.expect)(await store.halted()).toBeNull();
        const first = await store.halt('TOO_MANY_PARKED', 'a message');
        (0, globals_1.expect)(first).toMatchObject({ code: 'TOO_MANY_PARKED', message: 'a message' });
        (0, globals_1.expect)(await store.halt('REORG_TOO_DEEP', 'another')).toEqual(first);
        (0, globals_1.expect)(await store.halted()).toEqual(first);
        (0, globals_1.expect)((await store.progress()).halt).toEqual(first);
        (0, globals_1.expect)(await store.heartbeat((0, fakeSubject_1.fakeBlock)(3n))).toEqual({
          epoch: 0n,
          halt: first,
        });
        (0, globals_1.expect)(await store.clearHalt('TOO_MANY_PARKED', storeSteps_1.AN_OPERATOR)).toBe(true);
        (0, globals_1.expect)(await store.clearHalt('TOO_MANY_PARKED', storeSteps_1.AN_OPERATOR)).toBe(false);
        (0, globals_1.expect)(await store.halted()).toBeNull();
        (0, globals_1.expect)((await store.progress()).halt).toBeNull();
        (0, globals_1.expect)(await store.heartbeat((0, fakeSubject_1.fakeBlock)(3n))).toEqual({
          epoch: 0n,
          halt: null,
        });
      },
    );
    (0, globals_1.it)(
      'is cleared by whoever looked at it, and recorded with who and why; another one meanwhile stays',
      async () => {
        const { store, kept } = await open(1);
        const halt = await store.halt('EVENT_CONFLICT', 'a message');
        (0, globals_1.expect)(await store.clearHalt('TOO_MANY_PARKED', storeSteps_1.AN_OPERATOR)).toBe(false);
        (0, globals_1.expect)(await store.halted()).toEqual(halt);
        (0, globals_1.expect)((await kept()).operatorActions).toEqual([]);
        (0, globals_1.expect)(
          await store.clearHalt('EVENT_CONFLICT', { actedBy: 'ada', reason: 'mended' }),
        ).toBe(true);
        (0, globals_1.expect)(await store.halted()).toBeNull();
        (0, globals_1.expect)((await kept()).operatorActions).toEqual([
          {
            action: 'resume',
            actedBy: 'ada',
            reason: 'mended',
            toPosition: null,
            halt,
            events: 0n,
            nextPosition: null,
            isFinished: true,
          },
        ]);
      },
    );
    (0, globals_1.it)('keeps lanes from executing', async () => {
      const { events } = (0, marketEvents_1.createMarketScript)().listed('1');
      const { store, contents } = await open(1);
      await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
      await store.halt('REORG_TOO_DEEP', 'a message');
      await (0, globals_1.expect)((0, storeSteps_1.executeLanes)(store)).rejects.toBeInstanceOf(
        pipeline_1.HaltedError,
      );
      (0, globals_1.expect)((await contents()).rows).toEqual([]);
      await store.clearHalt('REORG_TOO_DEEP', storeSteps_1.AN_OPERATOR);
      await (0, storeSteps_1.executeLanes)(store);
      (0, globals_1.expect)(await contents()).toEqual(await (0, storeSteps_1.contentsOfStraightFold)(events));
    });
  });
}
