import { type AppendMessage, type SubjectMessage } from '@imart/core';
import { evmSeqNo } from '@imart/chain-evm';
import {
  createExecutor,
  createLane,
  createLaneWorker,
  createPipelineStats,
  noSnapshots,
  runIngest,
  StorageUnavailableError,
} from '@imart/pipeline';
import {
  addPoison,
  ALICE,
  appendMessage,
  appendMessages,
  BOB,
  CAROL,
  contentsOfStraightFold,
  createFakeSubject,
  createInMemorySubjectStore,
  createMarketScript,
  MARKET_OBSERVER,
  silentLogger,
  SUBJECT,
  type InMemorySubjectStore,
  type StoreMoment,
} from '@imart/testing';

/** Each fault of the worker that this one takes the place of, as a scene in which that one goes wrong. */

const never = new AbortController().signal;

function createStore(onMoment: (moment: StoreMoment) => void = () => undefined): InMemorySubjectStore {
  return createInMemorySubjectStore({ subjectId: SUBJECT, lanes: 1, observer: MARKET_OBSERVER, onMoment });
}

/** A process: it reads these messages into the log, and stops at whatever it cannot get over. */
function ingest(store: InMemorySubjectStore, messages: readonly SubjectMessage[]) {
  return runIngest(
    {
      subject: createFakeSubject(SUBJECT, messages),
      observer: MARKET_OBSERVER,
      store,
      sender: { send: () => Promise.resolve() },
      catchUp: null,
      stats: createPipelineStats(),
      logger: silentLogger,
      random: () => 0,
      now: () => 0,
      onCaughtUp: () => Promise.resolve(),
      onHead: () => undefined,
      onIngested: () => undefined,
    },
    never,
  );
}

/** A process that executes what the log has, at most so many events in one transaction. */
function execute(store: InMemorySubjectStore, runEventsMax = 100): Promise<unknown> {
  const stats = createPipelineStats();
  const executor = createExecutor({
    store,
    observer: MARKET_OBSERVER,
    cachedStatesMax: 100,
    parkedAggregatesMax: 9,
  });
  const lane = createLane({
    lane: 0,
    store,
    executor,
    snapshotRule: noSnapshots,
    runEventsMax,
    stats,
    now: () => 0,
  });
  return createLaneWorker({
    store,
    lanes: new Map([[0, lane]]),
    receiver: { start: () => Promise.resolve(), stop: () => Promise.resolve() },
    stats,
    logger: silentLogger,
    random: () => 0,
    onExecuted: () => undefined,
    onStop: () => undefined,
  }).wake(0, never);
}

const whole = (events: AppendMessage['events']): AppendMessage => appendMessage(events, 0n, 100n);

