import { describe, expect, it } from '@jest/globals';
import { BEFORE_FIRST, UNDECODABLE, UNDECODABLE_AGGREGATE, type Event } from '@imart/core';
import { AGGREGATE } from '@imart/market';
import { retryParked, skipParked } from '@imart/pipeline';
import { createMarketScript, type MarketScript } from '../marketEvents';
import { addPoison } from '../randomMarket';
import { append, contentsOfStraightFold, executeLanes } from '../storeSteps';
import type { SubjectStoreFeatures } from '../storeFeatures';
import {
  applyLate,
  at,
  blockByBlock,
  changing,
  executeUpTo,
  filled,
  MENDED,
  movedTo,
  orderKey,
  takeBack,
  upTo,
} from './steps';

/** The contract of retrying and skipping what was set aside. */
export function describeParkedAggregates(name: string, features: SubjectStoreFeatures): void {
  const { open } = features;

  describe(`${name}: parked aggregates`, () => {
    const by = { actedBy: 'an operator', reason: 'because' };
    /** Order 1 is listed, poisoned, sold, poisoned again and cancelled; order 2 lives on. */
    const poisoned = (): MarketScript => {
      const script = addPoison(createMarketScript().listed('1').listed('2').nextBlock(), '1').filled('1');
      return addPoison(script.nextBlock().filled('2'), '1').nextBlock().cancelled('1');
    };
    const poisonOf = (events: readonly Event[]): readonly Event[] =>
      events.filter(({ name, aggregateType }) => name === 'TokenMinted' && aggregateType === AGGREGATE.order);

    it('are folded on in order when they are retried after the program was mended (Q18)', async () => {
      const { events } = poisoned();
      const { store, contents, kept } = await filled(features, events, { lanes: 3 });
      const [first, second] = poisonOf(events) as [Event, Event];
      expect(await retryParked(changing(store, MENDED), { ...orderKey('1'), ...by })).toEqual({
        kind: 'released',
        fromSeqNo: first.seqNo,
        parked: null,
      });
      const rest = events.filter((event) => event !== first && event !== second);
      expect(await contents()).toEqual(await contentsOfStraightFold(rest));
      expect((await kept()).parkActions).toEqual([
        { ...orderKey('1'), fromSeqNo: first.seqNo, action: 'retry', outcome: 'released', ...by },
      ]);
      expect((await store.progress()).epoch).toBe(1n);
    });

    it('that fail at the same event again stay as they are; that it was tried is kept', async () => {
      const { events } = poisoned();
      const { store, contents, kept } = await filled(features, events);
      const [before, progress, since] = [await contents(), await store.progress(), (await kept()).parkedAt];
      const [first] = poisonOf(events);
      const again = { ...orderKey('1'), actedBy: 'an operator', reason: null };
      expect(await retryParked(changing(store), again)).toMatchObject({
        kind: 'unchanged',
        parked: { fromSeqNo: first?.seqNo, code: 'UNEXPECTED_EVENT' },
      });
      expect(await contents()).toEqual(before);
      expect(await store.progress()).toEqual(progress);
      expect((await kept()).parkedAt).toEqual(since);
      expect((await kept()).parkActions).toMatchObject([{ action: 'retry', outcome: 'unchanged' }]);
    });

    it('go on without an event that is skipped, to the next one that fails (Q18)', async () => {
      const { events } = poisoned();
      const { store, contents, kept } = await filled(features, events);
      const [first, second] = poisonOf(events) as [Event, Event];
      expect(await skipParked(changing(store), { ...orderKey('1'), ...by })).toMatchObject({
        kind: 'parked-again',
        fromSeqNo: first.seqNo,
        parked: { fromSeqNo: second.seqNo },
      });
      expect(await contents()).toEqual(
        await contentsOfStraightFold(events.filter((event) => event !== first)),
      );
      expect(await skipParked(changing(store), { ...orderKey('1'), ...by })).toMatchObject({
        kind: 'released',
        fromSeqNo: second.seqNo,
        parked: null,
      });
      const rest = events.filter((event) => event !== first && event !== second);
      expect(await contents()).toEqual(await contentsOfStraightFold(rest));
      expect((await kept()).skipped).toEqual([first.seqNo, second.seqNo]);
      expect((await kept()).parkActions).toMatchObject([
        { action: 'skip', outcome: 'parked-again', ...by },
        { action: 'skip', outcome: 'released', ...by },
      ]);
      // They stay in the log; no fold takes them up again.
      expect((await store.rangeEvents(0n, 30n)).events).toEqual(events);
      expect(await store.transaction((tx) => tx.readRun(0, BEFORE_FIRST, at(30n), 100))).toEqual(rest);
      const missed = movedTo(createMarketScript().priceChanged('1').events[0] as Event, 1n, 9);
      await applyLate(store, { inserted: [missed] });
      const whole = [...rest, missed].sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1));
      expect(await contents()).toEqual(await contentsOfStraightFold(whole));
    });

    it('whose event could not be decoded are released by skipping it', async () => {
      const script = createMarketScript().listed('1');
      const undecodable = {
        ...movedTo(script.events[0] as Event, 2n, 0),
        aggregateType: UNDECODABLE_AGGREGATE,
        aggregateId: '5',
        name: UNDECODABLE,
        data: { reason: 'truncated data', raw: '{}' },
      };
      const events = [...script.events, undecodable];
      const { store, contents } = await filled(features, events);
      const key = { aggregateType: UNDECODABLE_AGGREGATE, aggregateId: '5' };
      expect(await retryParked(changing(store), { ...key, ...by })).toMatchObject({ kind: 'unchanged' });
      expect(await skipParked(changing(store), { ...key, ...by })).toMatchObject({ kind: 'released' });
      expect(await contents()).toEqual(await contentsOfStraightFold(script.events));
    });

    it('are folded no further than their lane has come', async () => {
      const { events } = poisoned();
      const { store, contents } = await open(1);
      for (const message of blockByBlock(events, 9n)) await append(store, message);
      await executeUpTo(store, [at(2n)]);
      expect(await skipParked(changing(store), { ...orderKey('1'), ...by })).toMatchObject({
        kind: 'released',
      });
      const [first] = poisonOf(events);
      const rest = events.filter((event) => event !== first);
      expect(await contents()).toEqual(await contentsOfStraightFold(upTo(rest, 2n)));
      await executeLanes(store);
      expect(await contents()).toEqual(await contentsOfStraightFold(rest));
    });

    it('that nobody has parked are not there to be released', async () => {
      const { store } = await filled(features, poisoned().events);
      const before = await store.progress();
      for (const release of [retryParked, skipParked])
        expect(await release(changing(store), { ...orderKey('2'), ...by })).toEqual({ kind: 'not-parked' });
      expect(await store.progress()).toEqual(before);
    });

    it('forget a skip whose event is taken back: what comes at its place counts', async () => {
      const { events } = poisoned();
      const { store, contents, kept } = await filled(features, events, { toPosition: 4n });
      await skipParked(changing(store), { ...orderKey('1'), ...by });
      await takeBack(store, 1n);
      expect((await kept()).skipped).toEqual([]);
      for (const message of blockByBlock(events, 4n, 2n)) await append(store, message);
      await executeLanes(store);
      expect(await contents()).toEqual(await contentsOfStraightFold(events));
    });
  });
}
