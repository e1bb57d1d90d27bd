import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { laneOf, aggregateHash, type SeqNo } from '@imart/core';
import {
  createExecutor,
  createLane,
  createLaneWorker,
  createPipelineStats,
  noSnapshots,
  runSweeper,
  UNKNOWN_ERROR_ATTEMPTS_MAX,
  wakeUpsFor,
  type LaneWorker,
  type WakeUp,
} from '@imart/pipeline';
import { createWakeUpStream, type WakeUpStream } from '@imart/stream';
import {
  append,
  appendMessage,
  contentsOfStraightFold,
  createInMemorySubjectStore,
  createMarketScript,
  MARKET_OBSERVER,
  silentLogger,
  SUBJECT,
  type InMemorySubjectStore,
} from '@imart/testing';
import { describeWithRedis } from '../../libs/stream/src/testing/describeWithRedis';
import { openTestRedis, type TestRedisDatabase } from '../../libs/stream/src/testing/redisDatabase';
import { until } from '../e2e/until';

/**
 * What BullMQ does to the order of jobs, one after the other, with the real queue: the paths are those that were measured to put
 * jobs in another order than they came. Jobs carry no truth, so none of it may show in what is executed.
 */

const never = new AbortController().signal;
const LETTERS = ['A', 'B', 'C', 'D', 'E'] as const;
type Letter = (typeof LETTERS)[number];

/** Five events about one order, one in each block: any other order of them gives other rows. */
const script = createMarketScript().listed('1', { price: 5n }).nextBlock();
script.priceChanged('1', { price: 7n }).nextBlock().cancelled('1').nextBlock();
script.listed('1', { price: 9n }).nextBlock().filled('1');
const { events } = script;

let redis: TestRedisDatabase;
let prefixes = 0;
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Jobs of one lane in Redis, a log in memory, and whatever is executed of it in the order of its commits. */
async function setUp(lanes = 1) {
  const prefix = `faults${prefixes++}`;
  const store = createInMemorySubjectStore({ subjectId: SUBJECT, lanes, observer: MARKET_OBSERVER });
  const executed: SeqNo[] = [];
  const recorded: InMemorySubjectStore = {
    ...store,
    transaction: async (work) => {
      const written: SeqNo[] = [];
      const result = await store.transaction((tx) =>
        work({
          ...tx,
          writeRun: async (prepared) => {
            written.push(...prepared.run.activities.map(({ event }) => event.seqNo));
            return tx.writeRun(prepared);
          },
        }),
      );
      executed.push(...written);
      return result;
    },
  };
  const openStream = async (): Promise<WakeUpStream> => {
    const backend = { kind: 'redis' as const, url: redis.url, prefix };
    const stream = await createWakeUpStream({
      subjectId: SUBJECT,
      observer: 'market',
      backend,
      logger: silentLogger,
    });
    closing.push(() => stream.close());
    return stream;
  };
  const stream = await openStream();
  /** BullMQ's own queue of a lane: what anybody may do to it. */
  const rawQueue = (lane = 0): Queue => {
    const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
    const queue = new Queue(stream.queueName(lane), { connection, prefix });
    closing.push(async () => {
      await queue.close();
      connection.disconnect();
    });
    return queue;
  };
  return { store: recorded, executed, stream, openStream, rawQueue };
}

type SetUp = Awaited<ReturnType<typeof setUp>>;

