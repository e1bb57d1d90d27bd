import fc from 'fast-check';
import { type AppendMessage, type Event, type SeqNo, type SubjectMessage } from '@imart/core';
import {
  blockSeqNo,
  ALICE,
  appendMessages,
  createFakeSubject,
  createInMemorySubjectStore,
  MARKET_OBSERVER,
  randomHistory,
  silentLogger,
  straightFold,
  SUBJECT,
  type InMemorySubjectStore,
  type StoreContents,
  type StoreMoment,
} from '@imart/testing';
import {
  createCatchUp,
  createExecutor,
  createLane,
  createLaneWorker,
  createPipelineStats,
  noSnapshots,
  refold,
  runIngest,
  snapshotEvery,
  StorageUnavailableError,
  type SnapshotRule,
  type WakeUp,
  type WakeUpFate,
} from './index';

const never = new AbortController().signal;

/** Each run is a whole chain: enough to find a wrong trim of the cache every time, in a few seconds. */
const RUNS = { numRuns: 40 };

/** Repeatable randomness for what happens inside a run: fast-check gives the seed, and prints it. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What one clean pass over all events leaves behind. */
async function oracle(events: readonly Event[]): Promise<StoreContents> {
  const store = createInMemorySubjectStore({ subjectId: SUBJECT, lanes: 1, observer: MARKET_OBSERVER });
  await store.transaction(async (tx) => tx.writeRun(await store.prepareRun(straightFold(events))));
  return store.contents();
}

interface Sizes {
  readonly lanes: number;
  readonly cachedStatesMax: number;
  readonly runEventsMax: number;
}
const sizes: fc.Arbitrary<Sizes> = fc.record({
  lanes: fc.integer({ min: 1, max: 5 }),
  cachedStatesMax: fc.integer({ min: 1, max: 20 }),
  runEventsMax: fc.integer({ min: 1, max: 10 }),
});

/** A history with some events that their reducer always throws at, and a way to cut it into ranges. */
const chains = fc
  .record({ history: randomHistory, poison: fc.array(fc.nat({ max: 59 }), { maxLength: 3 }), seed: fc.nat() })
  .map(({ history, poison, seed }) => {
    const events = history.map((event, i): Event =>
      poison.includes(i) && event.aggregateType === 'order'
        ? { ...event, name: 'TokenMinted', data: { to: ALICE, standard: 'erc721' } }
        : event,
    );
    const random = seeded(seed);
    const last = (events.at(-1)?.source.position ?? 0n) + 1n;
    const ends: bigint[] = [];
    for (let end = -1n; end < last;) ends.push((end += 1n + BigInt(Math.floor(random() * 6))));
    return { events, ends, seed };
  });

class DatabaseGone extends StorageUnavailableError {
  constructor(moment: string) {
    super(moment, undefined);
  }
}

/** One process: everything that it keeps in memory. */
function createProcess(
  store: InMemorySubjectStore,
  { cachedStatesMax, runEventsMax }: Sizes,
  snapshotRule: SnapshotRule,
) {
  const stats = createPipelineStats();
  const executor = () =>
    createExecutor({ store, observer: MARKET_OBSERVER, cachedStatesMax, parkedAggregatesMax: 1000 });
  const lanes = new Map(
    Array.from({ length: store.lanes }, (_, lane) => [
      lane,
      createLane({ lane, store, executor: executor(), snapshotRule, runEventsMax, stats, now: () => 0 }),
    ]),
  );
  const catchUp = createCatchUp({
    store,
    executor: executor(),
    stats,
    logger: silentLogger,
    random: () => 0,
    now: () => 0,
    onCommitted: () => undefined,
  });
  const worker = createLaneWorker({
    store,
    lanes,
    receiver: { start: () => Promise.resolve(), stop: () => Promise.resolve() },
    stats,
    logger: silentLogger,
    random: () => 0,
    onExecuted: () => undefined,
    onStop: (error) => {
      throw error;
    },
  });
  return { stats, catchUp, worker };
}

const storeOf = (
  lanes: number,
  onMoment: (moment: StoreMoment) => void = () => undefined,
): InMemorySubjectStore =>
  createInMemorySubjectStore({ subjectId: SUBJECT, lanes, observer: MARKET_OBSERVER, onMoment });

