import { describe, expect, it } from '@jest/globals';
import { aggregateHash, BEFORE_FIRST, laneOf, ReorgTooDeepError, type Event, type SeqNo } from '@imart/core';
import { blockSeqNo } from '../blockSeqNo';
import {
  AncestorMismatchError,
  createExecutor,
  EpochMovedError,
  invalidate,
  noSnapshots,
  snapshotEvery,
  type SubjectStore,
} from '@imart/pipeline';
import { appendMessage, fakeBlock } from '../fakeSubject';
import { address, ALICE, BOB, CAROL, createMarketScript, MARKET, multi } from '../marketEvents';
import { marketOfEverything } from '../marketOfEverything';
import { addPoison } from '../randomMarket';
import { append, contentsOfStraightFold, executeLanes } from '../storeSteps';
import { MARKET_OBSERVER } from '../straightFold';
import type { SubjectStoreFeatures } from '../storeFeatures';
import {
  at,
  blockByBlock,
  changing,
  executeUpTo,
  filled,
  finalize,
  MENDED,
  movedTo,
  orderKey,
  takeBack,
  takeBackAfter,
  upTo,
} from './steps';

/** The contract of what takes blocks back, and of what it leaves. */
export function describeTakingBack(name: string, features: SubjectStoreFeatures): void {
  const { open } = features;

  describe(`${name}: taking blocks back`, () => {
    it.each([0, 1, 3])(
      'from any place leaves what one clean pass over the rest does, with snapshots every %i events (R1, R8)',
      async (every) => {
        const { events } = marketOfEverything();
        const last = events.at(-1)!.source.position;
        for (let position = last; position >= 0n; position--) {
          const { store, contents } = await filled(features, events, { lanes: 2, every, toPosition: last });
          expect(await takeBack(store, position)).toMatchObject(
            position === last
              ? { kind: 'nothing-to-invalidate' }
              : { kind: 'invalidated', depthBlocks: last - position },
          );
          expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, position)));
          expect(await store.progress()).toMatchObject({
            ingested: at(position),
            nextPosition: position + 1n,
            lanes: [at(position), at(position)],
            chainTimeUs: fakeBlock(position).timeUs,
          });
        }
      },
    );

    it('lets the log go on as if what was taken back had never been read', async () => {
      const { events } = marketOfEverything();
      const { store, contents } = await filled(features, events, { every: 1 });
      await takeBack(store, 2n);
      for (const message of blockByBlock(events, 30n, 3n)) await append(store, message);
      await executeLanes(store, snapshotEvery(1));
      expect(await contents()).toEqual(await contentsOfStraightFold(events));
    });

    it('restores the rows of an order that was sold, listed again and sold again (R8)', async () => {
      const script = createMarketScript()
        .listed('1', { price: 1n, items: [multi(1n, 5n)] })
        .filled('1', { items: [multi(1n, 2n)], closes: false })
        .nextBlock()
        .listed('1', { price: 7n, maker: BOB })
        .filled('1')
        .nextBlock()
        .listed('1', { price: 8n, side: 'offer', maker: CAROL });
      const { events } = script;
      for (const every of [1, 2, 100]) {
        const { store, contents } = await filled(features, events, { every, toPosition: 4n });
        expect(await contents()).toEqual(await contentsOfStraightFold(events));
        for (const position of [2n, 1n, 0n]) {
          await takeBack(store, position);
          expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, position)));
        }
      }
    });

    it('and reading the same log at another place of the new branch applies it once, there (R6)', async () => {
      const { events } = createMarketScript().minted(ALICE).nextBlock().transferred(ALICE, BOB).listed('1');
      const [minted, transferred, listed] = events as readonly Event[] as [Event, Event, Event];
      const { store, contents } = await filled(features, events, { toPosition: 2n });
      await takeBack(store, 1n);
      const branch = [minted, movedTo(listed, 2n, 0, '0x0b'), movedTo(transferred, 3n, 4, '0x0c')];
      for (const message of blockByBlock(branch, 3n, 2n)) await append(store, message);
      await executeLanes(store);
      expect(await contents()).toEqual(await contentsOfStraightFold(branch));
      expect((await contents()).activities.filter(({ kind }) => kind === 'TRANSFER')).toHaveLength(1);
    });

    it('twice is as once, and a second reorg may go deeper than the first (R3)', async () => {
      const { events } = marketOfEverything();
      const { store, contents } = await filled(features, events);
      await takeBack(store, 3n);
      const [before, progress] = [await contents(), await store.progress()];
      expect(await takeBack(store, 3n)).toEqual({ kind: 'nothing-to-invalidate' });
      expect(await takeBack(store, 7n)).toEqual({ kind: 'nothing-to-invalidate' });
      expect(await contents()).toEqual(before);
      expect(await store.progress()).toEqual(progress);
      expect(await takeBack(store, 1n)).toMatchObject({ kind: 'invalidated', depthBlocks: 2n });
      expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, 1n)));
    });

    it('of blocks without events moves the end of the log back all the same (R5)', async () => {
      const { events } = createMarketScript().listed('1');
      const { store, contents } = await filled(features, events, { toPosition: 6n });
      const before = await contents();
      expect(await takeBack(store, 4n)).toMatchObject({
        kind: 'invalidated',
        depthBlocks: 2n,
        retractedEvents: 0,
        refoldedAggregates: 0,
      });
      expect(await contents()).toEqual(before);
      expect(await store.resumePoint()).toMatchObject({ nextPosition: 5n, epoch: 1n });
    });

    it('forgets the blocks of the branch, and the contracts that were discovered on it (R9)', async () => {
      const { store } = await open(1);
      const contract = (name: string, position: bigint) => ({
        address: address(name),
        kind: 'erc721',
        discoveredAt: blockSeqNo.encode(position, 3, 0),
      });
      const discovered = [contract('kept', 1n), contract('kept', 3n), contract('gone', 3n)];
      for (const message of blockByBlock([], 4n)) {
        const own = discovered.filter(
          ({ discoveredAt }) => blockSeqNo.decode(discoveredAt).position === message.toPosition,
        );
        await append(store, { ...message, discovered: own });
      }
      expect((await store.resumePoint()).discovered).toHaveLength(2);
      await takeBack(store, 2n);
      expect(await store.resumePoint()).toEqual({
        epoch: 1n,
        nextPosition: 3n,
        window: [0n, 1n, 2n].map(fakeBlock),
        finalizedPosition: null,
        discovered: [contract('kept', 1n)],
      });
    });

    it('below what is final is refused, and nothing is written (R7)', async () => {
      const { events } = marketOfEverything();
      const { store, contents } = await filled(features, events);
      await finalize(store, 2n);
      const [before, progress] = [await contents(), await store.progress()];
      await expect(takeBack(store, 1n)).rejects.toBeInstanceOf(ReorgTooDeepError);
      expect(await contents()).toEqual(before);
      expect(await store.progress()).toEqual(progress);
      expect(await takeBack(store, 2n)).toMatchObject({ kind: 'invalidated' });
    });

    it('by who reads under another epoch is refused, and nothing is written', async () => {
      const { events } = marketOfEverything();
      const { store, contents } = await filled(features, events);
      await takeBack(store, 5n);
      const [before, progress] = [await contents(), await store.progress()];
      expect(await invalidate(changing(store), takeBackAfter(3n), 0n)).toEqual({ kind: 'moved', epoch: 1n });
      expect(await contents()).toEqual(before);
      expect(await store.progress()).toEqual(progress);
    });

    it('to a block that is not the one in the log is refused, whether its window knows it or only an event does', async () => {
      const { events } = createMarketScript().listed('1').nextBlock(2n).filled('1');
      const { store } = await open(1);
      await append(store, appendMessage(events, 0n, 2n));
      await append(store, appendMessage(events, 3n, 9n));
      const before = await store.progress();
      for (const position of [1n, 2n, 3n]) {
        const other = { ...fakeBlock(position), hash: `0x${'99'.repeat(32)}` };
        await expect(
          invalidate(changing(store), takeBackAfter(position, other), before.epoch),
        ).rejects.toBeInstanceOf(AncestorMismatchError);
      }
      expect(await store.progress()).toEqual(before);
    });

    it('refolds no lane beyond where it was, and does not touch one that had not come to the fork', async () => {
      const script = createMarketScript();
      for (let i = 1; i <= 40; i++) script.listed(String(i)).nextBlock();
      for (let i = 1; i <= 40; i++) script.filled(String(i)).nextBlock();
      const { events } = script;
      const { store, contents } = await open(4);
      for (const message of blockByBlock(events, 90n)) await append(store, message);
      const reached = [at(85n), at(60n), at(20n), BEFORE_FIRST];
      const laneFor = (event: Event): number =>
        laneOf(aggregateHash(event.aggregateType, event.aggregateId), 4);
      await executeUpTo(store, reached);
      const { refoldedAggregates } = (await takeBack(store, 50n)) as { refoldedAggregates: number };
      const lanes = reached.map((seqNo) => (seqNo > at(50n) ? at(50n) : seqNo));
      expect(await store.progress()).toMatchObject({ lanes, ingested: at(50n) });
      expect(await contents()).toEqual(
        await contentsOfStraightFold(events.filter((e) => e.seqNo <= (lanes[laneFor(e)] as SeqNo))),
      );
      const takenBack = events.filter((e) => e.seqNo > at(50n) && e.seqNo <= (reached[laneFor(e)] as SeqNo));
      expect(refoldedAggregates).toBe(takenBack.length);
      await executeLanes(store);
      expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, 50n)));
    });

    it('takes the marker of an aggregate with it that was parked on the branch, and keeps one from below', async () => {
      const script = addPoison(createMarketScript().listed('1').listed('2'), '1').nextBlock();
      addPoison(script.filled('1').filled('2'), '2');
      const { events } = script;
      const { store, contents, kept } = await filled(features, events);
      const [below, above] = (await contents()).parked;
      expect([below?.aggregateId, above?.aggregateId]).toEqual([`${MARKET}:1`, `${MARKET}:2`]);
      await takeBack(store, 1n);
      expect((await contents()).parked).toEqual([below]);
      expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, 1n)));
      expect((await kept()).parkActions).toMatchObject([
        { ...orderKey('2'), fromSeqNo: above?.fromSeqNo, action: 'invalidate', outcome: 'gone' },
      ]);
    });

    it('does not release an aggregate that waits from below, though the program has been mended since', async () => {
      const script = addPoison(createMarketScript().listed('1'), '1').filled('1').nextBlock().cancelled('1');
      const { events } = script;
      const { store, contents } = await filled(features, events);
      const before = await contents();
      const { epoch } = await store.progress();
      expect(await invalidate(changing(store, MENDED), takeBackAfter(1n), epoch)).toMatchObject({
        retractedEvents: 1,
        refoldedAggregates: 0,
      });
      expect(await contents()).toEqual(before);
    });

    it('starts refolding at a snapshot, however long an aggregate has been caught up without any', async () => {
      const script = createMarketScript().listed('1');
      for (let i = 1n; i < 400n; i++) script.priceChanged('1', { price: i });
      script.nextBlock().priceChanged('1', { price: 5n }).nextBlock().priceChanged('1', { price: 6n });
      const { events } = script;
      const { store, contents, kept } = await open(1);
      await append(store, appendMessage(events, 0n, 1n));
      await executeLanes(store, noSnapshots);
      for (const message of blockByBlock(events, 3n, 2n)) await append(store, message);
      await executeLanes(store, snapshotEvery(100));
      const before = upTo(events, 1n).at(-1)!.seqNo;
      expect((await kept()).snapshots).toMatchObject([{ ...orderKey('1'), seqNo: before }]);
      let read = 0;
      await store.transaction(async (tx) => {
        await tx.lockIngest();
        await tx.lockLanes([0]);
        const request = { ...orderKey('1'), fromSeqNo: blockSeqNo.first(3n) };
        const [base] = [...(await tx.snapshotsBelow([request])).values()];
        await tx.readAggregates(
          [{ ...orderKey('1'), afterSeqNo: base?.seqNo ?? BEFORE_FIRST, upToSeqNo: at(2n) }],
          async (piece) => {
            read += piece.length;
          },
        );
      });
      expect(read).toBe(1);
      await takeBack(store, 2n);
      expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, 2n)));
      // That snapshot is enough: no further one is made before the next hundred is full.
      await append(store, appendMessage(events, 3n, 3n));
      await executeLanes(store, snapshotEvery(100));
      expect((await kept()).snapshots).toHaveLength(1);
    });

    it('waits for a lane that has read beyond the fork, and takes back what it commits (R4)', async () => {
      const { events } = createMarketScript().listed('1').nextBlock().filled('1');
      const { store, contents } = await open(1);
      for (const message of blockByBlock(events, 2n)) await append(store, message);
      let goOn = (): void => undefined;
      const mayCommit = new Promise<void>((resolve) => (goOn = resolve));
      let read = (): void => undefined;
      const hasRead = new Promise<void>((resolve) => (read = resolve));
      const slow: SubjectStore = {
        ...store,
        prepareRun: async (run) => {
          read();
          await mayCommit;
          return store.prepareRun(run);
        },
      };
      const executing = executeLanes(slow);
      await hasRead;
      const rolledBack = takeBack(store, 1n);
      // Whatever does not need the lane's lock is through by now.
      await store.progress();
      goOn();
      await executing;
      expect(await rolledBack).toMatchObject({ kind: 'invalidated' });
      expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, 1n)));
      expect(await store.progress()).toMatchObject({ executed: at(1n) });
    });

    it('refuses the checkpoint of a lane that read beyond the fork under the epoch before, with all it wrote (R4)', async () => {
      const { events } = createMarketScript().listed('1').nextBlock().filled('1').listed('2');
      const { store, contents } = await open(1);
      for (const message of blockByBlock(events, 2n)) await append(store, message);
      const executor = createExecutor({
        store,
        observer: MARKET_OBSERVER,
        cachedStatesMax: 9,
        parkedAggregatesMax: 9,
      });
      const { epoch } = await store.progress();
      const run = await executor.fold(
        events,
        { afterSeqNo: BEFORE_FIRST, upToSeqNo: at(2n), epoch, committedSeqNo: BEFORE_FIRST },
        noSnapshots,
      );
      await takeBack(store, 1n);
      const committing = store.transaction(async (tx) => {
        await tx.lockLanes([0]);
        await tx.writeRun(await store.prepareRun(run));
        await tx.setCheckpoints([0], at(2n), epoch);
      });
      await expect(committing).rejects.toBeInstanceOf(EpochMovedError);
      expect(await contents()).toEqual({ rows: [], activities: [], parked: [] });
      expect((await store.progress()).executed).toBe(BEFORE_FIRST);
    });
  });
}
