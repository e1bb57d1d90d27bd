import { describe, expect, it } from '@jest/globals';
import { aggregateHash, BEFORE_FIRST, laneOf, type Event, type SeqNo } from '@imart/core';
import { blockSeqNo } from '../blockSeqNo';
import { EventConflictError, LedgerGapError } from '@imart/pipeline';
import { appendMessage, appendMessages, fakeBlock } from '../fakeSubject';
import { ALICE, createMarketScript } from '../marketEvents';
import { marketOfEverything } from '../marketOfEverything';
import type { SubjectStoreFeatures } from '../storeFeatures';
import { append, readAggregate, wholeRange } from '../storeSteps';
import { keysOf, straightFold } from '../straightFold';

/** What is appended, refused, and read. */
export function describeLog({ open }: SubjectStoreFeatures): void {
  describe('the log', () => {
    it('takes a range and moves to its end in one transaction', async () => {
      const { store } = await open(1);
      expect(await store.progress()).toEqual({
        epoch: 0n,
        ingested: BEFORE_FIRST,
        nextPosition: 0n,
        lanes: [BEFORE_FIRST],
        executed: BEFORE_FIRST,
        lastFeedNo: 0n,
        finalized: BEFORE_FIRST,
        finalizedPosition: null,
        chainTimeUs: null,
        halt: null,
      });
      const { events } = createMarketScript().listed('1').nextBlock(4n).filled('1');
      const [first, empty, second] = appendMessages(events, [2n, 3n, 9n]);
      expect(await append(store, first!)).toEqual({ kind: 'appended', feedNo: 1n, events: 1 });
      expect(await append(store, empty!)).toEqual({ kind: 'appended', feedNo: 2n, events: 0 });
      expect(await append(store, second!)).toEqual({ kind: 'appended', feedNo: 3n, events: 1 });
      expect(await store.progress()).toMatchObject({
        ingested: blockSeqNo.last(9n),
        nextPosition: 10n,
        executed: BEFORE_FIRST,
        lastFeedNo: 3n,
        chainTimeUs: fakeBlock(9n).timeUs,
      });
    });

    it('gives back every event as it was', async () => {
      const { store } = await open(1);
      const { events } = marketOfEverything();
      await append(store, wholeRange(events));
      const read = await store.transaction((tx) => tx.readRun(0, BEFORE_FIRST, blockSeqNo.last(100n), 1000));
      expect(read).toEqual(events);
    });

    it('uses no feed number that was foreseen but is taken', async () => {
      const { store } = await open(1);
      const [first, second] = appendMessages(createMarketScript().listed('1').events, [0n, 5n]);
      const tooEarly = await store.prepareAppend(second!, 1n);
      await append(store, first!);
      const result = await store.transaction(async (tx) => {
        await tx.lockIngest();
        return tx.append(tooEarly);
      });
      expect(result).toEqual({ kind: 'appended', feedNo: 2n, events: 1 });
      expect((await store.progress()).lastFeedNo).toBe(2n);
    });

    it('refuses a range that leaves a gap, and one that begins inside the log', async () => {
      const { store } = await open(1);
      await append(store, appendMessage([], 0n, 4n));
      await expect(append(store, appendMessage([], 6n, 8n))).rejects.toThrow(LedgerGapError);
      await expect(append(store, appendMessage([], 3n, 8n))).rejects.toThrow(LedgerGapError);
      expect(await store.progress()).toMatchObject({ nextPosition: 5n, lastFeedNo: 1n });
    });

    it('takes a range again without writing anything', async () => {
      const { store } = await open(1);
      const { events } = marketOfEverything();
      const messages = appendMessages(events, [2n, 20n]);
      for (const message of messages) await append(store, message);
      const before = await store.progress();
      for (const message of messages) expect(await append(store, message)).toEqual({ kind: 'already-there' });
      // Other borders make no difference.
      expect(await append(store, appendMessage(events, 1n, 3n))).toEqual({ kind: 'already-there' });
      expect(await store.progress()).toEqual(before);
    });

    it('refuses a range that is there with another content: changed, missing, added', async () => {
      const { store } = await open(1);
      const { events } = createMarketScript().listed('1').listed('2').nextBlock().listed('3');
      await append(store, wholeRange(events));
      const before = await store.progress();
      const [one, two, three] = events as readonly Event[] as [Event, Event, Event];
      const changes: readonly (readonly Event[])[] = [
        [one, { ...two, data: { ...(two.data as object), price: 101n } }, three],
        [one, { ...two, source: { ...two.source, blockHash: `0x${'77'.repeat(32)}` } }, three],
        [one, three],
        [one, two],
        [],
        [one, two, { ...two, seqNo: (two.seqNo + 1n) as SeqNo }, three],
      ];
      for (const changed of changes) {
        const again = append(store, { ...wholeRange(events), events: changed });
        await expect(again).rejects.toThrow(EventConflictError);
        expect(await store.progress()).toEqual(before);
      }
    });

    it('keeps nothing of a transaction that fails, whatever it had done', async () => {
      const { store, contents } = await open(1);
      const { events } = marketOfEverything();
      const run = await store.prepareRun(straightFold(events));
      const failing = store.transaction(async (tx) => {
        await tx.lockIngest();
        await tx.lockLanes([0]);
        await tx.append(await store.prepareAppend(wholeRange(events), 1n));
        await tx.writeRun(run);
        await tx.setCheckpoints([0], blockSeqNo.last(3n), 0n);
        await tx.finalize({ kind: 'finalize', upToSeqNo: blockSeqNo.last(2n), position: 2n });
        throw new RangeError('on purpose');
      });
      await expect(failing).rejects.toThrow(new RangeError('on purpose'));
      expect(await contents()).toEqual({ rows: [], activities: [], parked: [] });
      expect(await store.progress()).toMatchObject({
        nextPosition: 0n,
        executed: BEFORE_FIRST,
        finalized: BEFORE_FIRST,
        lastFeedNo: 0n,
      });
      expect(await store.parked()).toEqual([]);
      expect(await append(store, wholeRange(events))).toMatchObject({ kind: 'appended', feedNo: 1n });
    });
  });

  describe('reading the log', () => {
    it.each([1, 4])('%i lanes part it: every event in exactly one, in order', async (lanes) => {
      const { store } = await open(lanes);
      const script = createMarketScript();
      for (let i = 1; i <= 30; i++) script.listed(String(i)).minted(ALICE, BigInt(i)).nextBlock();
      await append(store, wholeRange(script.events));
      const end = blockSeqNo.last(100n);
      const byLane: (readonly Event[])[] = [];
      for (let lane = 0; lane < lanes; lane++)
        byLane.push(await store.transaction((tx) => tx.readRun(lane, BEFORE_FIRST, end, 1000)));
      byLane.forEach((events, lane) => {
        expect(events).toEqual(
          script.events.filter((e) => laneOf(aggregateHash(e.aggregateType, e.aggregateId), lanes) === lane),
        );
        expect(events.length).toBeGreaterThan(0);
      });
      expect(byLane.flat()).toHaveLength(60);
    });

    it('gives events after one place, up to another, and no more than the limit', async () => {
      const { store } = await open(1);
      const script = createMarketScript();
      for (let i = 1; i <= 9; i++) script.listed(String(i));
      const { events } = script;
      await append(store, wholeRange(events));
      const read = (from: SeqNo, to: SeqNo, limit: number): Promise<readonly Event[]> =>
        store.transaction((tx) => tx.readRun(0, from, to, limit));
      expect(await read(events[2]!.seqNo, events[6]!.seqNo, 100)).toEqual(events.slice(3, 7));
      expect(await read(events[2]!.seqNo, events[6]!.seqNo, 2)).toEqual(events.slice(3, 5));
      expect(await read(events[8]!.seqNo, blockSeqNo.last(50n), 2)).toEqual([]);
    });

    it('gives the events of one aggregate, and of no other with a like id', async () => {
      const { store } = await open(4);
      const { events } = marketOfEverything();
      await append(store, wholeRange(events));
      for (const key of keysOf(events)) {
        const own = events.filter(
          (e) => e.aggregateType === key.aggregateType && e.aggregateId === key.aggregateId,
        );
        const read = (from: SeqNo, to: SeqNo): Promise<readonly Event[]> =>
          readAggregate(store, { ...key, afterSeqNo: from, upToSeqNo: to });
        expect(await read(BEFORE_FIRST, blockSeqNo.last(100n))).toEqual(own);
        expect(await read(own[0]!.seqNo, own.at(-1)!.seqNo)).toEqual(own.slice(1));
      }
    });
  });
}