/** A worker of a stream's jobs, as one process has it; `handling` sees each job first, and may throw. */
function startWorker(
  store: InMemorySubjectStore,
  stream: WakeUpStream,
  handling: (wakeUp: WakeUp) => void | Promise<void> = () => undefined,
): Promise<void> & { readonly worker: LaneWorker } {
  const stats = createPipelineStats();
  const lanes = new Map(
    Array.from({ length: store.lanes }, (_, lane) => [
      lane,
      createLane({
        lane,
        store,
        executor: createExecutor({
          store,
          observer: MARKET_OBSERVER,
          cachedStatesMax: 10,
          parkedAggregatesMax: 9,
        }),
        snapshotRule: noSnapshots,
        runEventsMax: 1,
        stats,
        now: () => 0,
      }),
    ]),
  );
  const worker = createLaneWorker({
    store,
    lanes,
    receiver: {
      start: (numbers, handler) =>
        stream.receiver.start(numbers, async (wakeUp) => {
          await handling(wakeUp);
          return handler(wakeUp);
        }),
      stop: () => stream.receiver.stop(),
    },
    stats,
    logger: silentLogger,
    random: () => 0,
    onExecuted: () => undefined,
    onStop: () => undefined,
  });
  return Object.assign(worker.start(never), { worker });
}

/** Appends event by event. */
async function appendAll({ store }: Pick<SetUp, 'store'>): Promise<void> {
  const last = Number(events.at(-1)?.source.position ?? 0n);
  for (let position = 0; position <= last; position++) {
    await append(store, appendMessage(events, BigInt(position), BigInt(position)));
  }
}

const seqNoOf = (letter: Letter): SeqNo => (events[LETTERS.indexOf(letter)] as (typeof events)[number]).seqNo;

/** A job as the sender makes it, for one event. */
const jobOf = (letter: Letter) => ({
  name: letter,
  data: { seqNo: seqNoOf(letter).toString(), epoch: '0' },
  id: `by-hand-${letter}`,
});

async function expectAllInOrder({ store, executed }: Pick<SetUp, 'store' | 'executed'>): Promise<void> {
  expect(executed).toEqual(events.map(({ seqNo }) => seqNo));
  expect(store.contents()).toEqual(await contentsOfStraightFold(events));
  const { executed: upTo, ingested } = await store.progress();
  expect(upTo).toBe(ingested);
}

