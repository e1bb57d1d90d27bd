'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.describeTakingBack = describeTakingBack;
const globals_1 = require('@jest/globals');
const core_1 = require('@imart/core');
const blockSeqNo_1 = require('../blockSeqNo');
const pipeline_1 = require('@imart/pipeline');
const fakeSubject_1 = require('../fakeSubject');
const marketEvents_1 = require('../marketEvents');
const marketOfEverything_1 = require('../marketOfEverything');
const randomMarket_1 = require('../randomMarket');
const storeSteps_1 = require('../storeSteps');
const straightFold_1 = require('../straightFold');
const steps_1 = require('./steps');
/** The contract of what takes blocks back, and of what it leaves. */
function describeTakingBack(name, features) {
  const { open } = features;
  (0, globals_1.describe)(`${name}: taking blocks back`, () => {
    globals_1.it.each([0, 1, 3])(
      'from any place leaves what one clean pass over the rest does, with snapshots every %i events (R1, R8)',
      async (every) => {
        const { events } = (0, marketOfEverything_1.marketOfEverything)();
        const last = events.at(-1).source.position;
        for (let position = last; position >= 0n; position--) {
          const { store, contents } = await (0, steps_1.filled)(features, events, {
            lanes: 2,
            every,
            toPosition: last,
          });
          (0, globals_1.expect)(await (0, steps_1.takeBack)(store, position)).toMatchObject(
            position === last
              ? { kind: 'nothing-to-invalidate' }
              : { kind: 'invalidated', depthBlocks: last - position },
          );
          (0, globals_1.expect)(await contents()).toEqual(
            await (0, storeSteps_1.contentsOfStraightFold)((0, steps_1.upTo)(events, position)),
          );
          (0, globals_1.expect)(await store.progress()).toMatchObject({
            ingested: (0, steps_1.at)(position),
            nextPosition: position + 1n,
            lanes: [(0, steps_1.at)(position), (0, steps_1.at)(position)],
            chainTimeUs: (0, fakeSubject_1.fakeBlock)(position).timeUs,
          });
        }
      },
    );
    (0, globals_1.it)('lets the log go on as if what was taken back had never been read', async () => {
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      const { store, contents } = await (0, steps_1.filled)(features, events, { every: 1 });
      await (0, steps_1.takeBack)(store, 2n);
      for (const message of (0, steps_1.blockByBlock)(events, 30n, 3n))
        await (0, storeSteps_1.append)(store, message);
      await (0, storeSteps_1.executeLanes)(store, (0, pipeline_1.snapshotEvery)(1));
      (0, globals_1.expect)(await contents()).toEqual(await (0, storeSteps_1.contentsOfStraightFold)(events));
    });
    (0, globals_1.it)(
      'restores the rows of an order that was sold, listed again and sold again (R8)',
      async () => {
        const script = (0, marketEvents_1.createMarketScript)()
          .listed('1', { price: 1n, items: [(0, marketEvents_1.multi)(1n, 5n)] })
          .filled('1', { items: [(0, marketEvents_1.multi)(1n, 2n)], closes: false })
          .nextBlock()
          .listed('1', { price: 7n, maker: marketEvents_1.BOB })
          .filled('1')
          .nextBlock()
          .listed('1', { price: 8n, side: 'offer', maker: marketEvents_1.CAROL });
        const { events } = script;
        for (const every of [1, 2, 100]) {
          const { store, contents } = await (0, steps_1.filled)(features, events, { every, toPosition: 4n });
          (0, globals_1.expect)(await contents()).toEqual(
            await (0, storeSteps_1.contentsOfStraightFold)(events),
          );
          for (const position of [2n, 1n, 0n]) {
            await (0, steps_1.takeBack)(store, position);
            (0, globals_1.expect)(await contents()).toEqual(
              await (0, storeSteps_1.contentsOfStraightFold)((0, steps_1.upTo)(events, position)),
            );
          }
        }
      },
    );
    (0, globals_1.it)(
      'and reading the same log at another place of the new branch applies it once, there (R6)',
      async () => {
        const { events } = (0, marketEvents_1.createMarketScript)()
          .minted(marketEvents_1.ALICE)
          .nextBlock()
          .transferred(marketEvents_1.ALICE, marketEvents_1.BOB)
          .listed('1');
        const [minted, transferred, listed] = events;
        const { store, contents } = await (0, steps_1.filled)(features, events, { toPosition: 2n });
        await (0, steps_1.takeBack)(store, 1n);
        const branch = [
          minted,
          (0, steps_1.movedTo)(listed, 2n, 0, '0x0b'),
          (0, steps_1.movedTo)(transferred, 3n, 4, '0x0c'),
        ];
        for (const message of (0, steps_1.blockByBlock)(branch, 3n, 2n))
          await (0, storeSteps_1.append)(store, message);
        await (0, storeSteps_1.executeLanes)(store);
        (0, globals_1.expect)(await contents()).toEqual(
          await (0, storeSteps_1.contentsOfStraightFold)(branch),
        );
        (0, globals_1.expect)(
          (await contents()).activities.filter(({ kind }) => kind === 'TRANSFER'),
        ).toHaveLength(1);
      },
    );
    (0, globals_1.it)('twice is as once, and a second reorg may go deeper than the first (R3)', async () => {
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      const { store, contents } = await (0, steps_1.filled)(features, events);
      await (0, steps_1.takeBack)(store, 3n);
      const [before, progress] = [await contents(), await store.progress()];
      (0, globals_1.expect)(await (0, steps_1.takeBack)(store, 3n)).toEqual({
        kind: 'nothing-to-invalidate',
      });
      (0, globals_1.expect)(await (0, steps_1.takeBack)(store, 7n)).toEqual({
        kind: 'nothing-to-invalidate',
      });
      (0, globals_1.expect)(await contents()).toEqual(before);
      (0, globals_1.expect)(await store.progress()).toEqual(progress);
      (0, globals_1.expect)(await (0, steps_1.takeBack)(store, 1n)).toMatchObject({
        kind: 'invalidated',
        depthBlocks: 2n,
      });
      (0, globals_1.expect)(await contents()).toEqual(
        await (0, storeSteps_1.contentsOfStraightFold)((0, steps_1.upTo)(events, 1n)),
      );
    });
    (0, globals_1.it)(
      'of blocks without events moves the end of the log back all the same (R5)',
      async () => {
        const { events } = (0, marketEvents_1.createMarketScript)().listed('1');
        const { store, contents } = await (0, steps_1.filled)(features, events, { toPosition: 6n });
        const before = await contents();
        (0, globals_1.expect)(await (0, steps_1.takeBack)(store, 4n)).toMatchObject({
          kind: 'invalidated',
          depthBlocks: 2n,
          retractedEvents: 0,
          refoldedAggregates: 0,
        });
        (0, globals_1.expect)(await contents()).toEqual(before);
        (0, globals_1.expect)(await store.resumePoint()).toMatchObject({ nextPosition: 5n, epoch: 1n });
      },
    );
    (0, globals_1.it)(
      'forgets the blocks of the branch, and the contracts that were discovered on it (R9)',
      async () => {
        const { store } = await open(1);
        const contract = (name, position) => ({
          address: (0, marketEvents_1.address)(name),
          kind: 'erc721',
          discoveredAt: blockSeqNo_1.blockSeqNo.encode(position, 3, 0),
        });
        const discovered = [contract('kept', 1n), contract('kept', 3n), contract('gone', 3n)];
        for (const message of (0, steps_1.blockByBlock)([], 4n)) {
          const own = discovered.filter(
            ({ discoveredAt }) =>
              blockSeqNo_1.blockSeqNo.decode(discoveredAt).position === message.toPosition,
          );
          await (0, storeSteps_1.append)(store, { ...message, discovered: own });
        }
        (0, globals_1.expect)((await store.resumePoint()).discovered).toHaveLength(2);
        await (0, steps_1.takeBack)(store, 2n);
        (0, globals_1.expect)(await store.resumePoint()).toEqual({
          epoch: 1n,
          nextPosition: 3n,
          window: [0n, 1n, 2n].map(fakeSubject_1.fakeBlock),
          finalizedPosition: null,
          discovered: [contract('kept', 1n)],
        });
      },
    );
    (0, globals_1.it)('below what is final is refused, and nothing is written (R7)', async () => {
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      const { store, contents } = await (0, steps_1.filled)(features, events);
      await (0, steps_1.finalize)(store, 2n);
      const [before, progress] = [await contents(), await store.progress()];
      await (0, globals_1.expect)((0, steps_1.takeBack)(store, 1n)).rejects.toBeInstanceOf(
        core_1.ReorgTooDeepError,
      );
      (0, globals_1.expect)(await contents()).toEqual(before);
      (0, globals_1.expect)(await store.progress()).toEqual(progress);
      (0, globals_1.expect)(await (0, steps_1.takeBack)(store, 2n)).toMatchObject({ kind: 'invalidated' });
    });
    (0, globals_1.it)('by who reads under another epoch is refused, and nothing is written', async () => {
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      const { store, contents } = await (0, steps_1.filled)(features, events);
      await (0, steps_1.takeBack)(store, 5n);
      const [before, progress] = [await contents(), await store.progress()];
      (0, globals_1.expect)(
        await (0, pipeline_1.invalidate)((0, steps_1.changing)(store), (0, steps_1.takeBackAfter)(3n), 0n),
      ).toEqual({ kind: 'moved', epoch: 1n });
      (0, globals_1.expect)(await contents()).toEqual(before);
      (0, globals_1.expect)(await store.progress()).toEqual(progress);
    });
    (0, globals_1.it)(
      'to a block that is not the one in the log is refused, whether its window knows it or only an event does',
      async () => {
        const { events } = (0, marketEvents_1.createMarketScript)().listed('1').nextBlock(2n).filled('1');
        const { store } = await open(1);
        await (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)(events, 0n, 2n));
        await (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)(events, 3n, 9n));
        const before = await store.progress();
        for (const position of [1n, 2n, 3n]) {
          const other = { ...(0, fakeSubject_1.fakeBlock)(position), hash: `0x${'99'.repeat(32)}` };
          await (0, globals_1.expect)(
            (0, pipeline_1.invalidate)(
              (0, steps_1.changing)(store),
              (0, steps_1.takeBackAfter)(position, other),
              before.epoch,
            ),
          ).rejects.toBeInstanceOf(pipeline_1.AncestorMismatchError);
        }
        (0, globals_1.expect)(await store.progress()).toEqual(before);
      },
    );
    (0, globals_1.it)(
      'refolds no lane beyond where it was, and does not touch one that had not come to the fork',
      async () => {
        const script = (0, marketEvents_1.createMarketScript)();
        for (let i = 1; i <= 40; i++) script.listed(String(i)).nextBlock();
        for (let i = 1; i <= 40; i++) script.filled(String(i)).nextBlock();
        const { events } = script;
        const { store, contents } = await open(4);
        for (const message of (0, steps_1.blockByBlock)(events, 90n))
          await (0, storeSteps_1.append)(store, message);
        const reached = [
          (0, steps_1.at)(85n),
          (0, steps_1.at)(60n),
          (0, steps_1.at)(20n),
          core_1.BEFORE_FIRST,
        ];
        const laneFor = (event) =>
          (0, core_1.laneOf)((0, core_1.aggregateHash)(event.aggregateType, event.aggregateId), 4);
        await (0, steps_1.executeUpTo)(store, reached);
        const { refoldedAggregates } = await (0, steps_1.takeBack)(store, 50n);
        const lanes = reached.map((seqNo) => (seqNo > (0, steps_1.at)(50n) ? (0, steps_1.at)(50n) : seqNo));
        (0, globals_1.expect)(await store.progress()).toMatchObject({
          lanes,
          ingested: (0, steps_1.at)(50n),
        });
        (0, globals_1.expect)(await contents()).toEqual(
          await (0, storeSteps_1.contentsOfStraightFold)(events.filter((e) => e.seqNo <= lanes[laneFor(e)])),
        );
        const takenBack = events.filter(
          (e) => e.seqNo > (0, steps_1.at)(50n) && e.seqNo <= reached[laneFor(e)],
        );
        (0, globals_1.expect)(refoldedAggregates).toBe(takenBack.length);
        await (0, storeSteps_1.executeLanes)(store);
        (0, globals_1.expect)(await contents()).toEqual(
          await (0, storeSteps_1.contentsOfStraightFold)((0, steps_1.upTo)(events, 50n)),
        );
      },
    );
    (0, globals_1.it)(
      'takes the marker of an aggregate with it that was parked on the branch, and keeps one from below',
      async () => {
        const script = (0, randomMarket_1.addPoison)(
          (0, marketEvents_1.createMarketScript)().listed('1').listed('2'),
          '1',
        ).nextBlock();
        (0, randomMarket_1.addPoison)(script.filled('1').filled('2'), '2');
        const { events } = script;
        const { store, contents, kept } = await (0, steps_1.filled)(features, events);
        const [below, above] = (await contents()).parked;
        (0, globals_1.expect)([below?.aggregateId, above?.aggregateId]).toEqual([
          `${marketEvents_1.MARKET}:1`,
          `${marketEvents_1.MARKET}:2`,
        ]);
        await (0, steps_1.takeBack)(store, 1n);
        (0, globals_1.expect)((await contents()).parked).toEqual([below]);
        (0, globals_1.expect)(await contents()).toEqual(
          await (0, storeSteps_1.contentsOfStraightFold)((0, steps_1.upTo)(events, 1n)),
        );
        (0, globals_1.expect)((await kept()).parkActions).toMatchObject([
          {
            ...(0, steps_1.orderKey)('2'),
            fromSeqNo: above?.fromSeqNo,
            action: 'invalidate',
            outcome: 'gone',
          },
        ]);
      },
    );
    (0, globals_1.it)(
      'does not release an aggregate that waits from below, though the program has been mended since',
      async () => {
        const script = (0, randomMarket_1.addPoison)(
          (0, marketEvents_1.createMarketScript)().listed('1'),
          '1',
        )
          .filled('1')
          .nextBlock()
          .cancelled('1');
        const { events } = script;
        const { store, contents } = await (0, steps_1.filled)(features, events);
        const before = await contents();
        const { epoch } = await store.progress();
        (0, globals_1.expect)(
          await (0, pipeline_1.invalidate)(
            (0, steps_1.changing)(store, steps_1.MENDED),
            (0, steps_1.takeBackAfter)(1n),
            epoch,
          ),
        ).toMatchObject({
          retractedEvents: 1,
          refoldedAggregates: 0,
        });
        (0, globals_1.expect)(await contents()).toEqual(before);
      },
    );
    (0, globals_1.it)(
      'starts refolding at a snapshot, however long an aggregate has been caught up without any',
      async () => {
        const script = (0, marketEvents_1.createMarketScript)().listed('1');
        for (let i = 1n; i < 400n; i++) script.priceChanged('1', { price: i });
        script.nextBlock().priceChanged('1', { price: 5n }).nextBlock().priceChanged('1', { price: 6n });
        const { events } = script;
        const { store, contents, kept } = await open(1);
        await (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)(events, 0n, 1n));
        await (0, storeSteps_1.executeLanes)(store, pipeline_1.noSnapshots);
        for (const message of (0, steps_1.blockByBlock)(events, 3n, 2n))
          await (0, storeSteps_1.append)(store, message);
        await (0, storeSteps_1.executeLanes)(store, (0, pipeline_1.snapshotEvery)(100));
        const before = (0, steps_1.upTo)(events, 1n).at(-1).seqNo;
        (0, globals_1.expect)((await kept()).snapshots).toMatchObject([
          { ...(0, steps_1.orderKey)('1'), seqNo: before },
        ]);
        let read = 0;
        await store.transaction(async (tx) => {
          await tx.lockIngest();
          await tx.lockLanes([0]);
          const request = { ...(0, steps_1.orderKey)('1'), fromSeqNo: blockSeqNo_1.blockSeqNo.first(3n) };
          const [base] = [...(await tx.snapshotsBelow([request])).values()];
          await tx.readAggregates(
            [
              {
                ...(0, steps_1.orderKey)('1'),
                afterSeqNo: base?.seqNo ?? core_1.BEFORE_FIRST,
                upToSeqNo: (0, steps_1.at)(2n),
              },
            ],
            async (piece) => {
              read += piece.length;
            },
          );
        });
        (0, globals_1.expect)(read).toBe(1);
        await (0, steps_1.takeBack)(store, 2n);
        (0, globals_1.expect)(await contents()).toEqual(
          await (0, storeSteps_1.contentsOfStraightFold)((0, steps_1.upTo)(events, 2n)),
        );
        // That snapshot is enough: no further one is made before the next hundred is full.
        await (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)(events, 3n, 3n));
        await (0, storeSteps_1.executeLanes)(store, (0, pipeline_1.snapshotEvery)(100));
        (0, globals_1.expect)((await kept()).snapshots).toHaveLength(1);
      },
    );
    (0, globals_1.it)(
      'waits for a lane that has read beyond the fork, and takes back what it commits (R4)',
      async () => {
        const { events } = (0, marketEvents_1.createMarketScript)().listed('1').nextBlock().filled('1');
        const { store, contents } = await open(1);
        for (const message of (0, steps_1.blockByBlock)(events, 2n))
          await (0, storeSteps_1.append)(store, message);
        let goOn = () => undefined;
        const mayCommit = new Promise((resolve) => (goOn = resolve));
        let read = () => undefined;
        const hasRead = new Promise((resolve) => (read = resolve));
        const slow = {
          ...store,
          prepareRun: async (run) => {
            read();
            await mayCommit;
            return store.prepareRun(run);
          },
        };
        const executing = (0, storeSteps_1.executeLanes)(slow);
        await hasRead;
        const rolledBack = (0, steps_1.takeBack)(store, 1n);
        // Whatever does not need the lane's lock is through by now.
        await store.progress();
        goOn();
        await executing;
        (0, globals_1.expect)(await rolledBack).toMatchObject({ kind: 'invalidated' });
        (0, globals_1.expect)(await contents()).toEqual(
          await (0, storeSteps_1.contentsOfStraightFold)((0, steps_1.upTo)(events, 1n)),
        );
        (0, globals_1.expect)(await store.progress()).toMatchObject({ executed: (0, steps_1.at)(1n) });
      },
    );
    (0, globals_1.it)(
      'refuses the checkpoint of a lane that read beyond the fork under the epoch before, with all it wrote (R4)',
      async () => {
        const { events } = (0, marketEvents_1.createMarketScript)()
          .listed('1')
          .nextBlock()
          .filled('1')
          .listed('2');
        const { store, contents } = await open(1);
        for (const message of (0, steps_1.blockByBlock)(events, 2n))
          await (0, storeSteps_1.append)(store, message);
        const executor = (0, pipeline_1.createExecutor)({
          store,
          observer: straightFold_1.MARKET_OBSERVER,
          cachedStatesMax: 9,
          parkedAggregatesMax: 9,
        });
        const { epoch } = await store.progress();
        const run = await executor.fold(
          events,
          {
            afterSeqNo: core_1.BEFORE_FIRST,
            upToSeqNo: (0, steps_1.at)(2n),
            epoch,
            committedSeqNo: core_1.BEFORE_FIRST,
          },
          pipeline_1.noSnapshots,
        );
        await (0, steps_1.takeBack)(store, 1n);
        const committing = store.transaction(async (tx) => {
          await tx.lockLanes([0]);
          await tx.writeRun(await store.prepareRun(run));
          await tx.setCheckpoints([0], (0, steps_1.at)(2n), epoch);
        });
        await (0, globals_1.expect)(committing).rejects.toBeInstanceOf(pipeline_1.EpochMovedError);
        (0, globals_1.expect)(await contents()).toEqual({ rows: [], activities: [], parked: [] });
        (0, globals_1.expect)((await store.progress()).executed).toBe(core_1.BEFORE_FIRST);
      },
    );
  });
}
