import { describe, expect, it } from '@jest/globals';
import {
  aggregateHash,
  BEFORE_FIRST,
  evmSeqNo,
  laneOf,
  ReorgTooDeepError,
  UNDECODABLE,
  UNDECODABLE_AGGREGATE,
  type AggregateKey,
  type AppendMessage,
  type BlockRef,
  type Event,
  type InvalidateMessage,
  type LateChange,
  type Observer,
  type Reducer,
  type SeqNo,
} from '@imart/core';
import { AGGREGATE } from '@imart/market';
import {
  AncestorMismatchError,
  applyLateChange,
  createExecutor,
  createLane,
  createPipelineStats,
  EpochMovedError,
  EventConflictError,
  HaltedError,
  invalidate,
  noSnapshots,
  retryParked,
  rewind,
  skipParked,
  snapshotEvery,
  type ChangeOptions,
  type InvalidateResult,
  type SubjectStore,
} from '@imart/pipeline';
import { appendMessage, fakeBlock } from './fakeSubject';
import {
  address,
  ALICE,
  BOB,
  CAROL,
  createMarketScript,
  MARKET,
  multi,
  type MarketScript,
} from './marketEvents';
import { marketOfEverything } from './marketOfEverything';
import { addPoison } from './randomMarket';
import { silentLogger } from './silentLogger';
import { MARKET_OBSERVER } from './straightFold';
import type { OpenedStore, SubjectStoreFeatures } from './subjectStore.features';
import { append, contentsOfStraightFold, executeLanes, wholeRange } from './storeSteps';

const changing = (store: SubjectStore, observer: Observer = MARKET_OBSERVER): ChangeOptions => ({
  store,
  observer,
  logger: silentLogger,
});

const at = (position: bigint): SeqNo => evmSeqNo.last(position);

/** Everything after this position is taken back. */
const takeBackAfter = (position: bigint, ancestor: BlockRef = fakeBlock(position)): InvalidateMessage => ({
  kind: 'invalidate',
  fromSeqNo: evmSeqNo.first(position + 1n),
  ancestor,
});

async function takeBack(store: SubjectStore, position: bigint): Promise<InvalidateResult> {
  const { epoch } = await store.progress();
  return invalidate(changing(store), takeBackAfter(position), epoch);
}

/** The events as complete ranges of one position each, every block told: so are positions above finality. */
function blockByBlock(events: readonly Event[], toPosition: bigint, fromPosition = 0n): AppendMessage[] {
  const messages: AppendMessage[] = [];
  for (let position = fromPosition; position <= toPosition; position++)
    messages.push(appendMessage(events, position, position));
  return messages;
}

const upTo = (events: readonly Event[], position: bigint): readonly Event[] =>
  events.filter(({ source }) => source.position <= position);

/** The same event elsewhere: as another block, or another transaction order, has it. */
export function movedTo(event: Event, position: bigint, index: number, blockHash?: string): Event {
  const block = fakeBlock(position);
  return {
    ...event,
    seqNo: evmSeqNo.encode(position, index, 0),
    source: {
      ...event.source,
      position,
      index,
      blockHash: blockHash ?? block.hash,
      timeUs: block.timeUs,
    },
  };
}

const late = (epoch: bigint, change: Partial<LateChange>): LateChange => ({
  epoch,
  blocks: [],
  inserted: [],
  replaced: [],
  retracted: [],
  discovered: [],
  ...change,
});

async function applyLate(store: SubjectStore, change: Partial<LateChange>) {
  const { epoch } = await store.progress();
  return applyLateChange(changing(store), late(epoch, change));
}

const orderKey = (id: string): AggregateKey => ({
  aggregateType: AGGREGATE.order,
  aggregateId: `${MARKET}:${id}`,
});

const finalize = (store: SubjectStore, position: bigint): Promise<void> =>
  store.transaction(async (tx) => {
    await tx.lockIngest();
    await tx.finalize({ kind: 'finalize', upToSeqNo: at(position), position });
  });

