'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.describeProgress = describeProgress;
const globals_1 = require('@jest/globals');
const blockSeqNo_1 = require('../blockSeqNo');
const fakeSubject_1 = require('../fakeSubject');
const marketEvents_1 = require('../marketEvents');
const randomMarket_1 = require('../randomMarket');
const storeSteps_1 = require('../storeSteps');
const straightFold_1 = require('../straightFold');
/** How far a subject is, and what is set aside. */
function describeProgress({ open }) {
  (0, globals_1.describe)('progress', () => {
    (0, globals_1.it)('of lanes never moves back, and is the least of them', async () => {
      const { store } = await open(3);
      const set = (lanes, position) =>
        store.transaction(async (tx) => {
          await tx.lockLanes(lanes);
          await tx.setCheckpoints(lanes, blockSeqNo_1.blockSeqNo.last(position), 0n);
        });
      const at = (position) => blockSeqNo_1.blockSeqNo.last(position);
      await set([0, 2], 5n);
      (0, globals_1.expect)(await store.progress()).toMatchObject({
        lanes: [at(5n), -1n, at(5n)],
        executed: -1n,
      });
      await set([0, 1, 2], 4n);
      (0, globals_1.expect)(await store.progress()).toMatchObject({
        lanes: [at(5n), at(4n), at(5n)],
        executed: at(4n),
      });
      await set([1], 9n);
      (0, globals_1.expect)(await store.progress()).toMatchObject({
        lanes: [at(5n), at(9n), at(5n)],
        executed: at(5n),
      });
    });
    (0, globals_1.it)('of finality never moves back', async () => {
      const { store } = await open(1);
      const finalize = (position) =>
        store.transaction(async (tx) => {
          await tx.lockIngest();
          await tx.finalize({
            kind: 'finalize',
            upToSeqNo: blockSeqNo_1.blockSeqNo.last(position),
            position,
          });
        });
      await finalize(0n);
      (0, globals_1.expect)(await store.resumePoint()).toMatchObject({ finalizedPosition: 0n });
      for (const position of [7n, 3n, 7n]) {
        await finalize(position);
        (0, globals_1.expect)((await store.progress()).finalized).toBe(blockSeqNo_1.blockSeqNo.last(7n));
        (0, globals_1.expect)((await store.resumePoint()).finalizedPosition).toBe(7n);
      }
    });
    (0, globals_1.it)(
      'tells a source where to go on: its window of blocks, what it discovered, what is final',
      async () => {
        const { store } = await open(1);
        (0, globals_1.expect)(await store.resumePoint()).toEqual({
          epoch: 0n,
          nextPosition: 0n,
          window: [],
          finalizedPosition: null,
          discovered: [],
        });
        const blocks = (...positions) => positions.map(fakeSubject_1.fakeBlock);
        const discovered = [
          {
            address: (0, marketEvents_1.address)('b'),
            kind: 'erc1155',
            discoveredAt: blockSeqNo_1.blockSeqNo.encode(1n, 4, 0),
          },
          {
            address: (0, marketEvents_1.address)('a'),
            kind: 'erc721',
            discoveredAt: blockSeqNo_1.blockSeqNo.encode(2n, 0, 1),
          },
        ];
        await (0, storeSteps_1.append)(store, {
          ...(0, fakeSubject_1.appendMessage)([], 0n, 3n),
          blocks: blocks(1n, 2n, 3n),
          discovered,
        });
        await (0, storeSteps_1.append)(store, {
          ...(0, fakeSubject_1.appendMessage)([], 4n, 5n),
          blocks: blocks(4n, 5n),
        });
        (0, globals_1.expect)(await store.resumePoint()).toEqual({
          epoch: 0n,
          nextPosition: 6n,
          window: blocks(1n, 2n, 3n, 4n, 5n),
          finalizedPosition: null,
          discovered,
        });
        await store.transaction(async (tx) => {
          await tx.lockIngest();
          await tx.finalize({ kind: 'finalize', upToSeqNo: blockSeqNo_1.blockSeqNo.last(4n), position: 4n });
        });
        await (0, storeSteps_1.append)(store, {
          ...(0, fakeSubject_1.appendMessage)([], 6n, 6n),
          blocks: blocks(6n),
        });
        // Below finality nothing can be taken back: those blocks are forgotten.
        (0, globals_1.expect)((await store.resumePoint()).window).toEqual(blocks(4n, 5n, 6n));
        await store.transaction(async (tx) => {
          await tx.lockIngest();
          await tx.finalize({
            kind: 'finalize',
            upToSeqNo: blockSeqNo_1.blockSeqNo.last(90n),
            position: 90n,
          });
        });
        await (0, storeSteps_1.append)(store, {
          ...(0, fakeSubject_1.appendMessage)([], 7n, 8n),
          blocks: blocks(8n),
        });
        (0, globals_1.expect)(await store.resumePoint()).toMatchObject({
          nextPosition: 9n,
          window: blocks(8n),
          discovered,
        });
      },
    );
    (0, globals_1.it)('does not care for heartbeats', async () => {
      const { store } = await open(1);
      const before = await store.progress();
      await store.heartbeat((0, fakeSubject_1.fakeBlock)(70n));
      (0, globals_1.expect)(await store.progress()).toEqual(before);
    });
  });
  (0, globals_1.describe)('parked aggregates', () => {
    (0, globals_1.it)(
      'are told with their first reason, and the fate of their events with them',
      async () => {
        const { store } = await open(1);
        const { events } = (0, randomMarket_1.addPoison)(
          (0, marketEvents_1.createMarketScript)().listed('1'),
          '1',
        )
          .filled('1')
          .listed('2');
        const [listed, poison, filled, other] = events.map(({ seqNo }) => seqNo);
        await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
        (0, globals_1.expect)(await store.fateOf(0, listed)).toBeNull();
        await (0, storeSteps_1.executeLanes)(store);
        const [marker] = await store.parked();
        (0, globals_1.expect)(marker).toMatchObject({
          aggregateId: `${marketEvents_1.MARKET}:1`,
          fromSeqNo: poison,
        });
        (0, globals_1.expect)(await store.fateOf(0, listed)).toBe('executed');
        (0, globals_1.expect)(await store.fateOf(0, poison)).toBe('parked');
        (0, globals_1.expect)(await store.fateOf(0, filled)).toBe('parked');
        (0, globals_1.expect)(await store.fateOf(0, other)).toBe('executed');
        (0, globals_1.expect)(await store.fateOf(0, blockSeqNo_1.blockSeqNo.last(2n))).toBe('executed');
        (0, globals_1.expect)(await store.fateOf(0, blockSeqNo_1.blockSeqNo.last(3n))).toBeNull();
        const again = { ...marker, fromSeqNo: filled, message: 'another' };
        await store.transaction(async (tx) =>
          tx.writeRun(await store.prepareRun({ ...straightFold_1.EMPTY_RUN, parked: [again] })),
        );
        (0, globals_1.expect)(await store.parked()).toEqual([marker]);
      },
    );
  });
}