describe('catching up', () => {
  it('gives the tables of one clean pass, whatever the ranges, lanes and cache', async () => {
    await fc.assert(
      fc.asyncProperty(chains, sizes, async ({ events, ends }, size) => {
        const store = storeOf(size.lanes);
        const { catchUp, stats } = createProcess(store, size, noSnapshots);
        for (const message of appendMessages(events, ends, true))
          expect(await catchUp.push(message, never)).toBe(true);
        await catchUp.drain(never);
        expect(store.contents()).toEqual(await oracle(events));
        expect(store.events()).toEqual(events);
        expect(stats.executedEvents).toBe(events.length);
        const { executed, ingested, nextPosition } = await store.progress();
        expect([executed, ingested, nextPosition]).toEqual([
          blockSeqNo.last(ends.at(-1)!),
          blockSeqNo.last(ends.at(-1)!),
          ends.at(-1)! + 1n,
        ]);
      }),
      RUNS,
    );
  });

  it('gives the same when statements and commits fail at random, also commits that were done (Q1, Q12)', async () => {
    await fc.assert(
      fc.asyncProperty(chains, sizes, async ({ events, ends, seed }, size) => {
        const random = seeded(seed);
        const store = storeOf(size.lanes, (moment) => {
          if (random() < 0.08) throw new DatabaseGone(moment);
        });
        const { catchUp } = createProcess(store, size, noSnapshots);
        for (const message of appendMessages(events, ends, true)) await catchUp.push(message, never);
        await catchUp.drain(never);
        expect(store.contents()).toEqual(await oracle(events));
      }),
      RUNS,
    );
  });
});

describe('lanes', () => {
  /** Appends range by range and wakes lanes, some in between, some not, in any order and more than once (Q2, Q3). */
  async function runLanes(
    store: InMemorySubjectStore,
    messages: readonly AppendMessage[],
    size: Sizes,
    snapshotRule: SnapshotRule,
    random: () => number,
    crashing: number,
  ): Promise<void> {
    let process = createProcess(store, size, snapshotRule);
    const lanes = Array.from({ length: size.lanes }, (_, lane) => lane);
    const waking: Promise<unknown>[] = [];
    const wake = (lane: number): void => void waking.push(process.worker.wake(lane, never));
    for (const message of messages) {
      const subject = createFakeSubject(SUBJECT, [message]);
      const ingest = runIngest(
        {
          subject,
          store,
          observer: MARKET_OBSERVER,
          sender: { send: async (wakeUps) => wakeUps.forEach(({ lane }) => random() < 0.5 && wake(lane)) },
          catchUp: null,
          lanes: random() < 0.5 ? process.worker : null,
          stats: process.stats,
          logger: silentLogger,
          random: () => 0,
          now: () => 0,
          onCaughtUp: () => Promise.resolve(),
          onIngested: () => undefined,
          onHead: () => undefined,
        },
        never,
      );
      if (random() < 0.3) lanes.forEach(wake);
      await ingest;
      // The process is gone, with its caches; what it had under way ends somewhere.
      if (random() < crashing) process = createProcess(store, size, snapshotRule);
    }
    lanes.forEach(wake);
    await Promise.all(waking);
  }

  it('give the tables of one clean pass, whatever the ranges, runs, lanes and wake-ups', async () => {
    await fc.assert(
      fc.asyncProperty(chains, sizes, async ({ events, ends, seed }, size) => {
        const store = storeOf(size.lanes);
        await runLanes(store, appendMessages(events, ends), size, snapshotEvery(2), seeded(seed), 0);
        expect(store.contents()).toEqual(await oracle(events));
        const { executed, ingested } = await store.progress();
        expect(executed).toBe(ingested);
      }),
      RUNS,
    );
  });

  it('give the same when the database fails at random and another process takes over (Q1, Q15)', async () => {
    await fc.assert(
      fc.asyncProperty(chains, sizes, async ({ events, ends, seed }, size) => {
        const random = seeded(seed);
        const store = storeOf(size.lanes, (moment) => {
          if (moment !== 'progress' && random() < 0.08) throw new DatabaseGone(moment);
        });
        await runLanes(store, appendMessages(events, ends), size, snapshotEvery(3), random, 0.3);
        expect(store.contents()).toEqual(await oracle(events));
      }),
      RUNS,
    );
  });

  it('go on from where catching up stopped, and catching up from where lanes stopped', async () => {
    await fc.assert(
      fc.asyncProperty(chains, sizes, async ({ events, ends, seed }, size) => {
        const random = seeded(seed);
        const store = storeOf(size.lanes, (moment) => {
          if (moment !== 'progress' && random() < 0.05) throw new DatabaseGone(moment);
        });
        const process = createProcess(store, size, snapshotEvery(2));
        const messages = appendMessages(events, ends).map((message): SubjectMessage => ({
          ...message,
          catchingUp: random() < 0.6,
        }));
        const wakeAll = () =>
          Promise.all(Array.from({ length: size.lanes }, (_, lane) => process.worker.wake(lane, never)));
        const last = messages.at(-1) as AppendMessage;
        await runIngest(
          {
            subject: createFakeSubject(SUBJECT, [...messages, { kind: 'end', atPosition: last.toPosition }]),
            store,
            observer: MARKET_OBSERVER,
            sender: { send: async () => void (random() < 0.5 && (await wakeAll())) },
            catchUp: process.catchUp,
            lanes: random() < 0.5 ? process.worker : null,
            stats: process.stats,
            logger: silentLogger,
            random: () => 0,
            now: () => 0,
            onCaughtUp: () => Promise.resolve(),
            onIngested: () => undefined,
            onHead: () => undefined,
          },
          never,
        );
        await wakeAll();
        expect(store.contents()).toEqual(await oracle(events));
      }),
      RUNS,
    );
  });

  it('tell each wake-up what became of its event', async () => {
    const size = { lanes: 1, cachedStatesMax: 10, runEventsMax: 10 };
    const store = storeOf(1);
    let handler: (wakeUp: WakeUp) => Promise<WakeUpFate> = () => Promise.reject(new Error('not started'));
    const { stats, catchUp } = createProcess(store, size, noSnapshots);
    await catchUp.push(appendMessages([], [5n], true)[0]!, never);
    await catchUp.drain(never);
    const executor = createExecutor({
      store,
      observer: MARKET_OBSERVER,
      cachedStatesMax: 10,
      parkedAggregatesMax: 0,
    });
    const lane = createLane({
      lane: 0,
      store,
      executor,
      snapshotRule: noSnapshots,
      runEventsMax: 10,
      stats,
      now: () => 0,
    });
    const worker = createLaneWorker({
      store,
      lanes: new Map([[0, lane]]),
      receiver: { start: async (_lanes, given) => void (handler = given), stop: () => Promise.resolve() },
      stats,
      logger: silentLogger,
      random: () => 0,
      onExecuted: () => undefined,
      onStop: () => undefined,
    });
    await worker.start(never);
    const wakeUp = (seqNo: SeqNo): WakeUp => ({ id: `w${seqNo}`, lane: 0, seqNo, epoch: 0n });
    expect(await handler(wakeUp(blockSeqNo.encode(3n, 0, 0)))).toBe('already-executed');
    expect(await handler(wakeUp(blockSeqNo.last(6n)))).toBe('not-in-log');
    await store.transaction(async (tx) => {
      await tx.lockIngest();
      await tx.append(await store.prepareAppend({ ...appendMessages([], [6n])[0]!, fromPosition: 6n }, 2n));
    });
    expect(await handler(wakeUp(blockSeqNo.last(6n)))).toBe('executed');
  });
});

