import { describe, expect, it } from '@jest/globals';
import type { Event, LateChange, Observer, SeqNo } from '@imart/core';
import { AGGREGATE } from '@imart/market';
import { applyLateChange, EventConflictError } from '@imart/pipeline';
import { appendMessage, fakeBlock } from '../fakeSubject';
import { address, ALICE, createMarketScript, type MarketScript } from '../marketEvents';
import { addPoison } from '../randomMarket';
import { append, contentsOfStraightFold, executeLanes } from '../storeSteps';
import { MARKET_OBSERVER } from '../straightFold';
import type { SubjectStoreFeatures } from '../storeFeatures';
import {
  applyLate,
  at,
  blockByBlock,
  changing,
  executeUpTo,
  executeWith,
  filled,
  finalize,
  late,
  movedTo,
  onlyListed,
  orderKey,
  upTo,
} from './steps';

/** The contract of events that are found, mended or withdrawn later. */
export function describeLateKnowledge(name: string, features: SubjectStoreFeatures): void {
  const { open } = features;

  describe(`${name}: late knowledge`, () => {
    /** Order 1 is listed, repriced eight times and sold; nothing of it at index 1 of any block. */
    const history = (): MarketScript => {
      const script = createMarketScript().listed('1', { price: 1n });
      for (let i = 2n; i < 10n; i++) script.nextBlock().priceChanged('1', { price: i });
      return script.nextBlock().filled('1').minted(ALICE);
    };
    /** A change of price that was missed. */
    const missed = (position: bigint, price: bigint): Event =>
      movedTo(
        createMarketScript().priceChanged('1', { price, expiresAtUs: 77_000_000n }).events[0] as Event,
        position,
        1,
      );
    const ordered = (events: readonly Event[]): readonly Event[] =>
      [...events].sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1));

    it.each([0, 1, 3])(
      'is inserted at its true place, and a snapshot above it goes: snapshots every %i events (P2)',
      async (every) => {
        const { events } = history();
        for (const position of [1n, 4n, 9n, 12n]) {
          const { store, contents, kept } = await filled(features, events, { every });
          const inserted = missed(position, 1000n);
          expect(await applyLate(store, { inserted: [inserted] })).toMatchObject({
            kind: 'applied',
            epoch: 1n,
            refoldedAggregates: 1,
          });
          const whole = ordered([...events, inserted]);
          expect(await contents()).toEqual(await contentsOfStraightFold(whole));
          const above = (await kept()).snapshots.filter(
            ({ aggregateType, seqNo }) => aggregateType === AGGREGATE.order && seqNo >= inserted.seqNo,
          );
          expect(above).toEqual([]);
          expect((await store.rangeEvents(0n, 30n)).events).toEqual(whole);
        }
      },
    );

    it('replaces and takes back single events, with what they had left', async () => {
      const { events } = history();
      const { store, contents } = await filled(features, events, { every: 2, lanes: 3 });
      const [third, sixth] = [events[2], events[5]] as readonly Event[] as [Event, Event];
      const other = { ...third, data: { ...(third.data as object), price: 5_000n } };
      const result = await applyLate(store, {
        inserted: [missed(2n, 8n)],
        replaced: [other],
        retracted: [sixth.seqNo],
      });
      expect(result).toMatchObject({ kind: 'applied', refoldedAggregates: 1 });
      const whole = ordered([
        ...events.filter((event) => event !== third && event !== sixth),
        other,
        missed(2n, 8n),
      ]);
      expect(await contents()).toEqual(await contentsOfStraightFold(whole));
      expect((await store.rangeEvents(0n, 30n)).events).toEqual(whole);
    });

    it('leaves no row of an aggregate of which no event is left', async () => {
      const { events } = createMarketScript().minted(ALICE).nextBlock().listed('1');
      const { store, contents } = await filled(features, events, { every: 1 });
      await applyLate(store, { retracted: [events[0]!.seqNo] });
      expect(await contents()).toEqual(await contentsOfStraightFold(events.slice(1)));
    });

    it('may lie below what is final, and does not move the end of the log', async () => {
      const { events } = history();
      const { store, contents } = await filled(features, events);
      await finalize(store, 20n);
      const before = await store.progress();
      await applyLate(store, { inserted: [missed(3n, 1000n)] });
      expect(await contents()).toEqual(await contentsOfStraightFold(ordered([...events, missed(3n, 1000n)])));
      expect(await store.progress()).toEqual({ ...before, epoch: 1n, lastFeedNo: before.lastFeedNo + 1n });
    });

    it('is not folded by a lane that has not come so far: the lane reads it', async () => {
      const { events } = history();
      const { store, contents } = await open(1);
      for (const message of blockByBlock(events, 30n)) await append(store, message);
      await executeUpTo(store, [at(4n)]);
      const result = await applyLate(store, { inserted: [missed(7n, 1000n)] });
      expect(result).toMatchObject({ kind: 'applied', refoldedAggregates: 0 });
      expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, 4n)));
      await applyLate(store, { inserted: [missed(2n, 3n)], retracted: [events[5]!.seqNo] });
      const log = ordered([...events.filter((e) => e !== events[5]), missed(7n, 1000n), missed(2n, 3n)]);
      expect(await contents()).toEqual(await contentsOfStraightFold(upTo(log, 4n)));
      await executeLanes(store);
      expect(await contents()).toEqual(await contentsOfStraightFold(log));
    });

    it('that was read under another epoch, or on another branch, changes nothing', async () => {
      const { events } = history();
      const { store, contents } = await open(1);
      // Of the blocks of a final range only the last is remembered; others are known by their events.
      await append(store, appendMessage(events, 0n, 5n));
      await append(store, appendMessage(events, 6n, 30n));
      await executeLanes(store);
      const [before, progress] = [await contents(), await store.progress()];
      const change = late(0n, { inserted: [missed(3n, 1000n)] });
      const apply = (one: LateChange) => applyLateChange(changing(store), one);
      expect(await apply({ ...change, epoch: 1n })).toEqual({ kind: 'moved', reason: 'epoch' });
      for (const position of [5n, 3n]) {
        const blocks = [
          { position: 4n, hash: fakeBlock(4n).hash },
          { position, hash: `0x${'77'.repeat(32)}` },
        ];
        expect(await apply({ ...change, blocks })).toEqual({ kind: 'moved', reason: 'block' });
      }
      expect(await contents()).toEqual(before);
      expect(await store.progress()).toEqual(progress);
      const unknown = { position: 20n, hash: `0x${'77'.repeat(32)}` };
      expect(await apply({ ...change, blocks: [unknown, fakeBlock(5n)] })).toMatchObject({ kind: 'applied' });
    });

    it('that is none changes nothing', async () => {
      const { store } = await filled(features, history().events);
      const before = await store.progress();
      expect(await applyLate(store, { blocks: [fakeBlock(3n)] })).toEqual({ kind: 'nothing-to-change' });
      expect(await store.progress()).toEqual(before);
    });

    it('beyond the end of the log, or against what the log has, is refused and changes nothing', async () => {
      const { events } = history();
      const { store, contents } = await filled(features, events);
      const [before, progress] = [await contents(), await store.progress()];
      await expect(applyLate(store, { inserted: [missed(31n, 1n)] })).rejects.toThrow(RangeError);
      const there = movedTo(missed(3n, 1n), 3n, 0);
      const refused: Partial<LateChange>[] = [
        { inserted: [there] },
        { replaced: [missed(3n, 1n)] },
        { retracted: [missed(3n, 1n).seqNo] },
        { inserted: [missed(2n, 1n)], retracted: [events[4]!.seqNo, missed(3n, 1n).seqNo] },
      ];
      for (const change of refused)
        await expect(applyLate(store, change)).rejects.toBeInstanceOf(EventConflictError);
      expect(await contents()).toEqual(before);
      expect(await store.progress()).toEqual(progress);
    });

    it('below a marker folds past it again, and the marker goes when that was missing; above it waits', async () => {
      // Fails because its listing was missed: the reducer refuses to sell what was never listed.
      const strict: Observer = {
        ...MARKET_OBSERVER,
        reducers: new Map(MARKET_OBSERVER.reducers).set(AGGREGATE.order, onlyListed()),
      };
      const { events } = createMarketScript().listed('2').nextBlock().filled('1').nextBlock().cancelled('1');
      const opened = await open(1);
      const { store, contents, kept } = opened;
      for (const message of blockByBlock(events, 9n)) await append(store, message);
      await executeWith(store, strict);
      const [marker] = (await contents()).parked;
      expect(marker).toMatchObject({ fromSeqNo: events[1]!.seqNo });
      const { epoch } = await store.progress();
      const change = (inserted: Event, under: bigint) =>
        applyLateChange(changing(store, strict), late(under, { inserted: [inserted] }));
      const above = movedTo(createMarketScript().listed('1').events[0] as Event, 4n, 7);
      expect(await change(above, epoch)).toMatchObject({ kind: 'applied', refoldedAggregates: 0 });
      expect((await contents()).parked).toEqual([marker]);
      const listing = movedTo(createMarketScript().listed('1').events[0] as Event, 1n, 7);
      expect(await change(listing, epoch + 1n)).toMatchObject({ kind: 'applied', refoldedAggregates: 1 });
      expect(await contents()).toEqual(await contentsOfStraightFold(ordered([...events, listing, above])));
      expect((await kept()).parkActions).toMatchObject([
        { ...orderKey('1'), fromSeqNo: events[1]!.seqNo, action: 'late', outcome: 'released' },
      ]);
    });

    it('that takes back or replaces the event at which an aggregate is parked releases it', async () => {
      const script = addPoison(createMarketScript().listed('1').nextBlock(), '1').nextBlock().filled('1');
      const [, poison] = script.events as readonly Event[] as [Event, Event];
      const price = createMarketScript().priceChanged('1').events[0] as Event;
      const replacement = movedTo(price, poison.source.position, poison.source.index);
      for (const change of [{ retracted: [poison.seqNo] }, { replaced: [replacement] }]) {
        const { store, contents } = await filled(features, script.events);
        expect((await contents()).parked).toHaveLength(1);
        await applyLate(store, change);
        const rest = script.events.map((e) => (e.seqNo === poison.seqNo ? replacement : e));
        expect(await contents()).toEqual(
          await contentsOfStraightFold(
            'replaced' in change ? rest : rest.filter((e) => e.seqNo !== poison.seqNo),
          ),
        );
      }
    });

    it('remembers contracts by their earliest event, and forgets those whose event goes', async () => {
      const { events } = history();
      const { store } = await filled(features, events);
      const contract = (name: string, discoveredAt: SeqNo) => ({
        address: address(name),
        kind: 'erc721',
        discoveredAt,
      });
      const seqNo = (i: number): SeqNo => (events[i] as Event).seqNo;
      await applyLate(store, { discovered: [contract('a', seqNo(3)), contract('b', seqNo(4))] });
      expect((await store.resumePoint()).discovered).toEqual([
        contract('a', seqNo(3)),
        contract('b', seqNo(4)),
      ]);
      await applyLate(store, { discovered: [contract('a', seqNo(5)), contract('b', seqNo(2))] });
      expect((await store.resumePoint()).discovered).toEqual([
        contract('b', seqNo(2)),
        contract('a', seqNo(3)),
      ]);
      await applyLate(store, { retracted: [seqNo(2), seqNo(3)], discovered: [contract('b', seqNo(6))] });
      expect((await store.resumePoint()).discovered).toEqual([contract('b', seqNo(6))]);
    });

    it('is written together with what else must hold, or not at all', async () => {
      const { events } = history();
      const { store, contents } = await filled(features, events);
      const before = await contents();
      const failing = applyLateChange(changing(store), late(0n, { inserted: [missed(3n, 1n)] }), async () => {
        throw new RangeError('on purpose');
      });
      await expect(failing).rejects.toThrow('on purpose');
      expect(await contents()).toEqual(before);
      expect((await store.progress()).epoch).toBe(0n);
    });
  });
}
