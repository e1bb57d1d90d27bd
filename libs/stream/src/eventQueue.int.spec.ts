import { Redis } from 'ioredis';
import type { Event, SeqNo } from '@imart/core';
import { createSubscription, type SubscriptionCursor, type SubscriptionStore } from '@imart/event-service';
import type { FeedChange, FeedReader } from '@imart/pipeline';
import { seededRandom, silentLogger, until } from '@imart/testing';
import { startTestServer, type TestServer } from '../../storage/src/testing/testDatabase';
import {
  createEventConsumer,
  createEventQueue,
  EventNotTakenError,
  eventQueueName,
  StreamUnavailableError,
  type EventConsumer,
  type EventQueue,
  type QueuedEvent,
  type WakeUpBackend,
} from './index';
import { describeWithOwnRedis } from './testing/describeWithRedis';
import { startTestRedis, type TestRedis } from './testing/redisServer';

const never = new AbortController().signal;
const event = (aggregate: string, n: number): QueuedEvent => ({
  id: `${aggregate}-${n}`,
  data: { aggregate, n },
});
const history = (aggregate: string, count: number): QueuedEvent[] =>
  Array.from({ length: count }, (_, i) => event(aggregate, i + 1));

let server: TestServer;
let redis: TestRedis | null = null;
let backend: WakeUpBackend;
let prefixes = 0;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startTestServer();
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
afterAll(async () => {
  await redis?.stop();
  await server.stop();
});

async function openQueue(): Promise<EventQueue> {
  const queue = await createEventQueue({ backend, topic: 'thing', name: 'shop', logger: silentLogger });
  open.push(queue);
  return queue;
}

async function consume(handle: (one: QueuedEvent) => Promise<void>, concurrency = 1): Promise<EventConsumer> {
  const consumer = await createEventConsumer({
    backend,
    topic: 'thing',
    name: 'shop',
    logger: silentLogger,
    handle,
    concurrency,
  });
  open.push(consumer);
  return consumer;
}

