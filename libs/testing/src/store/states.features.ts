import { describe, expect, it } from '@jest/globals';
import {
  aggregateKeyText,
  type AggregateKey,
  type FoldState,
  type Reducer,
  type SeqNo,
  type Snapshot,
} from '@imart/core';
import { blockSeqNo } from '../blockSeqNo';
import { AGGREGATE } from '@imart/market';
import { snapshotEvery } from '@imart/pipeline';
import { ALICE, BOB, CAROL, createMarketScript, MARKET } from '../marketEvents';
import { marketOfEverything } from '../marketOfEverything';
import type { SubjectStoreFeatures } from '../storeFeatures';
import { append, contentsOfStraightFold, executeLanes, wholeRange } from '../storeSteps';
import { EMPTY_RUN, foldedStates, keysOf, MARKET_OBSERVER, straightFold } from '../straightFold';

/** States and snapshots: written, read, erased. */
export function describeStates({ open }: SubjectStoreFeatures): void {
  describe('states', () => {
    it('come back as their reducers left them, for every type of aggregate', async () => {
      const { store } = await open(1);
      const { events } = marketOfEverything();
      await append(store, wholeRange(events));
      await executeLanes(store);
      const expected = foldedStates(events);
      expect(new Set([...expected.keys()].map((key) => key.split('/')[0]))).toEqual(
        new Set(Object.values(AGGREGATE)),
      );
      expect(await store.loadStates(keysOf(events))).toEqual(expected);
    });

    it('of what has no rows are missing, and of what is not asked for as well', async () => {
      const { store } = await open(1);
      await append(store, wholeRange(createMarketScript().listed('1').listed('2').events));
      await executeLanes(store);
      const key = (aggregateType: string, id: string): AggregateKey => ({
        aggregateType,
        aggregateId: `${MARKET}:${id}`,
      });
      const states = await store.loadStates([
        key('order', '1'),
        key('order', '3'),
        key('offer', '2'),
        key('undecodable', '1'),
      ]);
      expect([...states.keys()]).toEqual([`order/${MARKET}:1`]);
      expect(await store.loadStates([])).toEqual(new Map());
    });

    it('of order 5 and offer 5 of one contract are two', async () => {
      const { store, contents } = await open(1);
      const { events } = createMarketScript()
        .listed('5', { price: 1n })
        .offered('5', { price: 2n })
        .listed('5', { side: 'offer', maker: CAROL, price: 3n });
      await append(store, wholeRange(events));
      await executeLanes(store);
      const states = await store.loadStates(keysOf(events));
      expect([...states.keys()].sort()).toEqual([`offer/${MARKET}:5`, `order/${MARKET}:5`]);
      expect(states.get(`offer/${MARKET}:5`)).toMatchObject({ row: { price: 2n, table: 'offers' } });
      expect(states.get(`order/${MARKET}:5`)).toMatchObject({ row: { price: 3n, table: 'offers' } });
      expect((await contents()).rows).toHaveLength(3);
    });

    it('are of the newest of successive rows', async () => {
      const { store, contents } = await open(1);
      const { events } = createMarketScript()
        .listed('1', { price: 1n })
        .filled('1')
        .nextBlock()
        .listed('1', { price: 2n })
        .cancelled('1')
        .nextBlock()
        .listed('1', { price: 3n });
      await append(store, wholeRange(events));
      await executeLanes(store);
      expect((await contents()).rows).toMatchObject([
        { status: 'SOLD', price: 1n },
        { status: 'CANCELED', price: 2n },
        { status: 'LISTING', price: 3n },
      ]);
      const states = await store.loadStates(keysOf(events));
      expect([...states.values()]).toMatchObject([{ version: 5, row: { price: 3n } }]);
    });

    it('written again replace what was there', async () => {
      const { store, contents } = await open(1);
      const { events } = marketOfEverything();
      for (const upTo of [3, 9, events.length]) {
        const run = straightFold(events.slice(0, upTo));
        await store.transaction(async (tx) =>
          tx.writeRun(await store.prepareRun({ ...EMPTY_RUN, rows: run.rows })),
        );
      }
      expect((await contents()).rows).toEqual((await contentsOfStraightFold(events)).rows);
    });

    it('of two runs of one transaction are those of the second', async () => {
      const { store, contents } = await open(1);
      const { events } = createMarketScript().minted(ALICE).minted(ALICE, 2n).transferred(ALICE, BOB);
      const first = await store.prepareRun(straightFold(events.slice(0, 2)));
      const second = await store.prepareRun({ ...straightFold(events), activities: [] });
      await store.transaction(async (tx) => {
        await tx.writeRun(first);
        await tx.writeRun(second);
      });
      expect((await contents()).rows).toMatchObject([
        { tokenId: 1n, owner: BOB, version: 2 },
        { tokenId: 2n, owner: ALICE, version: 1 },
      ]);
    });
  });

  describe('snapshots', () => {
    it('below a place are told newest first, of one version of the reducer, of one aggregate', async () => {
      const { store } = await open(1);
      const script = createMarketScript().listed('1').offered('1');
      for (let i = 1n; i < 9n; i++) script.nextBlock().priceChanged('1', { price: i });
      const { events } = script;
      await append(store, wholeRange(events));
      await executeLanes(store, snapshotEvery(3));
      const own = events.filter((event) => event.aggregateType === 'order');
      const key = { aggregateType: 'order', aggregateId: `${MARKET}:1` };
      const below = async (seqNo: SeqNo, of: AggregateKey = key): Promise<FoldState | null> => {
        const found = await store.transaction((tx) => tx.snapshotsBelow([{ ...of, fromSeqNo: seqNo }]));
        return found.get(aggregateKeyText(of.aggregateType, of.aggregateId)) ?? null;
      };
      const states = [3, 6, 9].map((n) =>
        foldedStates(own.slice(0, n)).get(aggregateKeyText(key.aggregateType, key.aggregateId)),
      );
      expect(await below(blockSeqNo.last(99n))).toEqual(states[2]);
      expect(await below(own[8]!.seqNo)).toEqual(states[1]);
      expect(await below(own[5]!.seqNo)).toEqual(states[0]);
      expect(await below(own[2]!.seqNo)).toBeNull();
      expect(await below(blockSeqNo.last(99n), { ...key, aggregateType: 'offer' })).toBeNull();
      expect(await below(blockSeqNo.last(99n), { ...key, aggregateType: 'nobody' })).toBeNull();
      expect(await store.snapshotVersions([key, { ...key, aggregateType: 'offer' }])).toEqual(
        new Map([[aggregateKeyText(key.aggregateType, key.aggregateId), 9]]),
      );
      // One of another version of the reducer at the same event takes its place, and is not used.
      const reducerVersion = (MARKET_OBSERVER.reducers.get('order') as Reducer).version + 1;
      const another: Snapshot = { ...key, reducerVersion, state: states[2] as FoldState };
      await store.transaction(async (tx) =>
        tx.writeRun(await store.prepareRun({ ...EMPTY_RUN, snapshots: [another] })),
      );
      expect(await below(blockSeqNo.last(99n))).toEqual(states[1]);
      expect([...(await store.snapshotVersions([key])).values()]).toEqual([6]);
    });
  });

  describe('erasing an aggregate', () => {
    /** Everything executed, then one aggregate erased from a place on. */
    const erased = async (key: AggregateKey, from: SeqNo) => {
      const { store, contents } = await open(1);
      const { events } = marketOfEverything();
      await append(store, wholeRange(events));
      await executeLanes(store, snapshotEvery(1));
      const before = await contents();
      const own = events.filter(
        (e) => e.aggregateType === key.aggregateType && e.aggregateId === key.aggregateId && e.seqNo >= from,
      );
      await store.transaction(async (tx) => {
        await tx.lockIngest();
        await tx.lockLanes([0]);
        await tx.eraseAggregates([{ ...key, fromSeqNo: from, keptSeqNo: (from - 1n) as SeqNo }]);
        await tx.eraseActivities(own.map(({ seqNo }) => seqNo));
      });
      const request = { ...key, fromSeqNo: blockSeqNo.last(99n) };
      const [snapshot = null] = [...(await store.transaction((tx) => tx.snapshotsBelow([request]))).values()];
      return { before, after: await contents(), snapshot, events };
    };

    it('from its beginning leaves nothing of it, and everything of the others', async () => {
      for (const key of keysOf(marketOfEverything().events)) {
        const { before, after, snapshot, events } = await erased(key, blockSeqNo.first(0n));
        const own = new Set(
          events
            .filter((e) => e.aggregateType === key.aggregateType && e.aggregateId === key.aggregateId)
            .map((e) => e.seqNo),
        );
        expect(snapshot).toBeNull();
        expect(after.parked).toEqual(before.parked);
        expect(after.activities).toEqual(before.activities.filter(({ seqNo }) => !own.has(seqNo)));
        expect(after.rows).toEqual(before.rows.filter(({ seqNo }) => !own.has(seqNo)));
        expect(after.rows.length).toBeLessThan(before.rows.length);
      }
    });

    it('from a place on keeps the rows that were opened before, and the history up to there', async () => {
      const { events } = marketOfEverything();
      const own = events.filter((e) => e.aggregateId === `${MARKET}:5` && e.aggregateType === 'order');
      const [, sold, second] = own.map(({ seqNo }) => seqNo);
      const { before, after, snapshot } = await erased(own[0]!, second!);
      const gone = (row: object): boolean =>
        (row as { aggregateType?: string }).aggregateType === 'order' &&
        (row as { openedSeqNo?: bigint }).openedSeqNo === second;
      expect(after.rows).toEqual(before.rows.filter((row) => !gone(row)));
      expect(before.rows.filter(gone)).toHaveLength(1);
      expect(snapshot?.seqNo).toBe(sold);
    });
  });
}