describe('of the original worker', () => {
  it('a handler that throws loses its event, or is called with it for ever: here its aggregate waits, with its events, and the others go on (O1, Q18)', async () => {
    const script = addPoison(createMarketScript().listed('1').listed('2'), '1').filled('1').filled('2');
    const store = createStore();
    await ingest(store, [whole(script.events)]);
    await execute(store);
    const { rows, parked } = store.contents();
    expect(rows).toMatchObject([
      { id: '1', status: 'LISTING' },
      { id: '2', status: 'SOLD' },
    ]);
    expect(parked).toMatchObject([{ aggregateType: 'order', fromSeqNo: script.events[2]!.seqNo }]);
    // Nothing is lost: what waits is in the log.
    expect(store.events()).toEqual(script.events);
    const { executed, ingested } = await store.progress();
    expect(executed).toBe(ingested);
  });

  it('a crash between two events of one block loses the second: here the place is an event’s, not a block’s (O2, Q1)', async () => {
    const { events } = createMarketScript().listed('1').listed('2').filled('1').filled('2');
    expect(new Set(events.map(({ source }) => source.position)).size).toBe(1);
    for (let before = 1; before <= events.length; before++) {
      const store = createStore();
      await ingest(store, [whole(events)]);
      // The process executes some events of the block, one in each transaction, and is gone.
      let commits = 0;
      const dying = {
        ...store,
        transaction: async <T>(work: Parameters<typeof store.transaction<T>>[0]): Promise<T> => {
          if (commits++ === before) throw new TypeError('killed');
          return store.transaction(work);
        },
      };
      const stats = createPipelineStats();
      const executor = createExecutor({
        store,
        observer: MARKET_OBSERVER,
        cachedStatesMax: 9,
        parkedAggregatesMax: 9,
      });
      const options = { executor, snapshotRule: noSnapshots, runEventsMax: 1, stats, now: () => 0 };
      await expect(createLane({ lane: 0, store: dying, ...options }).advance()).rejects.toThrow('killed');
      expect(store.contents().activities).toHaveLength(before);
      await execute(store);
      expect(store.contents()).toEqual(await contentsOfStraightFold(events));
    }
  });

  it('a range that is handled again makes its activities again, under new ids: here the log has it once, and the activities (O3)', async () => {
    const { events } = createMarketScript().minted(ALICE).listed('1').filled('1').transferred(ALICE, BOB);
    const store = createStore();
    const message = whole(events);
    // The answer of the commit is lost: the range is handed over again.
    let lost = 2;
    const forgetful = {
      ...store,
      transaction: async <T>(work: Parameters<typeof store.transaction<T>>[0]): Promise<T> => {
        const result = await store.transaction(work);
        if (lost-- > 0) throw new StorageUnavailableError('the connection broke', undefined);
        return result;
      },
    };
    await ingest(forgetful, [message]);
    await execute(forgetful);
    await execute(store);
    expect(lost).toBeLessThan(0);
    expect(store.contents()).toEqual(await contentsOfStraightFold(events));
  });

  it('the offset of empty ranges is kept in memory only: here they move the stored place like any other (O4, Q22)', async () => {
    const store = createStore();
    await ingest(store, appendMessages([], [9n, 40n, 99n]));
    expect(await store.resumePoint()).toMatchObject({ nextPosition: 100n });
    await execute(store);
    const { executed, ingested } = await store.progress();
    expect([executed, ingested]).toEqual([evmSeqNo.last(99n), evmSeqNo.last(99n)]);
  });

  it('a buy is handled before its list, by a stream for each event name: here one order holds for all names (O5)', async () => {
    const { events } = createMarketScript()
      .listed('1', { price: 5n })
      .filled('1')
      .nextBlock()
      .listed('1', { price: 6n });
    const store = createStore();
    await ingest(store, appendMessages(events, [1n, 2n]));
    // Whatever is woken for the later event first: the lane reads the log.
    await execute(store, 1);
    expect(store.contents()).toEqual(await contentsOfStraightFold(events));
    expect(store.contents().rows).toMatchObject([
      { id: '1', status: 'SOLD' },
      { id: '1', status: 'LISTING', price: 6n },
    ]);
  });

  it('an update that finds no row passes unnoticed: here a sale of an order that was never seen makes its row (O6, D14)', async () => {
    const { events } = createMarketScript().filled('7', { price: 3n, buyer: CAROL });
    const store = createStore();
    await ingest(store, [whole(events)]);
    await execute(store);
    expect(store.contents().rows).toMatchObject([{ id: '7', status: 'SOLD' }]);
    expect(store.contents().activities).toMatchObject([{ kind: 'SALE', orderId: '7', to: CAROL, price: 3n }]);
  });

  it('a buy marks every listing of its token as sold: here it ends the one order that it names (O7, D13)', async () => {
    const { events } = createMarketScript()
      .listed('1', { maker: ALICE })
      .listed('2', { maker: BOB })
      .listed('3', { maker: CAROL })
      .filled('2');
    const store = createStore();
    await ingest(store, [whole(events)]);
    await execute(store);
    expect(store.contents().rows).toMatchObject([
      { id: '1', status: 'LISTING' },
      { id: '2', status: 'SOLD' },
      { id: '3', status: 'LISTING' },
    ]);
  });

  it('notifications are sent from inside a transaction that is then rolled back: here readers are told of what is committed and executed, and of nothing else (O8)', async () => {
    const { events } = createMarketScript().listed('1').nextBlock().filled('1');
    const told: string[][] = [];
    let failures = 2;
    const store = createStore((moment) => {
      if (moment === 'commit' && failures-- > 0) throw new StorageUnavailableError('rolled back', undefined);
    });
    const look = async (): Promise<void> => {
      const changes = await store.readFeed(0n);
      told.push(changes.flatMap(({ added }) => added.map(({ event }) => event.name)));
    };
    await look();
    await ingest(store, [whole(events)]);
    // Committed, not executed: whoever is told of it would find the states of before.
    await look();
    failures = 1;
    await execute(store);
    await look();
    expect(told).toEqual([[], [], ['OrderListed', 'OrderFilled']]);
    expect(failures).toBeLessThan(0);
  });

  it('blocks that the chain takes back stay: here their events go, and what they had changed is as before (O10)', async () => {
    const { events } = createMarketScript().listed('1').nextBlock().filled('1').minted(ALICE);
    const store = createStore();
    const [first, second] = appendMessages(events, [1n, 2n]);
    await ingest(store, [first!]);
    await ingest(store, [second!]);
    await execute(store);
    await ingest(store, [
      { kind: 'invalidate', fromSeqNo: evmSeqNo.first(2n), ancestor: first!.blocks.at(-1)! },
    ]);
    expect(store.contents()).toEqual(await contentsOfStraightFold(events.slice(0, 1)));
    expect(store.events()).toEqual(events.slice(0, 1));
  });

  it('microseconds go through floating point: here they are whole numbers from the log to the row (O11, D10)', async () => {
    const expiresAtUs = 2n ** 53n + 1n;
    const { events } = createMarketScript().listed('1', { expiresAtUs });
    const timeUs = 9_007_199_254_740_995n;
    const [listed] = events;
    const store = createStore();
    await ingest(store, [whole([{ ...listed!, source: { ...listed!.source, timeUs } }])]);
    await execute(store);
    expect(store.contents().rows).toMatchObject([{ expiresAtUs, createdAtUs: timeUs }]);
  });
});