/** As a subscription does: what fails is delivered again, from the beginning of what was given. */
async function deliver(queue: EventQueue, events: readonly QueuedEvent[]): Promise<void> {
  for (;;) {
    try {
      return await queue.deliver(events, never);
    } catch (error) {
      if (!(error instanceof EventNotTakenError || error instanceof StreamUnavailableError)) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function features(newBackend: () => WakeUpBackend | Promise<WakeUpBackend>): void {
  beforeEach(async () => {
    backend = await newBackend();
  });

  it('has one job for each event, the next of an aggregate when the one before it is completed, whatever fails and however many take them (Q3, Q5)', async () => {
    const seed = 20;
    const random = seededRandom(seed);
    const taken: string[] = [];
    const handle = async ({ id }: QueuedEvent): Promise<void> => {
      if (random.chance(0.3)) throw new Error('not now');
      taken.push(id);
    };
    const queue = await openQueue();
    await Promise.all([consume(handle, 4), consume(handle, 4)]);
    const aggregates = ['a', 'b', 'c', 'd'];
    await Promise.all(aggregates.map((aggregate) => deliver(queue, history(aggregate, 8))));
    for (const aggregate of aggregates) {
      expect([seed, taken.filter((id) => id.startsWith(`${aggregate}-`))]).toEqual([
        seed,
        history(aggregate, 8).map(({ id }) => id),
      ]);
    }
    // What was completed is known by its id: nobody is told again, though whoever tells begins anew.
    await queue.deliver(history('a', 8), never);
    expect(taken).toHaveLength(32);
  });

  it('tells why an event was not taken, and makes its job anew', async () => {
    const taken: unknown[] = [];
    const queue = await openQueue();
    await consume(async ({ data }) => {
      taken.push(data);
      if (taken.length === 1) throw new Error('the shop is closed');
    });
    const failed = await queue.deliver([event('a', 1)], never).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(EventNotTakenError);
    expect(failed).toMatchObject({ code: 'EVENT_NOT_TAKEN', disposition: 'retry' });
    expect((failed as Error).message).toContain('the shop is closed');
    await queue.deliver([event('a', 1)], never);
    expect(taken).toEqual([event('a', 1).data, event('a', 1).data]);
  });

  it('moves the cursor of its subscription to what is completed, and goes no deeper than it may while nobody takes anything', async () => {
    const queue = await openQueue();
    const changes = Array.from({ length: 3 }, (_, i) => changeOf(i + 1));
    const cursors: bigint[] = [];
    const over = new AbortController();
    const subscription = createSubscription({
      topic: { name: 'commands:thing', feed: feedOf(changes) },
      name: 'queue:shop',
      store: storeOf(cursors),
      deliver: (events, signal) =>
        queue.deliver(
          events.map(({ aggregateId, seqNo }) => event(aggregateId, Number(seqNo))),
          signal,
        ),
      logger: silentLogger,
      random: () => 0.01,
      holder: 'spec',
      concurrency: 2,
      pollMs: 5,
    });
    const running = subscription.run(over.signal);
    await until(async () => (await queue.depth()) === 2);
    expect(cursors).toEqual([]);
    let deepest = 0;
    const taken: string[] = [];
    await consume(async ({ id }) => {
      deepest = Math.max(deepest, await queue.depth());
      taken.push(id);
    });
    await until(async () => cursors.length === 3);
    over.abort();
    await running;
    expect([cursors, deepest <= 2, new Set(taken).size]).toEqual([[1n, 2n, 3n], true, 12]);
  });

  it('ends when it is told to, with nobody to take what it tells', async () => {
    const queue = await openQueue();
    const over = new AbortController();
    const delivering = queue.deliver(history('a', 2), over.signal);
    await until(async () => (await queue.depth()) === 1);
    over.abort();
    await delivering;
  });
}

describe('a queue of events in PostgreSQL', () => {
  features(async () => ({ kind: 'postgres', connectionString: (await server.createDatabase()).url }));
});

describeWithOwnRedis('a queue of events in Redis', () => {
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  features(() => ({ kind: 'redis', url: (redis as TestRedis).url, prefix: `spec${prefixes++}` }));

  it('is told again what was lost with its Redis, in order (Q4)', async () => {
    const queue = await openQueue();
    const taken: string[] = [];
    let release: () => void = () => undefined;
    const delivering = deliver(queue, history('a', 3));
    await until(async () => (await queue.depth()) === 1);
    const client = new Redis((redis as TestRedis).url);
    await client.flushall();
    client.disconnect();
    await consume(async ({ id }) => {
      taken.push(id);
      if (taken.length === 2) await new Promise<void>((resolve) => (release = resolve));
    });
    await until(async () => taken.length === 2);
    await (redis as TestRedis).kill();
    await (redis as TestRedis).restart();
    release();
    await delivering;
    // At least once: it begins anew where it was given to begin, because Redis knew what was completed.
    expect([...new Set(taken)]).toEqual(history('a', 3).map(({ id }) => id));
    expect(taken.at(-1)).toBe('a-3');
  });

  it('keeps of what was completed the id, not the data', async () => {
    const queue = await openQueue();
    await consume(async () => undefined);
    await queue.deliver([event('a', 1)], never);
    const client = new Redis((redis as TestRedis).url);
    const { prefix = '' } = backend as { prefix?: string };
    const key = `${prefix}:${eventQueueName('thing', 'shop', 'redis')}:a-1`;
    expect(await client.hget(key, 'data')).toBe('{}');
    client.disconnect();
  });
});

/** A change with an event of each of four aggregates. */
function changeOf(feedNo: number): FeedChange {
  const first = (feedNo - 1) * 4 + 1;
  const added = ['a', 'b', 'c', 'd'].map((aggregateId, i) => ({
    event: { aggregateType: 'thing', aggregateId, seqNo: BigInt(first + i) as SeqNo } as Event,
    addedBy: BigInt(feedNo),
    retractedBy: null,
  }));
  return {
    feedNo: BigInt(feedNo),
    kind: 'appended',
    epoch: 0n,
    fromSeqNo: BigInt(first) as SeqNo,
    toSeqNo: BigInt(first + 3) as SeqNo,
    committedAtMs: 0,
    aggregate: null,
    added,
    retracted: [],
  };
}

const feedOf = (changes: readonly FeedChange[]): FeedReader =>
  ({
    readFeed: async (afterFeedNo: bigint) => changes.filter(({ feedNo }) => feedNo > afterFeedNo),
  }) as unknown as FeedReader;

function storeOf(cursors: bigint[]): SubscriptionStore {
  let cursor: SubscriptionCursor = { afterFeedNo: 0n, partSeqNo: null };
  return {
    leases: {
      acquire: async () => ({ kind: 'acquired', fencing: 1n }),
      renew: async () => true,
      release: async () => undefined,
    },
    cursor: async () => cursor,
    commit: async (_fencing, next) => {
      cursor = next;
      cursors.push(next.afterFeedNo);
      return true;
    },
  };
}
