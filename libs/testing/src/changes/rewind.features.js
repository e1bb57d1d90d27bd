'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.describeRewind = describeRewind;
const globals_1 = require('@jest/globals');
const core_1 = require('@imart/core');
const pipeline_1 = require('@imart/pipeline');
const fakeSubject_1 = require('../fakeSubject');
const marketEvents_1 = require('../marketEvents');
const marketOfEverything_1 = require('../marketOfEverything');
const storeSteps_1 = require('../storeSteps');
const steps_1 = require('./steps');
/** The contract of going back on purpose, also below what is final. */
function describeRewind(name, features) {
  const { open } = features;
  (0, globals_1.describe)(`${name}: a rewind`, () => {
    (0, globals_1.it)('only tells what it would do, when that is asked', async () => {
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      const { store, contents } = await (0, steps_1.filled)(features, events);
      await (0, steps_1.finalize)(store, 3n);
      const [before, progress] = [await contents(), await store.progress()];
      const plan = await (0, pipeline_1.rewind)((0, steps_1.changing)(store), {
        toPosition: 1n,
        dryRun: true,
      });
      const gone = events.filter(({ source }) => source.position > 1n);
      (0, globals_1.expect)(plan).toEqual({
        toPosition: 1n,
        nextPosition: 2n,
        events: BigInt(gone.length),
        aggregates: BigInt(new Set(gone.map((e) => `${e.aggregateType}/${e.aggregateId}`)).size),
        discovered: 0n,
        belowFinality: true,
        halt: null,
      });
      (0, globals_1.expect)(await contents()).toEqual(before);
      (0, globals_1.expect)(await store.progress()).toEqual(progress);
    });
    (0, globals_1.it)('goes below what is final, lowers that with it, and clears the halt (R7)', async () => {
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      const { store, contents } = await (0, steps_1.filled)(features, events);
      await (0, steps_1.finalize)(store, 20n);
      await store.halt('REORG_TOO_DEEP', 'the chain is another one');
      (0, globals_1.expect)(
        await (0, pipeline_1.rewind)((0, steps_1.changing)(store), {
          toPosition: 2n,
          dryRun: false,
          ...storeSteps_1.AN_OPERATOR,
        }),
      ).toMatchObject({
        toPosition: 2n,
        halt: { code: 'REORG_TOO_DEEP' },
      });
      (0, globals_1.expect)(await contents()).toEqual(
        await (0, storeSteps_1.contentsOfStraightFold)((0, steps_1.upTo)(events, 2n)),
      );
      (0, globals_1.expect)(await store.progress()).toMatchObject({
        nextPosition: 3n,
        finalized: (0, steps_1.at)(2n),
        finalizedPosition: 2n,
        halt: null,
      });
      await (0, steps_1.finalize)(store, 5n);
      (0, globals_1.expect)(await store.progress()).toMatchObject({ finalizedPosition: 5n });
    });
    globals_1.it.each([1, 3, 7, 1000])(
      'takes back at most %i events at a time, and ends at the same place',
      async (max) => {
        const { events } = (0, marketOfEverything_1.marketOfEverything)();
        const { store, contents } = await (0, steps_1.filled)(features, events, { lanes: 2, every: 1 });
        const { lastFeedNo } = await store.progress();
        await (0, pipeline_1.rewind)(
          (0, steps_1.changing)(store),
          { toPosition: 1n, dryRun: false, ...storeSteps_1.AN_OPERATOR },
          max,
        );
        (0, globals_1.expect)(await contents()).toEqual(
          await (0, storeSteps_1.contentsOfStraightFold)((0, steps_1.upTo)(events, 1n)),
        );
        const progress = await store.progress();
        (0, globals_1.expect)(progress).toMatchObject({
          nextPosition: 2n,
          ingested: (0, steps_1.at)(1n),
          halt: null,
        });
        const perBlock = [2n, 3n, 4n, 5n, 6n, 7n, 8n].map(
          (position) => events.filter(({ source }) => source.position === position).length,
        );
        const taken = perBlock.filter((count) => count > 0);
        // A block is taken back whole, however many events it has.
        if (max === 1)
          (0, globals_1.expect)(progress.lastFeedNo - lastFeedNo).toBeGreaterThanOrEqual(
            BigInt(taken.length),
          );
        if (max === 1000) (0, globals_1.expect)(progress.lastFeedNo - lastFeedNo).toBe(1n);
        for (const message of (0, steps_1.blockByBlock)(events, 30n, 2n))
          await (0, storeSteps_1.append)(store, message);
        await (0, storeSteps_1.executeLanes)(store);
        (0, globals_1.expect)(await contents()).toEqual(
          await (0, storeSteps_1.contentsOfStraightFold)(events),
        );
      },
    );
    (0, globals_1.it)(
      'goes back to a block that is known: where only the log knows, to that of an event',
      async () => {
        const { events } = (0, marketEvents_1.createMarketScript)()
          .nextBlock(4n)
          .listed('1')
          .nextBlock(5n)
          .filled('1');
        const { store, contents } = await open(1);
        await (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)(events, 0n, 20n));
        await (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)(events, 21n, 40n));
        await (0, steps_1.finalize)(store, 40n);
        await (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)(events, 41n, 50n));
        await (0, storeSteps_1.executeLanes)(store);
        // Blocks 40 and 50 are remembered, 5 and 10 have events.
        const planned = async (toPosition) =>
          (await (0, pipeline_1.rewind)((0, steps_1.changing)(store), { toPosition, dryRun: true }))
            .toPosition;
        (0, globals_1.expect)(await Promise.all([60n, 50n, 49n, 40n, 39n, 10n, 9n, 5n].map(planned))).toEqual(
          [50n, 50n, 10n, 40n, 10n, 10n, 5n, 5n],
        );
        await (0, pipeline_1.rewind)((0, steps_1.changing)(store), {
          toPosition: 9n,
          dryRun: false,
          ...storeSteps_1.AN_OPERATOR,
        });
        (0, globals_1.expect)(await store.resumePoint()).toMatchObject({
          nextPosition: 6n,
          window: [{ position: 5n, hash: (0, fakeSubject_1.fakeBlock)(5n).hash, parentHash: '' }],
          finalizedPosition: 5n,
        });
        (0, globals_1.expect)(await store.progress()).toMatchObject({
          chainTimeUs: (0, fakeSubject_1.fakeBlock)(5n).timeUs,
        });
        (0, globals_1.expect)(await contents()).toEqual(
          await (0, storeSteps_1.contentsOfStraightFold)((0, steps_1.upTo)(events, 9n)),
        );
      },
    );
    (0, globals_1.it)('before the first event begins anew', async () => {
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      const { store, contents } = await (0, steps_1.filled)(features, events);
      await (0, steps_1.finalize)(store, 20n);
      (0, globals_1.expect)(
        await (0, pipeline_1.rewind)((0, steps_1.changing)(store), {
          toPosition: -1n,
          dryRun: false,
          ...storeSteps_1.AN_OPERATOR,
        }),
      ).toMatchObject({
        toPosition: null,
        nextPosition: 0n,
      });
      (0, globals_1.expect)(await contents()).toEqual({ rows: [], activities: [], parked: [] });
      (0, globals_1.expect)(await store.progress()).toMatchObject({
        ingested: core_1.BEFORE_FIRST,
        executed: core_1.BEFORE_FIRST,
        finalized: core_1.BEFORE_FIRST,
        finalizedPosition: null,
        chainTimeUs: null,
      });
      (0, globals_1.expect)(await store.resumePoint()).toMatchObject({
        nextPosition: 0n,
        window: [],
        finalizedPosition: null,
      });
      for (const message of (0, steps_1.blockByBlock)(events, 30n))
        await (0, storeSteps_1.append)(store, message);
      await (0, storeSteps_1.executeLanes)(store);
      (0, globals_1.expect)(await contents()).toEqual(await (0, storeSteps_1.contentsOfStraightFold)(events));
    });
    (0, globals_1.it)(
      'is recorded with who, why and what came of it, together with what it does',
      async () => {
        const { events } = (0, marketOfEverything_1.marketOfEverything)();
        const { store, kept } = await (0, steps_1.filled)(features, events);
        const halt = await store.halt('REORG_TOO_DEEP', 'the chain is another one');
        await (0, pipeline_1.rewind)((0, steps_1.changing)(store), { toPosition: 2n, dryRun: true });
        (0, globals_1.expect)((await kept()).operatorActions).toEqual([]);
        const decision = { actedBy: 'ada', reason: 'the chain\0 took it back' };
        await (0, pipeline_1.rewind)(
          (0, steps_1.changing)(store),
          { toPosition: 2n, dryRun: false, ...decision },
          3,
        );
        const gone = events.filter(({ source }) => source.position > 2n).length;
        (0, globals_1.expect)((await kept()).operatorActions).toMatchObject([
          {
            action: 'rewind',
            actedBy: 'ada',
            toPosition: 2n,
            halt,
            events: BigInt(gone),
            nextPosition: 3n,
            isFinished: true,
          },
        ]);
        // There was nothing to take back.
        await (0, pipeline_1.rewind)((0, steps_1.changing)(store), {
          toPosition: 2n,
          dryRun: false,
          actedBy: 'bob',
          reason: null,
        });
        (0, globals_1.expect)((await kept()).operatorActions.slice(1)).toEqual([
          {
            action: 'rewind',
            actedBy: 'bob',
            reason: null,
            toPosition: 2n,
            halt: null,
            events: 0n,
            nextPosition: 3n,
            isFinished: true,
          },
        ]);
      },
    );
    (0, globals_1.it)('that stops half way leaves the halt, and can be asked for again', async () => {
      const { events } = (0, marketOfEverything_1.marketOfEverything)();
      const { store, contents, kept } = await (0, steps_1.filled)(features, events);
      let cuts = 0;
      const failing = {
        ...store,
        transaction: (work) =>
          store.transaction((tx) =>
            work({
              ...tx,
              cutLog: (...parameters) => {
                if (++cuts === 3) throw new RangeError('on purpose');
                return tx.cutLog(...parameters);
              },
            }),
          ),
      };
      await (0, globals_1.expect)(
        (0, pipeline_1.rewind)(
          (0, steps_1.changing)(failing),
          { toPosition: 0n, dryRun: false, ...storeSteps_1.AN_OPERATOR },
          2,
        ),
      ).rejects.toThrow('on purpose');
      (0, globals_1.expect)(await store.halted()).toMatchObject({ code: 'REWINDING' });
      const { nextPosition } = await store.progress();
      (0, globals_1.expect)(await contents()).toEqual(
        await (0, storeSteps_1.contentsOfStraightFold)((0, steps_1.upTo)(events, nextPosition - 1n)),
      );
      const taken = BigInt(events.length - (0, steps_1.upTo)(events, nextPosition - 1n).length);
      const interrupted = { events: taken, nextPosition, isFinished: false, halt: null };
      (0, globals_1.expect)((await kept()).operatorActions).toMatchObject([interrupted]);
      await (0, pipeline_1.rewind)(
        (0, steps_1.changing)(store),
        { toPosition: 0n, dryRun: false, ...storeSteps_1.AN_OPERATOR },
        2,
      );
      (0, globals_1.expect)(await store.halted()).toBeNull();
      (0, globals_1.expect)(await contents()).toEqual({ rows: [], activities: [], parked: [] });
      (0, globals_1.expect)((await kept()).operatorActions).toMatchObject([
        interrupted,
        { events: BigInt(events.length) - taken, isFinished: true, halt: { code: 'REWINDING' } },
      ]);
    });
  });
}