describeWithRedis('order, whatever BullMQ does to jobs', () => {
  beforeAll(async () => {
    redis = await openTestRedis();
  });
  afterAll(() => redis?.stop());

  it.each([
    ['is repeated at once, at the tail of the queue (B1)', { attempts: 3 }],
    ['is repeated after a wait, behind its successors (B2)', { attempts: 3, backoff: 20 }],
  ])('is that of the log when a job that fails %s', async (_, options) => {
    const world = await setUp();
    const queue = world.rawQueue();
    const handled: Letter[] = [];
    let failures = 2;
    await startWorker(world.store, world.stream, ({ id }) => {
      const letter = id.slice(-1) as Letter;
      handled.push(letter);
      if (letter === 'B' && failures-- > 0) throw new Error('it fails twice');
    });
    await appendAll(world);
    await queue.addBulk(
      LETTERS.map((letter) => {
        const { name, data, id } = jobOf(letter);
        return { name, data, opts: { ...options, jobId: id } };
      }),
    );
    await until('all jobs are handled', () => handled.length === LETTERS.length + 2);
    await until('all is executed', async () => (await world.store.progress()).executed > seqNoOf('E'));
    // The queue has done what it does: B ends behind jobs that came after it.
    expect(handled.lastIndexOf('B')).toBeGreaterThan(handled.indexOf('C'));
    await expectAllInOrder(world);
  });

  it('never depends on a second attempt of a job: jobs are sent without any, and one that failed is not repeated (B1, B2)', async () => {
    const world = await setUp();
    const queue = world.rawQueue();
    const handled: string[] = [];
    await startWorker(world.store, world.stream, ({ id }) => {
      handled.push(id);
      if (handled.length === 1) throw new Error('it fails once');
    });
    await appendAll(world);
    const wakeUps = LETTERS.map((letter): WakeUp => ({
      id: `sent-${letter}`,
      lane: 0,
      seqNo: seqNoOf(letter),
      epoch: 0n,
    }));
    await world.stream.sender.send(wakeUps);
    await until('the last job is handled', () => handled.includes('sent-E'));
    await until('the first job has failed', async () => (await queue.getJobCounts('failed'))['failed'] === 1);
    expect(handled).toEqual(wakeUps.map(({ id }) => id));
    const job = await queue.getJob('sent-A');
    expect(job?.opts.attempts ?? 0).toBeLessThan(2);
    expect(job?.attemptsMade).toBe(1);
    await until('all is executed', async () => (await world.store.progress()).executed > seqNoOf('E'));
    await expectAllInOrder(world);
  });

  it('is that of the log when jobs have priorities against it (B7)', async () => {
    const world = await setUp();
    const queue = world.rawQueue();
    await appendAll(world);
    await queue.addBulk(
      LETTERS.map((letter, i) => {
        const { name, data, id } = jobOf(letter);
        return { name, data, opts: { jobId: id, priority: LETTERS.length - i } };
      }),
    );
    const handled: string[] = [];
    await startWorker(world.store, world.stream, ({ id }) => void handled.push(id.slice(-1)));
    await until('all jobs are handled', () => handled.length === LETTERS.length);
    expect(handled.join('')).toBe('EDCBA');
    await until('all is executed', async () => (await world.store.progress()).executed > seqNoOf('E'));
    await expectAllInOrder(world);
  });

  it('is that of the log when two workers take jobs of one lane at the same time, without global concurrency (B3, B8, Q2)', async () => {
    const world = await setUp();
    const other = await world.openStream();
    let inside = 0;
    let most = 0;
    let meet: () => void = () => undefined;
    const met = new Promise<void>((resolve) => (meet = resolve));
    const handling = async (): Promise<void> => {
      inside++;
      most = Math.max(most, inside);
      if (inside === 2) meet();
      // Both go on at the same moment, as two copies of a stalled job do.
      await met;
      inside--;
    };
    await startWorker(world.store, world.stream, handling);
    await startWorker(world.store, other, handling);
    await appendAll(world);
    await world.stream.sender.send(
      LETTERS.map((letter): WakeUp => ({ id: `both-${letter}`, lane: 0, seqNo: seqNoOf(letter), epoch: 0n })),
    );
    await until('all is executed', async () => (await world.store.progress()).executed > seqNoOf('E'));
    expect(most).toBe(2);
    await expectAllInOrder(world);
  });

  it('is that of the log when a worker waits inside its job until what failed has passed (B6)', async () => {
    const world = await setUp();
    let failures = 3;
    const store: InMemorySubjectStore = {
      ...world.store,
      transaction: async (work) => {
        const result = world.store.transaction(work);
        if (failures-- > 0) {
          await result;
          throw new Error('the answer of a commit is lost');
        }
        return result;
      },
    };
    await startWorker(store, world.stream);
    await appendAll(world);
    const [first] = LETTERS;
    await world.stream.sender.send([{ id: 'retried', lane: 0, seqNo: seqNoOf(first), epoch: 0n }]);
    await until('all is executed', async () => (await world.store.progress()).executed > seqNoOf('E'));
    // One job, one attempt: the retries were inside.
    expect(failures).toBeLessThan(0);
    expect(await world.stream.job(0, 'retried')).toMatchObject({ failedReason: null });
    await expectAllInOrder(world);
  });

  it('needs no job at all: what a job of a dead worker holds back, the lane’s own process executes (B13)', async () => {
    const world = await setUp();
    const queue = world.rawQueue();
    // A job that some worker took and never finished.
    await queue.add('A', jobOf('A').data, { jobId: 'taken' });
    const taken = world.openStream();
    let hold: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (hold = resolve));
    await (
      await taken
    ).receiver.start([0], async () => {
      await held;
      return 'executed';
    });
    await until('it is taken', async () => (await queue.getJobCounts('active'))['active'] === 1);
    await queue.setGlobalConcurrency(1);
    await appendAll(world);
    const starting = startWorker(world.store, world.stream);
    await starting;
    const sweeping = new AbortController();
    const sweeper = runSweeper(
      {
        store: world.store,
        sender: world.stream.sender,
        stats: createPipelineStats(),
        logger: silentLogger,
        intervalMs: 5,
        now: () => Date.now(),
        own: { lanes: new Set([0]), wake: (lane) => starting.worker.wake(lane, never) },
      },
      sweeping.signal,
    );
    await until('all is executed', async () => (await world.store.progress()).executed > seqNoOf('E'));
    expect((await queue.getJobCounts('active'))['active']).toBe(1);
    sweeping.abort();
    await sweeper;
    hold();
    await expectAllInOrder(world);
  });

  it('holds for each aggregate over several lanes, and a lane’s jobs touch no other lane (B15)', async () => {
    const many = createMarketScript();
    for (let i = 0; i < 12; i++) many.listed(`${i}`).nextBlock();
    const world = await setUp(3);
    await append(world.store, appendMessage(many.events, 0n, 99n));
    await startWorker(world.store, world.stream);
    const ofLane = (lane: number) =>
      many.events.filter(
        (event) => laneOf(aggregateHash(event.aggregateType, event.aggregateId), 3) === lane,
      );
    await world.stream.sender.send([{ id: 'lane-1', lane: 1, seqNo: ofLane(1)[0]!.seqNo, epoch: 0n }]);
    await until('lane 1 is executed', async () => {
      const { lanes, ingested } = await world.store.progress();
      return lanes[1] === ingested;
    });
    expect(world.executed).toEqual(ofLane(1).map(({ seqNo }) => seqNo));
    expect(ofLane(1).length).toBeGreaterThan(0);
  });

  it('has attempts of its own, counted and bounded: a job whose failures BullMQ would not count ends (B10)', async () => {
    const world = await setUp();
    await appendAll(world);
    let met = 0;
    const broken: InMemorySubjectStore = {
      ...world.store,
      transaction: () => {
        met++;
        return Promise.reject(new TypeError('it comes again each time'));
      },
    };
    const queue = world.rawQueue();
    await startWorker(broken, world.stream);
    await world.stream.sender.send([{ id: 'never', lane: 0, seqNo: seqNoOf('A'), epoch: 0n }]);
    await until('its job has failed', async () => (await queue.getJobCounts('failed'))['failed'] === 1);
    expect(met).toBe(UNKNOWN_ERROR_ATTEMPTS_MAX);
    expect((await queue.getJob('never'))?.attemptsMade).toBe(1);
    // Nothing is lost by it.
    expect(world.store.events()).toEqual(events);
  });

  it('does not suffer when wake-ups are collapsed: an event is executed without one of its own (B11)', async () => {
    const world = await setUp();
    await appendAll(world);
    // All five under one id: BullMQ keeps the first one only.
    await world.stream.sender.send(
      LETTERS.map((letter): WakeUp => ({ id: 'the same', lane: 0, seqNo: seqNoOf(letter), epoch: 0n })),
    );
    expect((await world.rawQueue().getJobCounts('wait'))['wait']).toBe(1);
    await startWorker(world.store, world.stream);
    await until('all is executed', async () => (await world.store.progress()).executed > seqNoOf('E'));
    await expectAllInOrder(world);
  });

  it('has queues and jobs without colons in their names, which BullMQ refuses, though its subject has one (B14)', async () => {
    expect(SUBJECT).toContain(':');
    const world = await setUp();
    const wakeUps = wakeUpsFor(appendMessage(events, 0n, 9n), 1, 0n);
    await world.stream.sender.send(wakeUps);
    const queue = world.rawQueue();
    expect(queue.name).not.toContain(':');
    for (const { id } of wakeUps) expect((await queue.getJob(id))?.id).toBe(id);
    const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
    expect(() => new Queue(SUBJECT, { connection })).toThrow(/:/);
    await expect(queue.add('x', {}, { jobId: 'a:b' })).rejects.toThrow(/:/);
    connection.disconnect();
  });
});
