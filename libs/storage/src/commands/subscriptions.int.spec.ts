import type { Event } from '@imart/core';
import {
  anyAggregate,
  createCommandObserver,
  createSubscription,
  defineAggregate,
  noSnapshot,
  type Subscription,
  type SubscriptionOptions,
} from '@imart/event-service';
import { retryParked } from '@imart/pipeline';
import { silentLogger, stockItem, until, type StockEvents, type StockState } from '@imart/testing';
import { createCommandDatabase, type CommandDatabase, type CommandParts } from '../testing/commandDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { openSubscription } from './subscriptions';

let server: TestServer;
let commands: CommandDatabase;
let parts: CommandParts<StockState, StockEvents>;
const started: { readonly over: AbortController; readonly run: Promise<void> }[] = [];

const unsnapped = defineAggregate<StockState, StockEvents>({ ...stockItem, snapshots: noSnapshot });

beforeAll(async () => {
  server = await startTestServer();
  commands = await createCommandDatabase(server);
});
afterAll(async () => {
  await commands?.close();
  await server?.stop();
});
beforeEach(async () => {
  await commands.clear();
  parts = await commands.open(unsnapped);
});
afterEach(async () => {
  for (const { over } of started) over.abort();
  await Promise.all(started.splice(0).map(({ run }) => run));
});

const add = async (id: string, times = 1): Promise<void> => {
  for (let i = 0; i < times; i++) {
    await parts.service.request({ type: 'stock-item', id, name: 'Added', data: { quantity: 1 } });
  }
};

type Deliver = (events: readonly Event[]) => Promise<void>;

async function open(
  name: string,
  deliver: Deliver,
  options: Partial<SubscriptionOptions> & { readonly from?: 'beginning' | 'now' } = {},
): Promise<{ readonly subscription: Subscription; stop(): Promise<void> }> {
  const { from = 'beginning', ...more } = options;
  const store = await openSubscription({ pool: commands.pool, subject: parts.subject, name, from });
  const subscription = createSubscription({
    topic: { name: 'commands:stock-item', feed: parts.store.subject },
    name,
    store,
    deliver,
    logger: silentLogger,
    random: () => 0.01,
    holder: `${name}-${Math.random()}`,
    pollMs: 5,
    ...more,
  });
  const over = new AbortController();
  const run = subscription.run(over.signal);
  started.push({ over, run });
  return {
    subscription,
    async stop() {
      over.abort();
      await run;
    },
  };
}

/** Remembers what it is told, by aggregate. */
function collector(): { readonly seen: Map<string, bigint[]>; readonly deliver: Deliver; count(): number } {
  const seen = new Map<string, bigint[]>();
  return {
    seen,
    async deliver(events) {
      for (const { aggregateId, seqNo } of events)
        seen.set(aggregateId, [...(seen.get(aggregateId) ?? []), seqNo]);
    },
    count: () => [...seen.values()].reduce((sum, seqNos) => sum + seqNos.length, 0),
  };
}

const ascending = (seen: ReadonlyMap<string, readonly bigint[]>): void => {
  for (const seqNos of seen.values()) expect(seqNos).toEqual([...seqNos].sort((a, b) => (a < b ? -1 : 1)));
};

