import { describe, expect, it } from '@jest/globals';
import { type SeqNo } from '@imart/core';
import { blockSeqNo } from '../blockSeqNo';
import { appendMessage, fakeBlock } from '../fakeSubject';
import { address, createMarketScript, MARKET } from '../marketEvents';
import { addPoison } from '../randomMarket';
import type { SubjectStoreFeatures } from '../storeFeatures';
import { append, executeLanes, wholeRange } from '../storeSteps';
import { EMPTY_RUN } from '../straightFold';

/** How far a subject is, and what is set aside. */
export function describeProgress({ open }: SubjectStoreFeatures): void {
  describe('progress', () => {
    it('of lanes never moves back, and is the least of them', async () => {
      const { store } = await open(3);
      const set = (lanes: readonly number[], position: bigint): Promise<void> =>
        store.transaction(async (tx) => {
          await tx.lockLanes(lanes);
          await tx.setCheckpoints(lanes, blockSeqNo.last(position), 0n);
        });
      const at = (position: bigint): SeqNo => blockSeqNo.last(position);
      await set([0, 2], 5n);
      expect(await store.progress()).toMatchObject({ lanes: [at(5n), -1n, at(5n)], executed: -1n });
      await set([0, 1, 2], 4n);
      expect(await store.progress()).toMatchObject({ lanes: [at(5n), at(4n), at(5n)], executed: at(4n) });
      await set([1], 9n);
      expect(await store.progress()).toMatchObject({ lanes: [at(5n), at(9n), at(5n)], executed: at(5n) });
    });

    it('of finality never moves back', async () => {
      const { store } = await open(1);
      const finalize = (position: bigint): Promise<void> =>
        store.transaction(async (tx) => {
          await tx.lockIngest();
          await tx.finalize({ kind: 'finalize', upToSeqNo: blockSeqNo.last(position), position });
        });
      await finalize(0n);
      expect(await store.resumePoint()).toMatchObject({ finalizedPosition: 0n });
      for (const position of [7n, 3n, 7n]) {
        await finalize(position);
        expect((await store.progress()).finalized).toBe(blockSeqNo.last(7n));
        expect((await store.resumePoint()).finalizedPosition).toBe(7n);
      }
    });

    it('tells a source where to go on: its window of blocks, what it discovered, what is final', async () => {
      const { store } = await open(1);
      expect(await store.resumePoint()).toEqual({
        epoch: 0n,
        nextPosition: 0n,
        window: [],
        finalizedPosition: null,
        discovered: [],
      });
      const blocks = (...positions: bigint[]) => positions.map(fakeBlock);
      const discovered = [
        { address: address('b'), kind: 'erc1155', discoveredAt: blockSeqNo.encode(1n, 4, 0) },
        { address: address('a'), kind: 'erc721', discoveredAt: blockSeqNo.encode(2n, 0, 1) },
      ];
      await append(store, { ...appendMessage([], 0n, 3n), blocks: blocks(1n, 2n, 3n), discovered });
      await append(store, { ...appendMessage([], 4n, 5n), blocks: blocks(4n, 5n) });
      expect(await store.resumePoint()).toEqual({
        epoch: 0n,
        nextPosition: 6n,
        window: blocks(1n, 2n, 3n, 4n, 5n),
        finalizedPosition: null,
        discovered,
      });
      await store.transaction(async (tx) => {
        await tx.lockIngest();
        await tx.finalize({ kind: 'finalize', upToSeqNo: blockSeqNo.last(4n), position: 4n });
      });
      await append(store, { ...appendMessage([], 6n, 6n), blocks: blocks(6n) });
      // Below finality nothing can be taken back: those blocks are forgotten.
      expect((await store.resumePoint()).window).toEqual(blocks(4n, 5n, 6n));
      await store.transaction(async (tx) => {
        await tx.lockIngest();
        await tx.finalize({ kind: 'finalize', upToSeqNo: blockSeqNo.last(90n), position: 90n });
      });
      await append(store, { ...appendMessage([], 7n, 8n), blocks: blocks(8n) });
      expect(await store.resumePoint()).toMatchObject({ nextPosition: 9n, window: blocks(8n), discovered });
    });

    it('does not care for heartbeats', async () => {
      const { store } = await open(1);
      const before = await store.progress();
      await store.heartbeat(fakeBlock(70n));
      expect(await store.progress()).toEqual(before);
    });
  });

  describe('parked aggregates', () => {
    it('are told with their first reason, and the fate of their events with them', async () => {
      const { store } = await open(1);
      const { events } = addPoison(createMarketScript().listed('1'), '1').filled('1').listed('2');
      const [listed, poison, filled, other] = events.map(({ seqNo }) => seqNo);
      await append(store, wholeRange(events));
      expect(await store.fateOf(0, listed!)).toBeNull();
      await executeLanes(store);
      const [marker] = await store.parked();
      expect(marker).toMatchObject({ aggregateId: `${MARKET}:1`, fromSeqNo: poison });
      expect(await store.fateOf(0, listed!)).toBe('executed');
      expect(await store.fateOf(0, poison!)).toBe('parked');
      expect(await store.fateOf(0, filled!)).toBe('parked');
      expect(await store.fateOf(0, other!)).toBe('executed');
      expect(await store.fateOf(0, blockSeqNo.last(2n))).toBe('executed');
      expect(await store.fateOf(0, blockSeqNo.last(3n))).toBeNull();
      const again = { ...marker!, fromSeqNo: filled!, message: 'another' };
      await store.transaction(async (tx) =>
        tx.writeRun(await store.prepareRun({ ...EMPTY_RUN, parked: [again] })),
      );
      expect(await store.parked()).toEqual([marker]);
    });
  });
}
