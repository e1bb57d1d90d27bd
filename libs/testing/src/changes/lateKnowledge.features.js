'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.describeLateKnowledge = describeLateKnowledge;
const globals_1 = require('@jest/globals');
const market_1 = require('@imart/market');
const pipeline_1 = require('@imart/pipeline');
const fakeSubject_1 = require('../fakeSubject');
const marketEvents_1 = require('../marketEvents');
const randomMarket_1 = require('../randomMarket');
const storeSteps_1 = require('../storeSteps');
const straightFold_1 = require('../straightFold');
const steps_1 = require('./steps');
/** The contract of events that are found, mended or withdrawn later. */
function describeLateKnowledge(name, features) {
  const { open } = features;
  (0, globals_1.describe)(`${name}: late knowledge`, () => {
    /** Order 1 is listed, repriced eight times and sold; nothing of it at index 1 of any block. */
    const history = () => {
      const script = (0, marketEvents_1.createMarketScript)().listed('1', { price: 1n });
      for (let i = 2n; i < 10n; i++) script.nextBlock().priceChanged('1', { price: i });
      return script.nextBlock().filled('1').minted(marketEvents_1.ALICE);
    };
    /** A change of price that was missed. */
    const missed = (position, price) =>
      (0, steps_1.movedTo)(
        (0, marketEvents_1.createMarketScript)().priceChanged('1', { price, expiresAtUs: 77000000n })
          .events[0],
        position,
        1,
      );
    const ordered = (events) => [...events].sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1));
    globals_1.it.each([0, 1, 3])(
      'is inserted at its true place, and a snapshot above it goes: snapshots every %i events (P2)',
      async (every) => {
        const { events } = history();
        for (const position of [1n, 4n, 9n, 12n]) {
          const { store, contents, kept } = await (0, steps_1.filled)(features, events, { every });
          const inserted = missed(position, 1000n);
          (0, globals_1.expect)(await (0, steps_1.applyLate)(store, { inserted: [inserted] })).toMatchObject({
            kind: 'applied',
            epoch: 1n,
            refoldedAggregates: 1,
          });
          const whole = ordered([...events, inserted]);
          (0, globals_1.expect)(await contents()).toEqual(
            await (0, storeSteps_1.contentsOfStraightFold)(whole),
          );
          const above = (await kept()).snapshots.filter(
            ({ aggregateType, seqNo }) =>
              aggregateType === market_1.AGGREGATE.order && seqNo >= inserted.seqNo,
          );
          (0, globals_1.expect)(above).toEqual([]);
          (0, globals_1.expect)((await store.rangeEvents(0n, 30n)).events).toEqual(whole);
        }
      },
    );
    (0, globals_1.it)('replaces and takes back single events, with what they had left', async () => {
      const { events } = history();
      const { store, contents } = await (0, steps_1.filled)(features, events, { every: 2, lanes: 3 });
      const [third, sixth] = [events[2], events[5]];
      const other = { ...third, data: { ...third.data, price: 5000n } };
      const result = await (0, steps_1.applyLate)(store, {
        inserted: [missed(2n, 8n)],
        replaced: [other],
        retracted: [sixth.seqNo],
      });
      (0, globals_1.expect)(result).toMatchObject({ kind: 'applied', refoldedAggregates: 1 });
      const whole = ordered([
        ...events.filter((event) => event !== third && event !== sixth),
        other,
        missed(2n, 8n),
      ]);
      (0, globals_1.expect)(await contents()).toEqual(await (0, storeSteps_1.contentsOfStraightFold)(whole));
      (0, globals_1.expect)((await store.rangeEvents(0n, 30n)).events).toEqual(whole);
    });
    (0, globals_1.it)('leaves no row of an aggregate of which no event is left', async () => {
      const { events } = (0, marketEvents_1.createMarketScript)()
        .minted(marketEvents_1.ALICE)
        .nextBlock()
        .listed('1');
      const { store, contents } = await (0, steps_1.filled)(features, events, { every: 1 });
      await (0, steps_1.applyLate)(store, { retracted: [events[0].seqNo] });
      (0, globals_1.expect)(await contents()).toEqual(
        await (0, storeSteps_1.contentsOfStraightFold)(events.slice(1)),
      );
    });
    (0, globals_1.it)('may lie below what is final, and does not move the end of the log', async () => {
      const { events } = history();
      const { store, contents } = await (0, steps_1.filled)(features, events);
      await (0, steps_1.finalize)(store, 20n);
      const before = await store.progress();
      await (0, steps_1.applyLate)(store, { inserted: [missed(3n, 1000n)] });
      (0, globals_1.expect)(await contents()).toEqual(
        await (0, storeSteps_1.contentsOfStraightFold)(ordered([...events, missed(3n, 1000n)])),
      );
      (0, globals_1.expect)(await store.progress()).toEqual({
        ...before,
        epoch: 1n,
        lastFeedNo: before.lastFeedNo + 1n,
      });
    });
    (0, globals_1.it)('is not folded by a lane that has not come so far: the lane reads it', async () => {
      const { events } = history();
      const { store, contents } = await open(1);
      for (const message of (0, steps_1.blockByBlock)(events, 30n))
        await (0, storeSteps_1.append)(store, message);
      await (0, steps_1.executeUpTo)(store, [(0, steps_1.at)(4n)]);
      const result = await (0, steps_1.applyLate)(store, { inserted: [missed(7n, 1000n)] });
      (0, globals_1.expect)(result).toMatchObject({ kind: 'applied', refoldedAggregates: 0 });
      (0, globals_1.expect)(await contents()).toEqual(
        await (0, storeSteps_1.contentsOfStraightFold)((0, steps_1.upTo)(events, 4n)),
      );
      await (0, steps_1.applyLate)(store, { inserted: [missed(2n, 3n)], retracted: [events[5].seqNo] });
      const log = ordered([...events.filter((e) => e !== events[5]), missed(7n, 1000n), missed(2n, 3n)]);
      (0, globals_1.expect)(await contents()).toEqual(
        await (0, storeSteps_1.contentsOfStraightFold)((0, steps_1.upTo)(log, 4n)),
      );
      await (0, storeSteps_1.executeLanes)(store);
      (0, globals_1.expect)(await contents()).toEqual(await (0, storeSteps_1.contentsOfStraightFold)(log));
    });
    (0, globals_1.it)(
      'that was read under another epoch, or on another branch, changes nothing',
      async () => {
        const { events } = history();
        const { store, contents } = await open(1);
        // Of the blocks of a final range only the last is remembered; others are known by their events.
        await (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)(events, 0n, 5n));
        await (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)(events, 6n, 30n));
        await (0, storeSteps_1.executeLanes)(store);
        const [before, progress] = [await contents(), await store.progress()];
        const change = (0, steps_1.late)(0n, { inserted: [missed(3n, 1000n)] });
        const apply = (one) => (0, pipeline_1.applyLateChange)((0, steps_1.changing)(store), one);
        (0, globals_1.expect)(await apply({ ...change, epoch: 1n })).toEqual({
          kind: 'moved',
          reason: 'epoch',
        });
        for (const position of [5n, 3n]) {
          const blocks = [
            { position: 4n, hash: (0, fakeSubject_1.fakeBlock)(4n).hash },
            { position, hash: `0x${'77'.repeat(32)}` },
          ];
          (0, globals_1.expect)(await apply({ ...change, blocks })).toEqual({
            kind: 'moved',
            reason: 'block',
          });
        }
        (0, globals_1.expect)(await contents()).toEqual(before);
        (0, globals_1.expect)(await store.progress()).toEqual(progress);
        const unknown = { position: 20n, hash: `0x${'77'.repeat(32)}` };
        (0, globals_1.expect)(
          await apply({ ...change, blocks: [unknown, (0, fakeSubject_1.fakeBlock)(5n)] }),
        ).toMatchObject({ kind: 'applied' });
      },
    );
    (0, globals_1.it)('that is none changes nothing', async () => {
      const { store } = await (0, steps_1.filled)(features, history().events);
      const before = await store.progress();
      (0, globals_1.expect)(
        await (0, steps_1.applyLate)(store, { blocks: [(0, fakeSubject_1.fakeBlock)(3n)] }),
      ).toEqual({ kind: 'nothing-to-change' });
      (0, globals_1.expect)(await store.progress()).toEqual(before);
    });
    (0, globals_1.it)(
      'beyond the end of the log, or against what the log has, is refused and changes nothing',
      async () => {
        const { events } = history();
        const { store, contents } = await (0, steps_1.filled)(features, events);
        const [before, progress] = [await contents(), await store.progress()];
        await (0, globals_1.expect)(
          (0, steps_1.applyLate)(store, { inserted: [missed(31n, 1n)] }),
        ).rejects.toThrow(RangeError);
        const there = (0, steps_1.movedTo)(missed(3n, 1n), 3n, 0);
        const refused = [
          { inserted: [there] },
          { replaced: [missed(3n, 1n)] },
          { retracted: [missed(3n, 1n).seqNo] },
          { inserted: [missed(2n, 1n)], retracted: [events[4].seqNo, missed(3n, 1n).seqNo] },
        ];
        for (const change of refused)
          await (0, globals_1.expect)((0, steps_1.applyLate)(store, change)).rejects.toBeInstanceOf(
            pipeline_1.EventConflictError,
          );
        (0, globals_1.expect)(await contents()).toEqual(before);
        (0, globals_1.expect)(await store.progress()).toEqual(progress);
      },
    );
    (0, globals_1.it)(
      'below a marker folds past it again, and the marker goes when that was missing; above it waits',
      async () => {
        // Fails because its listing was missed: the reducer refuses to sell what was never listed.
        const strict = {
          ...straightFold_1.MARKET_OBSERVER,
          reducers: new Map(straightFold_1.MARKET_OBSERVER.reducers).set(
            market_1.AGGREGATE.order,
            (0, steps_1.onlyListed)(),
          ),
        };
        const { events } = (0, marketEvents_1.createMarketScript)()
          .listed('2')
          .nextBlock()
          .filled('1')
          .nextBlock()
          .cancelled('1');
        const opened = await open(1);
        const { store, contents, kept } = opened;
        for (const message of (0, steps_1.blockByBlock)(events, 9n))
          await (0, storeSteps_1.append)(store, message);
        await (0, steps_1.executeWith)(store, strict);
        const [marker] = (await contents()).parked;
        (0, globals_1.expect)(marker).toMatchObject({ fromSeqNo: events[1].seqNo });
        const { epoch } = await store.progress();
        const change = (inserted, under) =>
          (0, pipeline_1.applyLateChange)(
            (0, steps_1.changing)(store, strict),
            (0, steps_1.late)(under, { inserted: [inserted] }),
          );
        const above = (0, steps_1.movedTo)(
          (0, marketEvents_1.createMarketScript)().listed('1').events[0],
          4n,
          7,
        );
        (0, globals_1.expect)(await change(above, epoch)).toMatchObject({
          kind: 'applied',
          refoldedAggregates: 0,
        });
        (0, globals_1.expect)((await contents()).parked).toEqual([marker]);
        const listing = (0, steps_1.movedTo)(
          (0, marketEvents_1.createMarketScript)().listed('1').events[0],
          1n,
          7,
        );
        (0, globals_1.expect)(await change(listing, epoch + 1n)).toMatchObject({
          kind: 'applied',
          refoldedAggregates: 1,
        });
        (0, globals_1.expect)(await contents()).toEqual(
          await (0, storeSteps_1.contentsOfStraightFold)(ordered([...events, listing, above])),
        );
        (0, globals_1.expect)((await kept()).parkActions).toMatchObject([
          { ...(0, steps_1.orderKey)('1'), fromSeqNo: events[1].seqNo, action: 'late', outcome: 'released' },
        ]);
      },
    );
    (0, globals_1.it)(
      'that takes back or replaces the event at which an aggregate is parked releases it',
      async () => {
        const script = (0, randomMarket_1.addPoison)(
          (0, marketEvents_1.createMarketScript)().listed('1').nextBlock(),
          '1',
        )
          .nextBlock()
          .filled('1');
        const [, poison] = script.events;
        const price = (0, marketEvents_1.createMarketScript)().priceChanged('1').events[0];
        const replacement = (0, steps_1.movedTo)(price, poison.source.position, poison.source.index);
        for (const change of [{ retracted: [poison.seqNo] }, { replaced: [replacement] }]) {
          const { store, contents } = await (0, steps_1.filled)(features, script.events);
          (0, globals_1.expect)((await contents()).parked).toHaveLength(1);
          await (0, steps_1.applyLate)(store, change);
          const rest = script.events.map((e) => (e.seqNo === poison.seqNo ? replacement : e));
          (0, globals_1.expect)(await contents()).toEqual(
            await (0, storeSteps_1.contentsOfStraightFold)(
              'replaced' in change ? rest : rest.filter((e) => e.seqNo !== poison.seqNo),
            ),
          );
        }
      },
    );
    (0, globals_1.it)(
      'remembers contracts by their earliest event, and forgets those whose event goes',
      async () => {
        const { events } = history();
        const { store } = await (0, steps_1.filled)(features, events);
        const contract = (name, discoveredAt) => ({
          address: (0, marketEvents_1.address)(name),
          kind: 'erc721',
          discoveredAt,
        });
        const seqNo = (i) => events[i].seqNo;
        await (0, steps_1.applyLate)(store, {
          discovered: [contract('a', seqNo(3)), contract('b', seqNo(4))],
        });
        (0, globals_1.expect)((await store.resumePoint()).discovered).toEqual([
          contract('a', seqNo(3)),
          contract('b', seqNo(4)),
        ]);
        await (0, steps_1.applyLate)(store, {
          discovered: [contract('a', seqNo(5)), contract('b', seqNo(2))],
        });
        (0, globals_1.expect)((await store.resumePoint()).discovered).toEqual([
          contract('b', seqNo(2)),
          contract('a', seqNo(3)),
        ]);
        await (0, steps_1.applyLate)(store, {
          retracted: [seqNo(2), seqNo(3)],
          discovered: [contract('b', seqNo(6))],
        });
        (0, globals_1.expect)((await store.resumePoint()).discovered).toEqual([contract('b', seqNo(6))]);
      },
    );
    (0, globals_1.it)('is written together with what else must hold, or not at all', async () => {
      const { events } = history();
      const { store, contents } = await (0, steps_1.filled)(features, events);
      const before = await contents();
      const failing = (0, pipeline_1.applyLateChange)(
        (0, steps_1.changing)(store),
        (0, steps_1.late)(0n, { inserted: [missed(3n, 1n)] }),
        async () => {
          throw new RangeError('on purpose');
        },
      );
      await (0, globals_1.expect)(failing).rejects.toThrow('on purpose');
      (0, globals_1.expect)(await contents()).toEqual(before);
      (0, globals_1.expect)((await store.progress()).epoch).toBe(0n);
    });
  });
}
