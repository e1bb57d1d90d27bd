'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.describeStates = describeStates;
const globals_1 = require('@jest/globals');
const core_1 = require('@imart/core');
const blockSeqNo_1 = require('../blockSeqNo');
const market_1 = require('@imart/market');
const pipeline_1 = require('@imart/pipeline');
const marketEvents_1 = require('../marketEvents');
const marketOfEverything_1 = require('../marketOfEverything');
const storeSteps_1 = require('../storeSteps');
const straightFold_1 = require('../straightFold');
/** States and snapshots: written, read, erased. */
function describeStates({ open }) {
  (0, globals_1.describe)('states', () => {
    (0, globals_1.it)('come back as their reducers left them, for every type of aggregate', async () => {
      const { store } = await open(1);
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
      await (0, storeSteps_1.executeLanes)(store);
      const expected = (0, straightFold_1.foldedStates)(events);
      (0, globals_1.expect)(new Set([...expected.keys()].map((key) => key.split('/')[0]))).toEqual(
        new Set(Object.values(market_1.AGGREGATE)),
      );
      (0, globals_1.expect)(await store.loadStates((0, straightFold_1.keysOf)(events))).toEqual(expected);
    });
    (0, globals_1.it)('of what has no rows are missing, and of what is not asked for as well', async () => {
      const { store } = await open(1);
      await (0, storeSteps_1.append)(
        store,
        (0, storeSteps_1.wholeRange)((0, marketEvents_1.createMarketScript)().listed('1').listed('2').events),
      );
      await (0, storeSteps_1.executeLanes)(store);
      const key = (aggregateType, id) => ({
        aggregateType,
        aggregateId: `${marketEvents_1.MARKET}:${id}`,
      });
      const states = await store.loadStates([
        key('order', '1'),
        key('order', '3'),
        key('offer', '2'),
        key('undecodable', '1'),
      ]);
      (0, globals_1.expect)([...states.keys()]).toEqual([`order/${marketEvents_1.MARKET}:1`]);
      (0, globals_1.expect)(await store.loadStates([])).toEqual(new Map());
    });
    (0, globals_1.it)('of order 5 and offer 5 of one contract are two', async () => {
      const { store, contents } = await open(1);
      const { events } = (0, marketEvents_1.createMarketScript)()
        .listed('5', { price: 1n })
        .offered('5', { price: 2n })
        .listed('5', { side: 'offer', maker: marketEvents_1.CAROL, price: 3n });
      await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
      await (0, storeSteps_1.executeLanes)(store);
      const states = await store.loadStates((0, straightFold_1.keysOf)(events));
      (0, globals_1.expect)([...states.keys()].sort()).toEqual([
        `offer/${marketEvents_1.MARKET}:5`,
        `order/${marketEvents_1.MARKET}:5`,
      ]);
      (0, globals_1.expect)(states.get(`offer/${marketEvents_1.MARKET}:5`)).toMatchObject({
        row: { price: 2n, table: 'offers' },
      });
      (0, globals_1.expect)(states.get(`order/${marketEvents_1.MARKET}:5`)).toMatchObject({
        row: { price: 3n, table: 'offers' },
      });
      (0, globals_1.expect)((await contents()).rows).toHaveLength(3);
    });
    (0, globals_1.it)('are of the newest of successive rows', async () => {
      const { store, contents } = await open(1);
      const { events } = (0, marketEvents_1.createMarketScript)()
        .listed('1', { price: 1n })
        .filled('1')
        .nextBlock()
        .listed('1', { price: 2n })
        .cancelled('1')
        .nextBlock()
        .listed('1', { price: 3n });
      await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
      await (0, storeSteps_1.executeLanes)(store);
      (0, globals_1.expect)((await contents()).rows).toMatchObject([
        { status: 'SOLD', price: 1n },
        { status: 'CANCELED', price: 2n },
        { status: 'LISTING', price: 3n },
      ]);
      const states = await store.loadStates((0, straightFold_1.keysOf)(events));
      (0, globals_1.expect)([...states.values()]).toMatchObject([{ version: 5, row: { price: 3n } }]);
    });
    (0, globals_1.it)('written again replace what was there', async () => {
      const { store, contents } = await open(1);
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      for (const upTo of [3, 9, events.length]) {
        const run = (0, straightFold_1.straightFold)(events.slice(0, upTo));
        await store.transaction(async (tx) =>
          tx.writeRun(await store.prepareRun({ ...straightFold_1.EMPTY_RUN, rows: run.rows })),
        );
      }
      (0, globals_1.expect)((await contents()).rows).toEqual(
        (await (0, storeSteps_1.contentsOfStraightFold)(events)).rows,
      );
    });
    (0, globals_1.it)('of two runs of one transaction are those of the second', async () => {
      const { store, contents } = await open(1);
      const { events } = (0, marketEvents_1.createMarketScript)()
        .minted(marketEvents_1.ALICE)
        .minted(marketEvents_1.ALICE, 2n)
        .transferred(marketEvents_1.ALICE, marketEvents_1.BOB);
      const first = await store.prepareRun((0, straightFold_1.straightFold)(events.slice(0, 2)));
      const second = await store.prepareRun({ ...(0, straightFold_1.straightFold)(events), activities: [] });
      await store.transaction(async (tx) => {
        await tx.writeRun(first);
        await tx.writeRun(second);
      });
      (0, globals_1.expect)((await contents()).rows).toMatchObject([
        { tokenId: 1n, owner: marketEvents_1.BOB, version: 2 },
        { tokenId: 2n, owner: marketEvents_1.ALICE, version: 1 },
      ]);
    });
  });
  (0, globals_1.describe)('snapshots', () => {
    (0, globals_1.it)(
      'below a place are told newest first, of one version of the reducer, of one aggregate',
      async () => {
        const { store } = await open(1);
        const script = (0, marketEvents_1.createMarketScript)().listed('1').offered('1');
        for (let i = 1n; i < 9n; i++) script.nextBlock().priceChanged('1', { price: i });
        const { events } = script;
        await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
        await (0, storeSteps_1.executeLanes)(store, (0, pipeline_1.snapshotEvery)(3));
        const own = events.filter((event) => event.aggregateType === 'order');
        const key = { aggregateType: 'order', aggregateId: `${marketEvents_1.MARKET}:1` };
        const below = async (seqNo, of = key) => {
          const found = await store.transaction((tx) => tx.snapshotsBelow([{ ...of, fromSeqNo: seqNo }]));
          return found.get((0, core_1.aggregateKeyText)(of.aggregateType, of.aggregateId)) ?? null;
        };
        const states = [3, 6, 9].map((n) =>
          (0, straightFold_1.foldedStates)(own.slice(0, n)).get(
            (0, core_1.aggregateKeyText)(key.aggregateType, key.aggregateId),
          ),
        );
        (0, globals_1.expect)(await below(blockSeqNo_1.blockSeqNo.last(99n))).toEqual(states[2]);
        (0, globals_1.expect)(await below(own[8].seqNo)).toEqual(states[1]);
        (0, globals_1.expect)(await below(own[5].seqNo)).toEqual(states[0]);
        (0, globals_1.expect)(await below(own[2].seqNo)).toBeNull();
        (0, globals_1.expect)(
          await below(blockSeqNo_1.blockSeqNo.last(99n), { ...key, aggregateType: 'offer' }),
        ).toBeNull();
        (0, globals_1.expect)(
          await below(blockSeqNo_1.blockSeqNo.last(99n), { ...key, aggregateType: 'nobody' }),
        ).toBeNull();
        (0, globals_1.expect)(
          await store.snapshotVersions([key, { ...key, aggregateType: 'offer' }]),
        ).toEqual(new Map([[(0, core_1.aggregateKeyText)(key.aggregateType, key.aggregateId), 9]]));
        // One of another version of the reducer at the same event takes its place, and is not used.
        const reducerVersion = straightFold_1.MARKET_OBSERVER.reducers.get('order').version + 1;
        const another = { ...key, reducerVersion, state: states[2] };
        await store.transaction(async (tx) =>
          tx.writeRun(await store.prepareRun({ ...straightFold_1.EMPTY_RUN, snapshots: [another] })),
        );
        (0, globals_1.expect)(await below(blockSeqNo_1.blockSeqNo.last(99n))).toEqual(states[1]);
        (0, globals_1.expect)([...(await store.snapshotVersions([key])).values()]).toEqual([6]);
      },
    );
  });
  (0, globals_1.describe)('erasing an aggregate', () => {
    /** Everything executed, then one aggregate erased from a place on. */
    const erased = async (key, from) => {
      const { store, contents } = await open(1);
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
      await (0, storeSteps_1.executeLanes)(store, (0, pipeline_1.snapshotEvery)(1));
      const before = await contents();
      const own = events.filter(
        (e) => e.aggregateType === key.aggregateType && e.aggregateId === key.aggregateId && e.seqNo >= from,
      );
      await store.transaction(async (tx) => {
        await tx.lockIngest();
        await tx.lockLanes([0]);
        await tx.eraseAggregates([{ ...key, fromSeqNo: from, keptSeqNo: from - 1n }]);
        await tx.eraseActivities(own.map(({ seqNo }) => seqNo));
      });
      const request = { ...key, fromSeqNo: blockSeqNo_1.blockSeqNo.last(99n) };
      const [snapshot = null] = [...(await store.transaction((tx) => tx.snapshotsBelow([request]))).values()];
      return { before, after: await contents(), snapshot, events };
    };
    (0, globals_1.it)('from its beginning leaves nothing of it, and everything of the others', async () => {
      for (const key of (0, straightFold_1.keysOf)((0, marketOfEverything_1.marketOfEverything)().events)) {
        const { before, after, snapshot, events } = await erased(key, blockSeqNo_1.blockSeqNo.first(0n));
        const own = new Set(
          events
            .filter((e) => e.aggregateType === key.aggregateType && e.aggregateId === key.aggregateId)
            .map((e) => e.seqNo),
        );
        (0, globals_1.expect)(snapshot).toBeNull();
        (0, globals_1.expect)(after.parked).toEqual(before.parked);
        (0, globals_1.expect)(after.activities).toEqual(
          before.activities.filter(({ seqNo }) => !own.has(seqNo)),
        );
        (0, globals_1.expect)(after.rows).toEqual(before.rows.filter(({ seqNo }) => !own.has(seqNo)));
        (0, globals_1.expect)(after.rows.length).toBeLessThan(before.rows.length);
      }
    });
    (0, globals_1.it)(
      'from a place on keeps the rows that were opened before, and the history up to there',
      async () => {
        const { events } = (0, marketOfEverything_1.marketOfEverything)();
        const own = events.filter(
          (e) => e.aggregateId === `${marketEvents_1.MARKET}:5` && e.aggregateType === 'order',
        );
        const [, sold, second] = own.map(({ seqNo }) => seqNo);
        const { before, after, snapshot } = await erased(own[0], second);
        const gone = (row) => row.aggregateType === 'order' && row.openedSeqNo === second;
        (0, globals_1.expect)(after.rows).toEqual(before.rows.filter((row) => !gone(row)));
        (0, globals_1.expect)(before.rows.filter(gone)).toHaveLength(1);
        (0, globals_1.expect)(snapshot?.seqNo).toBe(sold);
      },
    );
  });
}