describe('subscriptions', () => {
  it('are told everything once while nothing dies, in order per aggregate; one that was away resumes at its cursor', async () => {
    const all = collector();
    const some = collector();
    await add('a', 3);
    await add('b', 2);
    await parts.drain();
    const first = await open('all', all.deliver);
    await open('some', some.deliver, { accepts: (event) => event.aggregateId === 'b' });
    await until(() => all.count() === 5 && some.count() === 2);
    await first.stop();
    await add('a', 2);
    await parts.drain();
    await until(
      () => some.seen.size === 1 && parts.store.subject.progress().then(({ executed }) => executed === 7n),
    );
    const again = await open('all', all.deliver);
    await until(() => all.count() === 7);
    await until(() => again.subscription.stats.feedNo === 2n);
    ascending(all.seen);
    expect(all.seen.get('a')).toHaveLength(5);
    expect([...some.seen.keys()]).toEqual(['b']);
  });

  it('may start with what comes next', async () => {
    await add('a', 3);
    await parts.drain();
    const late = collector();
    await open('late', late.deliver, { from: 'now' });
    await add('b');
    await parts.drain();
    await until(() => late.count() === 1);
    expect([...late.seen.keys()]).toEqual(['b']);
  });

  it('try a failing delivery again and skip nothing; other aggregates of the same piece go on', async () => {
    await add('bad', 2);
    await add('good', 2);
    await parts.drain();
    const all = collector();
    let mended = false;
    const { subscription } = await open('all', async (events) => {
      if (events[0]?.aggregateId === 'bad' && !mended) throw new Error('not yet');
      await all.deliver(events);
    });
    await until(() => subscription.stats.failures > 2 && all.seen.has('good'));
    expect(all.seen.has('bad')).toBe(false);
    expect(subscription.stats.feedNo).toBe(0n);
    mended = true;
    await until(() => subscription.stats.feedNo === 1n);
    expect(all.seen.get('bad')).toEqual([1n, 2n]);
    expect(subscription.stats.failing).toBe(0);
  });

  it('read no further than they have delivered: back-pressure, and a cursor inside a large change', async () => {
    await add('a', 10);
    await parts.drain();
    const all = collector();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = await open(
      'all',
      async (events) => {
        if (all.count() >= 6) await held;
        await all.deliver(events);
      },
      { deliveredEventsMax: 3 },
    );
    const store = await openSubscription({
      pool: commands.pool,
      subject: parts.subject,
      name: 'all',
      from: 'now',
    });
    await until(async () => (await store.cursor()).partSeqNo === 6n);
    expect(await store.cursor()).toEqual({ afterFeedNo: 0n, partSeqNo: 6n });
    expect(all.count()).toBe(6);
    const stopped = slow.stop();
    release();
    await stopped;
    // What was on its way when it ended comes again; nothing before the cursor does.
    const again = await open('all', all.deliver, { deliveredEventsMax: 3 });
    await until(() => again.subscription.stats.feedNo === 1n);
    expect([...new Set(all.seen.get('a'))]).toHaveLength(10);
    expect(all.seen.get('a')?.filter((seqNo) => seqNo <= 6n)).toHaveLength(6);
    expect((await store.cursor()).partSeqNo).toBe(null);
  });

  it('have one reader of several; another takes over, and the first cannot move the cursor any more', async () => {
    const readers = [collector(), collector()];
    const store = await openSubscription({
      pool: commands.pool,
      subject: parts.subject,
      name: 'one',
      from: 'beginning',
    });
    const dead = await store.leases.acquire('dead', 200);
    expect(dead.kind).toBe('acquired');
    expect(await store.leases.acquire('other', 200)).toMatchObject({ kind: 'held', holder: 'dead' });
    for (const { deliver } of readers) await open('one', deliver, { leaseMs: 300 });
    await add('a', 4);
    await parts.drain();
    await until(() => readers.some(({ count }) => count() === 4));
    expect(readers.map(({ count }) => count()).sort()).toEqual([0, 4]);
    const fencing = dead.kind === 'acquired' ? dead.fencing : 0n;
    expect(await store.commit(fencing, { afterFeedNo: 0n, partSeqNo: null })).toBe(false);
    expect(await store.leases.renew(fencing, 1000)).toBe(false);
    await until(async () => (await store.cursor()).afterFeedNo === 1n);
  });

  it('hear nothing again when states are folded again (E11)', async () => {
    let failing = true;
    const poisoned = defineAggregate<StockState, StockEvents>({
      ...unsnapped,
      reducer: {
        ...unsnapped.reducer,
        fold(state, event) {
          if (failing) throw new Error('on purpose');
          return unsnapped.reducer.fold(state, event);
        },
      },
    });
    parts = await commands.open(poisoned);
    await add('a', 2);
    await parts.drain();
    const all = collector();
    const { subscription } = await open('all', all.deliver);
    await until(() => subscription.stats.feedNo === 1n);
    failing = false;
    const observer = createCommandObserver(anyAggregate(poisoned));
    const released = await retryParked(
      { store: parts.store.subject, observer, logger: silentLogger },
      { aggregateType: 'stock-item', aggregateId: 'a', actedBy: 'spec', reason: null },
    );
    expect(released.kind).toBe('released');
    await until(() => subscription.stats.feedNo === 2n);
    expect(all.count()).toBe(2);
  });
});
