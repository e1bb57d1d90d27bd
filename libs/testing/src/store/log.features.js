'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.describeLog = describeLog;
const globals_1 = require('@jest/globals');
const core_1 = require('@imart/core');
const blockSeqNo_1 = require('../blockSeqNo');
const pipeline_1 = require('@imart/pipeline');
const fakeSubject_1 = require('../fakeSubject');
const marketEvents_1 = require('../marketEvents');
const marketOfEverything_1 = require('../marketOfEverything');
const storeSteps_1 = require('../storeSteps');
const straightFold_1 = require('../straightFold');
/** What is appended, refused, and read. */
function describeLog({ open }) {
  (0, globals_1.describe)('the log', () => {
    (0, globals_1.it)('takes a range and moves to its end in one transaction', async () => {
      const { store } = await open(1);
      (0, globals_1.expect)(await store.progress()).toEqual({
        epoch: 0n,
        ingested: core_1.BEFORE_FIRST,
        nextPosition: 0n,
        lanes: [core_1.BEFORE_FIRST],
        executed: core_1.BEFORE_FIRST,
        lastFeedNo: 0n,
        finalized: core_1.BEFORE_FIRST,
        finalizedPosition: null,
        chainTimeUs: null,
        halt: null,
      });
      const { events } = (0, marketEvents_1.createMarketScript)().listed('1').nextBlock(4n).filled('1');
      const [first, empty, second] = (0, fakeSubject_1.appendMessages)(events, [2n, 3n, 9n]);
      (0, globals_1.expect)(await (0, storeSteps_1.append)(store, first)).toEqual({
        kind: 'appended',
        feedNo: 1n,
        events: 1,
      });
      (0, globals_1.expect)(await (0, storeSteps_1.append)(store, empty)).toEqual({
        kind: 'appended',
        feedNo: 2n,
        events: 0,
      });
      (0, globals_1.expect)(await (0, storeSteps_1.append)(store, second)).toEqual({
        kind: 'appended',
        feedNo: 3n,
        events: 1,
      });
      (0, globals_1.expect)(await store.progress()).toMatchObject({
        ingested: blockSeqNo_1.blockSeqNo.last(9n),
        nextPosition: 10n,
        executed: core_1.BEFORE_FIRST,
        lastFeedNo: 3n,
        chainTimeUs: (0, fakeSubject_1.fakeBlock)(9n).timeUs,
      });
    });
    (0, globals_1.it)('gives back every event as it was', async () => {
      const { store } = await open(1);
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
      const read = await store.transaction((tx) =>
        tx.readRun(0, core_1.BEFORE_FIRST, blockSeqNo_1.blockSeqNo.last(100n), 1000),
      );
      (0, globals_1.expect)(read).toEqual(events);
    });
    (0, globals_1.it)('uses no feed number that was foreseen but is taken', async () => {
      const { store } = await open(1);
      const [first, second] = (0, fakeSubject_1.appendMessages)(
        (0, marketEvents_1.createMarketScript)().listed('1').events,
        [0n, 5n],
      );
      const tooEarly = await store.prepareAppend(second, 1n);
      await (0, storeSteps_1.append)(store, first);
      const result = await store.transaction(async (tx) => {
        await tx.lockIngest();
        return tx.append(tooEarly);
      });
      (0, globals_1.expect)(result).toEqual({ kind: 'appended', feedNo: 2n, events: 1 });
      (0, globals_1.expect)((await store.progress()).lastFeedNo).toBe(2n);
    });
    (0, globals_1.it)('refuses a range that leaves a gap, and one that begins inside the log', async () => {
      const { store } = await open(1);
      await (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)([], 0n, 4n));
      await (0, globals_1.expect)(
        (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)([], 6n, 8n)),
      ).rejects.toThrow(pipeline_1.LedgerGapError);
      await (0, globals_1.expect)(
        (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)([], 3n, 8n)),
      ).rejects.toThrow(pipeline_1.LedgerGapError);
      (0, globals_1.expect)(await store.progress()).toMatchObject({ nextPosition: 5n, lastFeedNo: 1n });
    });
    (0, globals_1.it)('takes a range again without writing anything', async () => {
      const { store } = await open(1);
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      const messages = (0, fakeSubject_1.appendMessages)(events, [2n, 20n]);
      for (const message of messages) await (0, storeSteps_1.append)(store, message);
      const before = await store.progress();
      for (const message of messages)
        (0, globals_1.expect)(await (0, storeSteps_1.append)(store, message)).toEqual({
          kind: 'already-there',
        });
      // Other borders make no difference.
      (0, globals_1.expect)(
        await (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)(events, 1n, 3n)),
      ).toEqual({ kind: 'already-there' });
      (0, globals_1.expect)(await store.progress()).toEqual(before);
    });
    (0, globals_1.it)(
      'refuses a range that is there with another content: changed, missing, added',
      async () => {
        const { store } = await open(1);
        const { events } = (0, marketEvents_1.createMarketScript)()
          .listed('1')
          .listed('2')
          .nextBlock()
          .listed('3');
        await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
        const before = await store.progress();
        const [one, two, three] = events;
        const changes = [
          [one, { ...two, data: { ...two.data, price: 101n } }, three],
          [one, { ...two, source: { ...two.source, blockHash: `0x${'77'.repeat(32)}` } }, three],
          [one, three],
          [one, two],
          [],
          [one, two, { ...two, seqNo: two.seqNo + 1n }, three],
        ];
        for (const changed of changes) {
          const again = (0, storeSteps_1.append)(store, {
            ...(0, storeSteps_1.wholeRange)(events),
            events: changed,
          });
          await (0, globals_1.expect)(again).rejects.toThrow(pipeline_1.EventConflictError);
          (0, globals_1.expect)(await store.progress()).toEqual(before);
        }
      },
    );
    (0, globals_1.it)('keeps nothing of a transaction that fails, whatever it had done', async () => {
      const { store, contents } = await open(1);
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      const run = await store.prepareRun((0, straightFold_1.straightFold)(events));
      const failing = store.transaction(async (tx) => {
        await tx.lockIngest();
        await tx.lockLanes([0]);
        await tx.append(await store.prepareAppend((0, storeSteps_1.wholeRange)(events), 1n));
        await tx.writeRun(run);
        await tx.setCheckpoints([0], blockSeqNo_1.blockSeqNo.last(3n), 0n);
        await tx.finalize({ kind: 'finalize', upToSeqNo: blockSeqNo_1.blockSeqNo.last(2n), position: 2n });
        throw new RangeError('on purpose');
      });
      await (0, globals_1.expect)(failing).rejects.toThrow(new RangeError('on purpose'));
      (0, globals_1.expect)(await contents()).toEqual({ rows: [], activities: [], parked: [] });
      (0, globals_1.expect)(await store.progress()).toMatchObject({
        nextPosition: 0n,
        executed: core_1.BEFORE_FIRST,
        finalized: core_1.BEFORE_FIRST,
        lastFeedNo: 0n,
      });
      (0, globals_1.expect)(await store.parked()).toEqual([]);
      (0, globals_1.expect)(
        await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events)),
      ).toMatchObject({ kind: 'appended', feedNo: 1n });
    });
  });
  (0, globals_1.describe)('reading the log', () => {
    globals_1.it.each([1, 4])('%i lanes part it: every event in exactly one, in order', async (lanes) => {
      const { store } = await open(lanes);
      const script = (0, marketEvents_1.createMarketScript)();
      for (let i = 1; i <= 30; i++)
        script.listed(String(i)).minted(marketEvents_1.ALICE, BigInt(i)).nextBlock();
      await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(script.events));
      const end = blockSeqNo_1.blockSeqNo.last(100n);
      const byLane = [];
      for (let lane = 0; lane < lanes; lane++)
        byLane.push(await store.transaction((tx) => tx.readRun(lane, core_1.BEFORE_FIRST, end, 1000)));
      byLane.forEach((events, lane) => {
        (0, globals_1.expect)(events).toEqual(
          script.events.filter(
            (e) =>
              (0, core_1.laneOf)((0, core_1.aggregateHash)(e.aggregateType, e.aggregateId), lanes) === lane,
          ),
        );
        (0, globals_1.expect)(events.length).toBeGreaterThan(0);
      });
      (0, globals_1.expect)(byLane.flat()).toHaveLength(60);
    });
    (0, globals_1.it)('gives events after one place, up to another, and no more than the limit', async () => {
      const { store } = await open(1);
      const script = (0, marketEvents_1.createMarketScript)();
      for (let i = 1; i <= 9; i++) script.listed(String(i));
      const { events } = script;
      await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
      const read = (from, to, limit) => store.transaction((tx) => tx.readRun(0, from, to, limit));
      (0, globals_1.expect)(await read(events[2].seqNo, events[6].seqNo, 100)).toEqual(events.slice(3, 7));
      (0, globals_1.expect)(await read(events[2].seqNo, events[6].seqNo, 2)).toEqual(events.slice(3, 5));
      (0, globals_1.expect)(await read(events[8].seqNo, blockSeqNo_1.blockSeqNo.last(50n), 2)).toEqual([]);
    });
    (0, globals_1.it)('gives the events of one aggregate, and of no other with a like id', async () => {
      const { store } = await open(4);
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
      for (const key of (0, straightFold_1.keysOf)(events)) {
        const own = events.filter(
          (e) => e.aggregateType === key.aggregateType && e.aggregateId === key.aggregateId,
        );
        const read = (from, to) =>
          (0, storeSteps_1.readAggregate)(store, { ...key, afterSeqNo: from, upToSeqNo: to });
        (0, globals_1.expect)(await read(core_1.BEFORE_FIRST, blockSeqNo_1.blockSeqNo.last(100n))).toEqual(
          own,
        );
        (0, globals_1.expect)(await read(own[0].seqNo, own.at(-1).seqNo)).toEqual(own.slice(1));
      }
    });
  });
}
