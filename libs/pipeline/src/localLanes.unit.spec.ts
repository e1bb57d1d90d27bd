import { aggregateHash, laneOf, type AppendMessage, type Event, type SeqNo } from '@imart/core';
import {
  blockSeqNo,
  ALICE,
  appendMessage,
  blockSeqNo,
  BOB,
  contentsOfStraightFold,
  createFakeSubject,
  createInMemorySubjectStore,
  createMarketScript,
  MARKET_OBSERVER,
  silentLogger,
  SUBJECT,
  type StoreMoment,
} from '@imart/testing';
import { eventsByLane } from './localLanes';
import {
  createExecutor,
  createLane,
  createLaneWorker,
  createPipelineStats,
  noSnapshots,
  runIngest,
  StorageUnavailableError,
  type LaneWorker,
  type WakeUp,
  type WakeUpFate,
  type WakeUpSender,
} from './index';

const never = new AbortController().signal;

/** One order is listed, repriced and sold, block by block; a second one comes in the third block and goes in the last. */
function history(): readonly Event[] {
  const script = createMarketScript();
  script.listed('1').minted(ALICE, 1n).nextBlock();
  script.listed('1', { price: 7n }).nextBlock();
  script.filled('1').listed('2').nextBlock();
  script.transferred(ALICE, BOB, 1n).nextBlock();
  script.cancelled('2');
  return script.events;
}

/** A store, and a process beside it that has all lanes. */
function setUp(lanes = 1, cachedStatesMax = 100) {
  const moments: StoreMoment[] = [];
  let failing: StoreMoment | null = null;
  const store = createInMemorySubjectStore({
    subjectId: SUBJECT,
    lanes,
    observer: MARKET_OBSERVER,
    onMoment: (moment) => {
      moments.push(moment);
      if (moment !== failing) return;
      failing = null;
      throw new StorageUnavailableError(moment, undefined);
    },
  });
  const startProcess = (): LaneWorker & { handle(wakeUp: WakeUp): Promise<WakeUpFate> } => {
    const stats = createPipelineStats();
    let handler: (wakeUp: WakeUp) => Promise<WakeUpFate> = () => Promise.reject(new Error('not started'));
    const worker = createLaneWorker({
      store,
      lanes: new Map(
        Array.from({ length: lanes }, (_, lane) => [
          lane,
          createLane({
            lane,
            store,
            executor: createExecutor({
              store,
              observer: MARKET_OBSERVER,
              cachedStatesMax,
              parkedAggregatesMax: 9,
            }),
            snapshotRule: noSnapshots,
            runEventsMax: 100,
            stats,
            now: () => 0,
          }),
        ]),
      ),
      receiver: { start: async (_lanes, given) => void (handler = given), stop: () => Promise.resolve() },
      stats,
      logger: silentLogger,
      random: () => 0,
      onExecuted: () => undefined,
      onStop: (error) => {
        throw error;
      },
    });
    return { ...worker, handle: (wakeUp) => handler(wakeUp) };
  };
  /** Appends blocks as ingest does, with these lanes in its process. */
  const ingest = async (
    messages: readonly AppendMessage[],
    worker: LaneWorker | null,
    send: WakeUpSender['send'] = () => Promise.resolve(),
    jobsWaitMs = 60_000,
  ): Promise<void> => {
    const over = new AbortController();
    const subject = createFakeSubject(SUBJECT, [
      ...messages,
      { kind: 'end', atPosition: messages.at(-1)?.toPosition ?? 0n },
    ]);
    await runIngest(
      {
        subject,
        store,
        observer: MARKET_OBSERVER,
        sender: { send },
        catchUp: null,
        lanes: worker,
        jobsWaitMs,
        stats: createPipelineStats(),
        logger: silentLogger,
        random: () => 0,
        now: () => 0,
        onCaughtUp: () => Promise.resolve(),
        onHead: () => undefined,
        onIngested: () => undefined,
      },
      over.signal,
    );
  };
  return { store, moments, startProcess, ingest, failNext: (moment: StoreMoment) => (failing = moment) };
}

const events = history();
const LAST = events.at(-1)?.source.position ?? 0n;
const block = (position: bigint): AppendMessage => appendMessage(events, position, position);
const blocks = (from: bigint, to: bigint): AppendMessage[] =>
  Array.from({ length: Number(to - from) + 1 }, (_, i) => block(from + BigInt(i)));
const wakeUp = (seqNo: SeqNo): WakeUp => ({ id: `w${seqNo}`, lane: 0, seqNo, epoch: 0n });

