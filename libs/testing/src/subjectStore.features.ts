import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  aggregateHash,
  aggregateKeyText,
  BEFORE_FIRST,
  evmSeqNo,
  laneOf,
  type AggregateKey,
  type AppendMessage,
  type Event,
  type FoldState,
  type Reducer,
  type SeqNo,
  type Snapshot,
} from '@imart/core';
import { AGGREGATE } from '@imart/market';
import {
  createCatchUp,
  createExecutor,
  createPipelineStats,
  EventConflictError,
  foldRun,
  LedgerGapError,
  createStateCache,
  noSnapshots,
  refold,
  snapshotEvery,
  type AggregateRange,
  type FoldedRun,
  type SubjectStore,
  type SubjectTransaction,
  type TouchedAggregate,
} from '@imart/pipeline';
import { appendMessage, appendMessages, fakeBlock } from './fakeSubject';
import { describeFeed } from './feed.features';
import { address, ALICE, BOB, CAROL, createMarketScript, MARKET } from './marketEvents';
import { addPoison, randomHistory } from './randomMarket';
import { marketOfEverything } from './marketOfEverything';
import { silentLogger } from './silentLogger';
import type { SubjectStoreFeatures } from './storeFeatures';
import { append, contentsOfStraightFold, executeLanes, wholeRange } from './storeSteps';
import { describeSubjectChanges } from './subjectChanges.features';
import { MARKET_OBSERVER, straightFold } from './straightFold';

const never = new AbortController().signal;
const allLanes = (store: SubjectStore): number[] => Array.from({ length: store.lanes }, (_, lane) => lane);

/** Something that is waited for. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

/** Takes ranges as a worker that catches up does. */
export async function catchUpWith(
  store: SubjectStore,
  messages: readonly AppendMessage[],
  cachedStatesMax = 1000,
): Promise<void> {
  const catchUp = createCatchUp({
    store,
    executor: createExecutor({
      store,
      observer: MARKET_OBSERVER,
      cachedStatesMax,
      parkedAggregatesMax: 1000,
    }),
    stats: createPipelineStats(),
    logger: silentLogger,
    random: () => 0,
    now: () => 0,
    onCommitted: () => undefined,
  });
  for (const message of messages) expect(await catchUp.push(message, never)).toBe(true);
  await catchUp.drain(never);
}

/** The state of every aggregate after these events, by its reducer alone. */
function foldedStates(events: readonly Event[]): Map<string, FoldState> {
  const states = new Map<string, FoldState>();
  const cache = createStateCache(Number.MAX_SAFE_INTEGER, true);
  foldRun(events, {
    observer: MARKET_OBSERVER,
    cache,
    parked: new Set(),
    snapshotRule: noSnapshots,
  });
  for (const event of events) {
    const text = aggregateKeyText(event.aggregateType, event.aggregateId);
    const state = cache.get(text);
    if (state !== undefined && state.version > 0) states.set(text, state);
  }
  return states;
}

/** Refolds an aggregate from a place on, up to where the lanes are. */
const refoldOne = (store: SubjectStore, touched: TouchedAggregate): Promise<unknown> =>
  store.transaction(async (tx) => {
    await tx.lockIngest();
    const { executed } = await tx.lockLanes(allLanes(store));
    await tx.unpark([touched]);
    await refold(tx, { store, observer: MARKET_OBSERVER }, [{ ...touched, upToSeqNo: executed }]);
  });

async function readAggregate(store: SubjectStore, range: AggregateRange): Promise<readonly Event[]> {
  const events: Event[] = [];
  await store.transaction((tx) =>
    tx.readAggregates([range], async (piece) => {
      events.push(...piece);
    }),
  );
  return events;
}

const keysOf = (events: readonly Event[]): AggregateKey[] => [
  ...new Map(
    events.map(({ aggregateType, aggregateId }) => [
      aggregateKeyText(aggregateType, aggregateId),
      { aggregateType, aggregateId },
    ]),
  ).values(),
];

/** No chain of this project tells a time after the year 9999. */
const CALENDAR_END_US = 253_402_300_800_000_000n;

