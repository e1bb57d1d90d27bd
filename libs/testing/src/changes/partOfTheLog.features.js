'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.describePartOfTheLog = describePartOfTheLog;
const globals_1 = require('@jest/globals');
const blockSeqNo_1 = require('../blockSeqNo');
const fakeSubject_1 = require('../fakeSubject');
const marketEvents_1 = require('../marketEvents');
const storeSteps_1 = require('../storeSteps');
/** The contract of reading a part of the log again. */
function describePartOfTheLog(name, features) {
  const { open } = features;
  (0, globals_1.describe)(`${name}: a part of the log`, () => {
    (0, globals_1.it)('is told with the blocks that are known, and what it discovered', async () => {
      const { events } = (0, marketEvents_1.createMarketScript)()
        .listed('1')
        .nextBlock(2n)
        .filled('1')
        .nextBlock(9n)
        .listed('1');
      const { store } = await open(1);
      const discovered = [2n, 7n].map((position) => ({
        address: (0, marketEvents_1.address)(`at${position}`),
        kind: 'erc721',
        discoveredAt: blockSeqNo_1.blockSeqNo.encode(position, 1, 0),
      }));
      await (0, storeSteps_1.append)(store, {
        ...(0, fakeSubject_1.appendMessage)(events, 0n, 5n),
        discovered: discovered.slice(0, 1),
      });
      await (0, storeSteps_1.append)(store, {
        ...(0, fakeSubject_1.appendMessage)(events, 6n, 15n),
        discovered: discovered.slice(1),
      });
      const known = (position) => ({ position, hash: (0, fakeSubject_1.fakeBlock)(position).hash });
      (0, globals_1.expect)(await store.rangeEvents(2n, 12n)).toEqual({
        epoch: 0n,
        nextPosition: 16n,
        events: events.slice(1),
        blocks: [known(3n), known(5n), known(12n)],
        discovered,
      });
      (0, globals_1.expect)(await store.rangeEvents(4n, 4n)).toMatchObject({
        events: [],
        blocks: [],
        discovered: [],
      });
      (0, globals_1.expect)(await store.tamperedEvents({ fromPosition: 0n, toPosition: 15n })).toEqual([]);
      (0, globals_1.expect)(
        await store.eventsAt([marketEvents_1.MARKET, (0, marketEvents_1.address)('nobody')]),
      ).toEqual(events.map(({ seqNo }) => seqNo));
      (0, globals_1.expect)(await store.eventsAt([(0, marketEvents_1.address)('nobody')])).toEqual([]);
    });
  });
}