describe('refolding', () => {
  it('any aggregate from anywhere gives the same rows and activities, with and without snapshots', async () => {
    await fc.assert(
      fc.asyncProperty(
        chains,
        sizes,
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.nat(),
        async ({ events, ends }, size, every, keepSnapshots, from) => {
          const store = storeOf(size.lanes);
          const { worker } = createProcess(store, size, snapshotEvery(every));
          for (const message of appendMessages(events, ends)) {
            await store.transaction(async (tx) => {
              const { lastFeedNo } = await tx.lockIngest();
              await tx.append(await store.prepareAppend(message, lastFeedNo + 1n));
            });
          }
          const lanes = Array.from({ length: size.lanes }, (_, lane) => lane);
          for (const lane of lanes) await worker.wake(lane, never);
          if (!keepSnapshots) store.removeSnapshots();
          const before = store.contents();
          const aggregates = new Map(
            events.map((event) => [`${event.aggregateType}/${event.aggregateId}`, event]),
          );
          for (const { aggregateType, aggregateId } of aggregates.values()) {
            const fromSeqNo = (events[from % events.length] as Event).seqNo;
            await store.transaction(async (tx) => {
              await tx.lockIngest();
              const { executed } = await tx.lockLanes(lanes);
              await refold(tx, { store, observer: MARKET_OBSERVER }, [
                { aggregateType, aggregateId, fromSeqNo, upToSeqNo: executed },
              ]);
            });
            expect(store.contents()).toEqual(before);
          }
        },
      ),
      RUNS,
    );
  });
});