/** A history with some events that their reducer always throws at, cut into ranges, some of them empty. */
export const histories = fc
  .record({
    history: randomHistory,
    poison: fc.array(fc.nat({ max: 59 }), { maxLength: 2 }),
    widths: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 40, maxLength: 40 }),
  })
  .map(({ history, poison, widths }) => {
    const events = history.map((event, i): Event => {
      if (poison.includes(i) && event.aggregateType === AGGREGATE.order)
        return { ...event, name: 'TokenMinted', data: { to: ALICE, standard: 'erc721' } };
      const { expiresAtUs } = event.data as { expiresAtUs?: bigint | null };
      if (typeof expiresAtUs !== 'bigint' || expiresAtUs < CALENDAR_END_US) return event;
      return { ...event, data: { ...event.data, expiresAtUs: CALENDAR_END_US } } as Event;
    });
    const last = (events.at(-1)?.source.position ?? 0n) + 1n;
    const ends: bigint[] = [];
    for (let end = -1n, i = 0; end < last; i++)
      ends.push((end += i < widths.length ? BigInt(widths[i] as number) : last - end));
    return { events, ends };
  });

const emptyRun: FoldedRun = { rows: [], activities: [], snapshots: [], parked: [], folded: 0 };

/** The contract of {@link SubjectStore}: every store of a subject keeps it. */
export function describeSubjectStore(name: string, features: SubjectStoreFeatures): void {
  const { open, runs } = features;

  describe(`${name}: the contract of a subject's store`, () => {
    if (features.afterEach !== undefined) afterEach(() => features.afterEach?.());

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
          ingested: evmSeqNo.last(9n),
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
        const read = await store.transaction((tx) => tx.readRun(0, BEFORE_FIRST, evmSeqNo.last(100n), 1000));
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
        for (const message of messages)
          expect(await append(store, message)).toEqual({ kind: 'already-there' });
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
          await tx.setCheckpoints([0], evmSeqNo.last(3n), 0n);
          await tx.finalize({ kind: 'finalize', upToSeqNo: evmSeqNo.last(2n), position: 2n });
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
        const end = evmSeqNo.last(100n);
        const byLane: (readonly Event[])[] = [];
        for (let lane = 0; lane < lanes; lane++)
          byLane.push(await store.transaction((tx) => tx.readRun(lane, BEFORE_FIRST, end, 1000)));
        byLane.forEach((events, lane) => {
          expect(events).toEqual(
            script.events.filter(
              (e) => laneOf(aggregateHash(e.aggregateType, e.aggregateId), lanes) === lane,
            ),
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
        expect(await read(events[8]!.seqNo, evmSeqNo.last(50n), 2)).toEqual([]);
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
          expect(await read(BEFORE_FIRST, evmSeqNo.last(100n))).toEqual(own);
          expect(await read(own[0]!.seqNo, own.at(-1)!.seqNo)).toEqual(own.slice(1));
        }
      });
    });

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
            tx.writeRun(await store.prepareRun({ ...emptyRun, rows: run.rows })),
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

    describe('progress', () => {
      it('of lanes never moves back, and is the least of them', async () => {
        const { store } = await open(3);
        const set = (lanes: readonly number[], position: bigint): Promise<void> =>
          store.transaction(async (tx) => {
            await tx.lockLanes(lanes);
            await tx.setCheckpoints(lanes, evmSeqNo.last(position), 0n);
          });
        const at = (position: bigint): SeqNo => evmSeqNo.last(position);
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
            await tx.finalize({ kind: 'finalize', upToSeqNo: evmSeqNo.last(position), position });
          });
        await finalize(0n);
        expect(await store.resumePoint()).toMatchObject({ finalizedPosition: 0n });
        for (const position of [7n, 3n, 7n]) {
          await finalize(position);
          expect((await store.progress()).finalized).toBe(evmSeqNo.last(7n));
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
          { address: address('b'), kind: 'erc1155', discoveredAt: evmSeqNo.encode(1n, 4, 0) },
          { address: address('a'), kind: 'erc721', discoveredAt: evmSeqNo.encode(2n, 0, 1) },
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
          await tx.finalize({ kind: 'finalize', upToSeqNo: evmSeqNo.last(4n), position: 4n });
        });
        await append(store, { ...appendMessage([], 6n, 6n), blocks: blocks(6n) });
        // Below finality nothing can be taken back: those blocks are forgotten.
        expect((await store.resumePoint()).window).toEqual(blocks(4n, 5n, 6n));
        await store.transaction(async (tx) => {
          await tx.lockIngest();
          await tx.finalize({ kind: 'finalize', upToSeqNo: evmSeqNo.last(90n), position: 90n });
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
        expect(await store.fateOf(0, evmSeqNo.last(2n))).toBe('executed');
        expect(await store.fateOf(0, evmSeqNo.last(3n))).toBeNull();
        const again = { ...marker!, fromSeqNo: filled!, message: 'another' };
        await store.transaction(async (tx) =>
          tx.writeRun(await store.prepareRun({ ...emptyRun, parked: [again] })),
        );
        expect(await store.parked()).toEqual([marker]);
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
        expect(await below(evmSeqNo.last(99n))).toEqual(states[2]);
        expect(await below(own[8]!.seqNo)).toEqual(states[1]);
        expect(await below(own[5]!.seqNo)).toEqual(states[0]);
        expect(await below(own[2]!.seqNo)).toBeNull();
        expect(await below(evmSeqNo.last(99n), { ...key, aggregateType: 'offer' })).toBeNull();
        expect(await below(evmSeqNo.last(99n), { ...key, aggregateType: 'nobody' })).toBeNull();
        expect(await store.snapshotVersions([key, { ...key, aggregateType: 'offer' }])).toEqual(
          new Map([[aggregateKeyText(key.aggregateType, key.aggregateId), 9]]),
        );
        // One of another version of the reducer at the same event takes its place, and is not used.
        const reducerVersion = (MARKET_OBSERVER.reducers.get('order') as Reducer).version + 1;
        const another: Snapshot = { ...key, reducerVersion, state: states[2] as FoldState };
        await store.transaction(async (tx) =>
          tx.writeRun(await store.prepareRun({ ...emptyRun, snapshots: [another] })),
        );
        expect(await below(evmSeqNo.last(99n))).toEqual(states[1]);
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
          (e) =>
            e.aggregateType === key.aggregateType && e.aggregateId === key.aggregateId && e.seqNo >= from,
        );
        await store.transaction(async (tx) => {
          await tx.lockIngest();
          await tx.lockLanes([0]);
          await tx.eraseAggregates([{ ...key, fromSeqNo: from, keptSeqNo: (from - 1n) as SeqNo }]);
          await tx.eraseActivities(own.map(({ seqNo }) => seqNo));
        });
        const request = { ...key, fromSeqNo: evmSeqNo.last(99n) };
        const [snapshot = null] = [
          ...(await store.transaction((tx) => tx.snapshotsBelow([request]))).values(),
        ];
        return { before, after: await contents(), snapshot, events };
      };

      it('from its beginning leaves nothing of it, and everything of the others', async () => {
        for (const key of keysOf(marketOfEverything().events)) {
          const { before, after, snapshot, events } = await erased(key, evmSeqNo.first(0n));
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

    describe('two writers', () => {
      /** One that has its locks and keeps them until it may go on, and one that begins meanwhile. */
      const inTurns = async <T>(
        store: SubjectStore,
        first: (tx: SubjectTransaction, holds: () => Promise<void>) => Promise<T>,
        second: (tx: SubjectTransaction) => Promise<T>,
      ): Promise<{ readonly waited: boolean; readonly results: readonly [T, T] }> => {
        const [locked, begun, mayLeave] = [gate(), gate(), gate()];
        const one = store.transaction((tx) =>
          first(tx, () => {
            locked.open();
            return mayLeave.opened;
          }),
        );
        await locked.opened;
        let isThrough = false;
        const two = store.transaction(async (tx) => {
          begun.open();
          const result = await second(tx);
          isThrough = true;
          return result;
        });
        await begun.opened;
        // What does not wait for a lock is through by now.
        for (let looks = 0; looks < 30; looks++) await store.progress();
        const waited = !isThrough;
        mayLeave.open();
        return { waited, results: await Promise.all([one, two]) };
      };

      it('of one lane take turns: the second sees what the first has committed', async () => {
        const { store } = await open(2);
        const { waited, results } = await inTurns(
          store,
          async (tx, holds) => {
            const { lanes } = await tx.lockLanes([0, 1]);
            await holds();
            await tx.setCheckpoints([0, 1], evmSeqNo.last(1n), 0n);
            return lanes;
          },
          async (tx) => (await tx.lockLanes([1])).lanes,
        );
        expect(waited).toBe(true);
        expect(results).toEqual([
          [BEFORE_FIRST, BEFORE_FIRST],
          [evmSeqNo.last(1n), evmSeqNo.last(1n)],
        ]);
      });

      it('of the log take turns: one range is appended once', async () => {
        const { store } = await open(1);
        const message = wholeRange(marketOfEverything().events);
        const appended = async (
          tx: SubjectTransaction,
          holds = async (): Promise<void> => undefined,
        ): Promise<string> => {
          const { lastFeedNo } = await tx.lockIngest();
          await holds();
          return (await tx.append(await store.prepareAppend(message, lastFeedNo + 1n))).kind;
        };
        const { waited, results } = await inTurns(store, appended, (tx) => appended(tx));
        expect(waited).toBe(true);
        expect(results).toEqual(['appended', 'already-there']);
        expect((await store.progress()).lastFeedNo).toBe(1n);
      });

      it('that execute the same lane write every row and activity once', async () => {
        const { store, contents } = await open(1);
        const { events } = marketOfEverything();
        await append(store, wholeRange(events));
        await Promise.all([executeLanes(store, noSnapshots, 3), executeLanes(store, noSnapshots, 5)]);
        expect(await contents()).toEqual(await contentsOfStraightFold(events));
      });
    });

    describe('any history', () => {
      it('gives the tables of one clean pass, by catching up in any ranges and with any cache', async () => {
        await fc.assert(
          fc.asyncProperty(
            histories,
            fc.integer({ min: 1, max: 4 }),
            fc.integer({ min: 1, max: 20 }),
            async ({ events, ends }, lanes, cachedStatesMax) => {
              const { store, contents } = await open(lanes);
              await catchUpWith(store, appendMessages(events, ends, true), cachedStatesMax);
              expect(await contents()).toEqual(await contentsOfStraightFold(events));
              const end = evmSeqNo.last(ends.at(-1) as bigint);
              expect(await store.progress()).toMatchObject({ executed: end, ingested: end });
              expect(await store.loadStates(keysOf(events))).toEqual(foldedStates(events));
            },
          ),
          { numRuns: runs },
        );
      }, 300_000);

      it('gives them by any lanes and runs, and refolding any aggregate from any event changes nothing', async () => {
        await fc.assert(
          fc.asyncProperty(
            histories,
            fc.integer({ min: 1, max: 4 }),
            fc.integer({ min: 1, max: 10 }),
            fc.integer({ min: 1, max: 4 }),
            fc.nat(),
            async ({ events, ends }, lanes, runEventsMax, every, from) => {
              const { store, contents } = await open(lanes);
              for (const message of appendMessages(events, ends)) await append(store, message);
              await executeLanes(store, snapshotEvery(every), runEventsMax);
              const expected = await contentsOfStraightFold(events);
              expect(await contents()).toEqual(expected);
              for (const key of keysOf(events)) {
                const fromSeqNo = (events[from % events.length] as Event).seqNo;
                await refoldOne(store, { ...key, fromSeqNo });
              }
              expect(await contents()).toEqual(expected);
            },
          ),
          { numRuns: runs },
        );
      }, 300_000);
    });

    it('refolding every aggregate from every event leaves all tables as they were', async () => {
      for (const every of [1, 3]) {
        const { store, contents } = await open(2);
        const { events } = marketOfEverything();
        await append(store, wholeRange(events));
        await executeLanes(store, snapshotEvery(every));
        const before = await contents();
        expect(before).toEqual(await contentsOfStraightFold(events));
        for (const key of keysOf(events)) {
          const own = events.filter(
            (e) => e.aggregateType === key.aggregateType && e.aggregateId === key.aggregateId,
          );
          for (const { seqNo: fromSeqNo } of own) {
            await refoldOne(store, { ...key, fromSeqNo });
          }
          expect(await contents()).toEqual(before);
        }
      }
    });
  });

  describeSubjectChanges(name, features);
  describeFeed(name, features);
}