describe('lanes of the process that appends', () => {
  it('have executed a block before its jobs are sent, without reading its events again', async () => {
    const { store, moments, startProcess, ingest } = setUp();
    const worker = startProcess();
    const executed: boolean[] = [];
    await ingest(blocks(0n, LAST), worker, async (wakeUps) => {
      const progress = await store.progress();
      executed.push(wakeUps.every(({ seqNo }) => seqNo <= progress.executed));
    });
    expect(executed).toEqual(blocks(0n, LAST).map(() => true));
    expect(moments).not.toContain('readRun');
    expect(store.contents()).toEqual(await contentsOfStraightFold(events));
  });

  it.each([1, 3])(
    'give the tables of one clean pass, also beside those of another process: %d lanes',
    async (lanes) => {
      const { store, startProcess, ingest } = setUp(lanes);
      const [mine, other] = [startProcess(), startProcess()];
      for (const message of blocks(0n, LAST)) {
        await ingest([message], message.toPosition % 2n === 0n ? mine : other);
      }
      expect(store.contents()).toEqual(await contentsOfStraightFold(events));
    },
  );

  it('read a state again that was made after they had found none', async () => {
    const { store, startProcess, ingest } = setUp(1, 1);
    // What there is from before, this process does not know.
    await ingest(blocks(0n, 1n), startProcess());
    const worker = startProcess();
    await worker.wake(0, never);
    for (const message of blocks(2n, LAST)) await ingest([message], worker);
    expect(store.contents()).toEqual(await contentsOfStraightFold(events));
  });

  it('read the log where it has more than was appended last', async () => {
    const { store, moments, startProcess, ingest } = setUp();
    await ingest(blocks(0n, LAST - 1n), null);
    await ingest([block(LAST)], startProcess());
    expect(moments.filter((moment) => moment === 'readRun')).toHaveLength(1);
    expect(store.contents()).toEqual(await contentsOfStraightFold(events));
  });

  it('read states while the log is written, once, and those that there are not, too', async () => {
    const { moments, startProcess, ingest } = setUp();
    const worker = startProcess();
    await ingest(blocks(0n, 0n), worker);
    moments.length = 0;
    // Another process would have to look for what the first one remembers.
    worker.expect(block(1n).events);
    await ingest(blocks(1n, LAST), worker);
    const loads = moments.flatMap((moment, i) => (moment === 'loadStates' ? [i] : []));
    const locks = moments.flatMap((moment, i) => (moment === 'lockLanes' ? [i] : []));
    expect(loads.length).toBeLessThanOrEqual(locks.length);
    // Every look was before the lane's lock of its block.
    loads.forEach((load, i) => expect(load).toBeLessThan(locks[i] as number));
  });

  it('do not use what they read before another process has gone on', async () => {
    const { store, startProcess, ingest } = setUp();
    const [mine, other] = [startProcess(), startProcess()];
    await ingest([block(0n)], mine);
    // Read before the sale of block 1, which another process executes.
    mine.expect(events);
    await ingest([block(1n)], other);
    await ingest(blocks(2n, LAST), mine);
    expect(store.contents()).toEqual(await contentsOfStraightFold(events));
  });

  it.each(['loadStates', 'lockLanes', 'writeRun', 'setCheckpoints'] as const)(
    'give the same when %s fails once',
    async (moment) => {
      const { store, startProcess, ingest, failNext } = setUp();
      const worker = startProcess();
      for (const message of blocks(0n, LAST)) {
        failNext(moment);
        await ingest([message], worker);
      }
      await worker.wake(0, never);
      expect(store.contents()).toEqual(await contentsOfStraightFold(events));
    },
  );

  it('know the fate of what they executed themselves, and ask for everything else', async () => {
    const { store, moments, startProcess, ingest } = setUp();
    const worker = startProcess();
    await worker.start(never);
    await ingest([block(0n)], null);
    await ingest(blocks(1n, LAST), worker);
    const asked: SeqNo[] = [];
    const fateOf = store.fateOf.bind(store);
    Object.assign(store, {
      fateOf: (lane: number, seqNo: SeqNo) => (asked.push(seqNo), fateOf(lane, seqNo)),
    });
    moments.length = 0;
    for (const { seqNo } of events) expect(await worker.handle(wakeUp(seqNo))).toBe('already-executed');
    const beyond = blockSeqNo.last(LAST + 1n);
    expect(await worker.handle(wakeUp(beyond))).toBe('not-in-log');
    expect(await worker.handle({ ...wakeUp(events[0]?.seqNo as SeqNo), epoch: 7n })).toBe('already-executed');
    expect(asked).toEqual([beyond, beyond, events[0]?.seqNo]);
  });

  it('do not hold up the jobs of others for long', async () => {
    const { ingest } = setUp();
    let sent = 0;
    const stuck = { expect: () => undefined, appended: () => new Promise<void>(() => undefined) };
    await ingest(blocks(0n, LAST), stuck as unknown as LaneWorker, async () => void sent++, 1);
    expect(sent).toBe(blocks(0n, LAST).length);
  });
});

describe('eventsByLane()', () => {
  it.each([1, 2, 5])('gives each event to its own lane, in order: %d lanes', (lanes) => {
    const parts = eventsByLane(events, lanes);
    expect(parts).toHaveLength(lanes);
    parts.forEach((part, lane) =>
      expect(part).toEqual(
        events.filter((e) => laneOf(aggregateHash(e.aggregateType, e.aggregateId), lanes) === lane),
      ),
    );
  });
});