/** A program that has been mended: what its order reducer could not fold changes nothing. */
const MENDED: Observer = {
  ...MARKET_OBSERVER,
  reducers: new Map(MARKET_OBSERVER.reducers).set(AGGREGATE.order, mendedOrders()),
};

function mendedOrders(): Reducer {
  const reducer = MARKET_OBSERVER.reducers.get(AGGREGATE.order) as Reducer;
  return {
    ...reducer,
    fold: (state, event) =>
      event.name === 'TokenMinted' ? { state, rows: [], activities: [] } : reducer.fold(state, event),
  };
}

/** Every `every`-th event of an aggregate makes a snapshot, in a store with these events, executed. */
async function filled(
  features: SubjectStoreFeatures,
  events: readonly Event[],
  { lanes = 1, every = 2, toPosition = 30n } = {},
): Promise<OpenedStore> {
  const opened = await features.open(lanes);
  for (const message of blockByBlock(events, toPosition)) await append(opened.store, message);
  await executeLanes(opened.store, every === 0 ? noSnapshots : snapshotEvery(every));
  return opened;
}

/** The contract of the steps that change what was told, and of what the engine makes of them. */
export function describeSubjectChanges(name: string, features: SubjectStoreFeatures): void {
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
        discoveredAt: evmSeqNo.encode(position, 3, 0),
      });
      const discovered = [contract('kept', 1n), contract('kept', 3n), contract('gone', 3n)];
      for (const message of blockByBlock([], 4n)) {
        const own = discovered.filter(
          ({ discoveredAt }) => evmSeqNo.decode(discoveredAt).position === message.toPosition,
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
        const request = { ...orderKey('1'), fromSeqNo: evmSeqNo.first(3n) };
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

  describe(`${name}: a rewind`, () => {
    it('only tells what it would do, when that is asked', async () => {
      const { events } = marketOfEverything();
      const { store, contents } = await filled(features, events);
      await finalize(store, 3n);
      const [before, progress] = [await contents(), await store.progress()];
      const plan = await rewind(changing(store), { toPosition: 1n, dryRun: true });
      const gone = events.filter(({ source }) => source.position > 1n);
      expect(plan).toEqual({
        toPosition: 1n,
        nextPosition: 2n,
        events: BigInt(gone.length),
        aggregates: BigInt(new Set(gone.map((e) => `${e.aggregateType}/${e.aggregateId}`)).size),
        discovered: 0n,
        belowFinality: true,
        halt: null,
      });
      expect(await contents()).toEqual(before);
      expect(await store.progress()).toEqual(progress);
    });

    it('goes below what is final, lowers that with it, and clears the halt (R7)', async () => {
      const { events } = marketOfEverything();
      const { store, contents } = await filled(features, events);
      await finalize(store, 20n);
      await store.halt('REORG_TOO_DEEP', 'the chain is another one');
      expect(await rewind(changing(store), { toPosition: 2n, dryRun: false })).toMatchObject({
        toPosition: 2n,
        halt: { code: 'REORG_TOO_DEEP' },
      });
      expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, 2n)));
      expect(await store.progress()).toMatchObject({
        nextPosition: 3n,
        finalized: at(2n),
        finalizedPosition: 2n,
        halt: null,
      });
      await finalize(store, 5n);
      expect(await store.progress()).toMatchObject({ finalizedPosition: 5n });
    });

    it.each([1, 3, 7, 1000])(
      'takes back at most %i events at a time, and ends at the same place',
      async (max) => {
        const { events } = marketOfEverything();
        const { store, contents } = await filled(features, events, { lanes: 2, every: 1 });
        const { lastFeedNo } = await store.progress();
        await rewind(changing(store), { toPosition: 1n, dryRun: false }, max);
        expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, 1n)));
        const progress = await store.progress();
        expect(progress).toMatchObject({ nextPosition: 2n, ingested: at(1n), halt: null });
        const perBlock = [2n, 3n, 4n, 5n, 6n, 7n, 8n].map(
          (position) => events.filter(({ source }) => source.position === position).length,
        );
        const taken = perBlock.filter((count) => count > 0);
        // A block is taken back whole, however many events it has.
        if (max === 1) expect(progress.lastFeedNo - lastFeedNo).toBeGreaterThanOrEqual(BigInt(taken.length));
        if (max === 1000) expect(progress.lastFeedNo - lastFeedNo).toBe(1n);
        for (const message of blockByBlock(events, 30n, 2n)) await append(store, message);
        await executeLanes(store);
        expect(await contents()).toEqual(await contentsOfStraightFold(events));
      },
    );

    it('goes back to a block that is known: where only the log knows, to that of an event', async () => {
      const { events } = createMarketScript().nextBlock(4n).listed('1').nextBlock(5n).filled('1');
      const { store, contents } = await open(1);
      await append(store, appendMessage(events, 0n, 20n));
      await append(store, appendMessage(events, 21n, 40n));
      await finalize(store, 40n);
      await append(store, appendMessage(events, 41n, 50n));
      await executeLanes(store);
      // Blocks 40 and 50 are remembered, 5 and 10 have events.
      const planned = async (toPosition: bigint) =>
        (await rewind(changing(store), { toPosition, dryRun: true })).toPosition;
      expect(await Promise.all([60n, 50n, 49n, 40n, 39n, 10n, 9n, 5n].map(planned))).toEqual([
        50n,
        50n,
        10n,
        40n,
        10n,
        10n,
        5n,
        5n,
      ]);
      await rewind(changing(store), { toPosition: 9n, dryRun: false });
      expect(await store.resumePoint()).toMatchObject({
        nextPosition: 6n,
        window: [{ position: 5n, hash: fakeBlock(5n).hash, parentHash: '' }],
        finalizedPosition: 5n,
      });
      expect(await store.progress()).toMatchObject({ chainTimeUs: fakeBlock(5n).timeUs });
      expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, 9n)));
    });

    it('before the first event begins anew', async () => {
      const { events } = marketOfEverything();
      const { store, contents } = await filled(features, events);
      await finalize(store, 20n);
      expect(await rewind(changing(store), { toPosition: -1n, dryRun: false })).toMatchObject({
        toPosition: null,
        nextPosition: 0n,
      });
      expect(await contents()).toEqual({ rows: [], activities: [], parked: [] });
      expect(await store.progress()).toMatchObject({
        ingested: BEFORE_FIRST,
        executed: BEFORE_FIRST,
        finalized: BEFORE_FIRST,
        finalizedPosition: null,
        chainTimeUs: null,
      });
      expect(await store.resumePoint()).toMatchObject({
        nextPosition: 0n,
        window: [],
        finalizedPosition: null,
      });
      for (const message of blockByBlock(events, 30n)) await append(store, message);
      await executeLanes(store);
      expect(await contents()).toEqual(await contentsOfStraightFold(events));
    });

    it('that stops half way leaves the halt, and can be asked for again', async () => {
      const { events } = marketOfEverything();
      const { store, contents } = await filled(features, events);
      let cuts = 0;
      const failing: SubjectStore = {
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
      await expect(rewind(changing(failing), { toPosition: 0n, dryRun: false }, 2)).rejects.toThrow(
        'on purpose',
      );
      expect(await store.halted()).toMatchObject({ code: 'REWINDING' });
      const { nextPosition } = await store.progress();
      expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, nextPosition - 1n)));
      await rewind(changing(store), { toPosition: 0n, dryRun: false }, 2);
      expect(await store.halted()).toBeNull();
      expect(await contents()).toEqual({ rows: [], activities: [], parked: [] });
    });
  });

  describe(`${name}: a halt`, () => {
    it('is told by everything that reads, until it is cleared; its first reason stays', async () => {
      const { store } = await open(1);
      expect(await store.halted()).toBeNull();
      const first = await store.halt('TOO_MANY_PARKED', 'a message');
      expect(first).toMatchObject({ code: 'TOO_MANY_PARKED', message: 'a message' });
      expect(await store.halt('REORG_TOO_DEEP', 'another')).toEqual(first);
      expect(await store.halted()).toEqual(first);
      expect((await store.progress()).halt).toEqual(first);
      expect(await store.heartbeat(fakeBlock(3n))).toEqual({ epoch: 0n, halt: first });
      await store.clearHalt();
      await store.clearHalt();
      expect(await store.halted()).toBeNull();
      expect((await store.progress()).halt).toBeNull();
      expect(await store.heartbeat(fakeBlock(3n))).toEqual({ epoch: 0n, halt: null });
    });

    it('keeps lanes from executing', async () => {
      const { events } = createMarketScript().listed('1');
      const { store, contents } = await open(1);
      await append(store, wholeRange(events));
      await store.halt('REORG_TOO_DEEP', 'a message');
      await expect(executeLanes(store)).rejects.toBeInstanceOf(HaltedError);
      expect((await contents()).rows).toEqual([]);
      await store.clearHalt();
      await executeLanes(store);
      expect(await contents()).toEqual(await contentsOfStraightFold(events));
    });
  });

  describe(`${name}: a part of the log`, () => {
    it('is told with the blocks that are known, and what it discovered', async () => {
      const { events } = createMarketScript().listed('1').nextBlock(2n).filled('1').nextBlock(9n).listed('1');
      const { store } = await open(1);
      const discovered = [2n, 7n].map((position) => ({
        address: address(`at${position}`),
        kind: 'erc721',
        discoveredAt: evmSeqNo.encode(position, 1, 0),
      }));
      await append(store, { ...appendMessage(events, 0n, 5n), discovered: discovered.slice(0, 1) });
      await append(store, { ...appendMessage(events, 6n, 15n), discovered: discovered.slice(1) });
      const known = (position: bigint) => ({ position, hash: fakeBlock(position).hash });
      expect(await store.rangeEvents(2n, 12n)).toEqual({
        epoch: 0n,
        nextPosition: 16n,
        events: events.slice(1),
        blocks: [known(3n), known(5n), known(12n)],
        discovered,
      });
      expect(await store.rangeEvents(4n, 4n)).toMatchObject({ events: [], blocks: [], discovered: [] });
      expect(await store.tamperedEvents({ fromPosition: 0n, toPosition: 15n })).toEqual([]);
      expect(await store.eventsAt([MARKET, address('nobody')])).toEqual(events.map(({ seqNo }) => seqNo));
      expect(await store.eventsAt([address('nobody')])).toEqual([]);
    });
  });
}

/** Refuses what was never listed. */
function onlyListed(): Reducer {
  const reducer = MARKET_OBSERVER.reducers.get(AGGREGATE.order) as Reducer;
  return {
    ...reducer,
    fold(state, event) {
      if (state.version === 0 && event.name !== 'OrderListed') throw new Error('it was never listed');
      return reducer.fold(state, event);
    },
  };
}

/** Executes each lane up to a place of its own. */
async function executeUpTo(store: SubjectStore, places: readonly SeqNo[]): Promise<void> {
  for (const [lane, place] of places.entries()) {
    const short: SubjectStore = {
      ...store,
      transaction: (work) =>
        store.transaction((tx) =>
          work({ ...tx, lockLanes: async (lanes) => ({ ...(await tx.lockLanes(lanes)), ingested: place }) }),
        ),
    };
    await executeWith(short, MARKET_OBSERVER, [lane]);
  }
}

async function executeWith(
  store: SubjectStore,
  observer: Observer,
  lanes: readonly number[] = Array.from({ length: store.lanes }, (_, lane) => lane),
): Promise<void> {
  for (const lane of lanes) {
    const executor = createExecutor({ store, observer, cachedStatesMax: 100, parkedAggregatesMax: 100 });
    const stats = createPipelineStats();
    await createLane({
      lane,
      store,
      executor,
      snapshotRule: noSnapshots,
      runEventsMax: 1000,
      stats,
      now: () => 0,
    }).advance();
  }
}
