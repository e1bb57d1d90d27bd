import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { SeqNo } from '@imart/core';
import {
  anyAggregate,
  checkReducer,
  createSnapshotter,
  createSubscription,
  defineAggregate,
  everyEvents,
  noSnapshot,
  onRead,
  ReducerChangedError,
  SNAPSHOT_SUBSCRIPTION,
  type AggregateDefinition,
  type AggregateReads,
  type Moment,
  type RequestAnswer,
  type SnapshotPolicy,
} from '@imart/event-service';
import {
  seededRandom,
  silentLogger,
  stockItem,
  until,
  type StockEvents,
  type StockState,
} from '@imart/testing';
import { createCommandDatabase, type CommandDatabase, type CommandParts } from '../testing/commandDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { openSubscription } from './subscriptions';

type Parts = CommandParts<StockState, StockEvents>;

let server: TestServer;
let commands: CommandDatabase;
let parts: Parts;

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
  parts = await commands.open(withPolicy(noSnapshot));
});

const withPolicy = (snapshots: SnapshotPolicy): AggregateDefinition<StockState, StockEvents> =>
  defineAggregate<StockState, StockEvents>({ ...stockItem, snapshots });

const plain = <State>(definition: AggregateDefinition<State, StockEvents>): AggregateDefinition =>
  anyAggregate(definition);

const request = (name: string, data: unknown, id = 'pen', more = {}): Promise<RequestAnswer> =>
  parts.service.request({ type: 'stock-item', id, name, data, ...more });

const add = async (times: number, id = 'pen'): Promise<void> => {
  for (let i = 0; i < times; i++) await request('Added', { quantity: 1 }, id);
  await parts.drain();
};

const snapshots = async (): Promise<readonly { id: string; version: number; reducer: number }[]> => {
  const { rows } = await commands.pool.query(
    `SELECT aggregate_id AS id, version, reducer_version AS reducer FROM snapshots ORDER BY aggregate_id, reducer_version, version`,
  );
  return rows;
};

/** Runs the snapshot subscription until it has read everything. */
async function makeSnapshots(
  definition: AggregateDefinition,
  reads: AggregateReads = parts.reads,
): Promise<void> {
  const store = await openSubscription({
    pool: commands.pool,
    subject: parts.subject,
    name: SNAPSHOT_SUBSCRIPTION,
    from: 'beginning',
  });
  const subscription = createSubscription({
    topic: { name: 'commands:stock-item', feed: parts.store.subject },
    name: SNAPSHOT_SUBSCRIPTION,
    store,
    deliver: createSnapshotter(definition, reads),
    logger: silentLogger,
    random: () => 0.01,
    holder: 'spec',
    pollMs: 5,
  });
  const over = new AbortController();
  const run = subscription.run(over.signal);
  const { lastFeedNo } = await parts.store.subject.progress();
  await until(async () => (await store.cursor()).afterFeedNo === lastFeedNo);
  over.abort();
  await run;
}

describe('snapshots', () => {
  it('are made beside the lanes, and save folding; without them the answers are the same (E9)', async () => {
    const definition = withPolicy(everyEvents(10));
    parts = await commands.open(definition);
    for (const times of [7, 7, 7]) {
      await add(times);
      await makeSnapshots(plain(definition));
    }
    expect(await snapshots()).toEqual([{ id: 'pen', version: 14, reducer: 1 }]);
    const fast = await parts.queries.state('pen');
    expect(fast).toMatchObject({ state: { left: 21 }, version: 21, folded: 7 });
    expect(await parts.queries.snapshot('pen')).toMatchObject({
      state: { left: 14 },
      version: 14,
      seqNo: 14n,
    });
    await commands.pool.query('DELETE FROM snapshots');
    expect(await parts.queries.snapshot('pen')).toBe(null);
    expect(await parts.queries.state('pen')).toEqual({ ...fast, folded: 21 });
    // Reading has kept one, by the same rule.
    await until(async () => (await snapshots()).length === 1);
  });

  it('are made again without harm, and old ones are removed', async () => {
    const definition = withPolicy(everyEvents(1));
    parts = await commands.open(definition);
    for (let i = 0; i < 13; i++) {
      await add(1);
      await makeSnapshots(plain(definition));
    }
    expect((await snapshots()).map(({ version }) => version)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    await commands.pool.query('UPDATE subscriptions SET feed_no = 0');
    const before = await snapshots();
    await makeSnapshots(plain(definition));
    expect(await snapshots()).toEqual(before);
  });

  it('are made on reading the latest state, where the rule says so', async () => {
    const definition = withPolicy(onRead);
    parts = await commands.open(definition);
    await add(3);
    expect(await parts.queries.state('pen', { kind: 'seqNo', seqNo: 2n as SeqNo })).toMatchObject({
      version: 2,
    });
    expect(await parts.queries.state('pen')).toMatchObject({ folded: 3 });
    await until(async () => (await snapshots()).length === 1);
    expect(await parts.queries.state('pen')).toMatchObject({ state: { left: 3 }, folded: 0 });
    expect(await snapshots()).toEqual([{ id: 'pen', version: 3, reducer: 1 }]);
  });

  it('never delay the lanes: one that cannot be written holds nobody up', async () => {
    const definition = withPolicy(everyEvents(1));
    parts = await commands.open(definition);
    await add(1);
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let asked = 0;
    const making = makeSnapshots(plain(definition), {
      ...parts.reads,
      writeSnapshots: async (states) => {
        asked++;
        await held;
        await parts.reads.writeSnapshots(states);
      },
    });
    await until(async () => asked === 1);
    await add(1);
    expect((await parts.store.subject.progress()).executed).toBe(2n);
    release();
    await making;
  });

  it('of another reducer version are not used; both versions’ stand side by side (E8)', async () => {
    const first = withPolicy(everyEvents(1));
    parts = await commands.open(first);
    await add(3);
    await makeSnapshots(plain(first));
    // The next version counts double.
    const second = defineAggregate<StockState, StockEvents>({
      ...first,
      reducer: {
        ...first.reducer,
        version: 2,
        fold: (state, event) => ({
          ...state,
          left: state.left + (event.name === 'Added' ? 2 * event.data.quantity : 0),
        }),
      },
    });
    const next = await commands.open(second);
    expect(await next.queries.state('pen')).toMatchObject({ state: { left: 6 }, folded: 3 });
    await until(async () => (await snapshots()).length === 2);
    expect(await snapshots()).toEqual([
      { id: 'pen', version: 3, reducer: 1 },
      { id: 'pen', version: 3, reducer: 2 },
    ]);
    expect(await next.queries.state('pen')).toMatchObject({ state: { left: 6 }, folded: 0 });
    expect(await parts.queries.state('pen')).toMatchObject({ state: { left: 3 }, folded: 0 });
    // Both fold on: neither refuses the other's states.
    await add(1);
    await request('Added', { quantity: 1 });
    await next.drain();
    expect((await next.queries.state('pen')).state.left).toBe(10);
  });

  it('tell that a reducer was changed and its version was not (E8)', async () => {
    const definition = withPolicy(everyEvents(1));
    parts = await commands.open(definition);
    await add(3);
    await makeSnapshots(plain(definition));
    await checkReducer(plain(definition), parts.reads);
    const changed = defineAggregate<StockState, StockEvents>({
      ...definition,
      reducer: { ...definition.reducer, fold: (state) => ({ ...state, left: state.left + 2 }) },
    });
    await expect(checkReducer(plain(changed), parts.reads)).rejects.toThrow(ReducerChangedError);
  });

  it('and the events after them are of one moment (E10)', async () => {
    const definition = withPolicy(everyEvents(2));
    parts = await commands.open(definition);
    const stop = new AbortController();
    const working = parts.worker.run(stop.signal);
    let writing = true;
    const written = (async () => {
      for (let i = 0; i < 60; i++) await request('Added', { quantity: 1 });
      writing = false;
    })();
    const making = (async () => {
      while (writing) {
        const folded = await parts.queries.state('pen');
        if (folded.version > 0) {
          await parts.reads.writeSnapshots([
            {
              aggregateType: 'stock-item',
              aggregateId: 'pen',
              state: {
                seqNo: folded.seqNo,
                version: folded.version,
                timeUs: folded.timeUs,
                value: folded.state,
              } as never,
            },
          ]);
        }
      }
    })();
    while (writing) {
      const { state, version, stopped } = await parts.queries.state('pen');
      expect([state.left, stopped]).toEqual([version, null]);
    }
    await Promise.all([written, making]);
    stop.abort();
    await working;
  });
});

describe('lanes', () => {
  it('that start cold fold on from snapshots and the events after them', async () => {
    // Refuses to fold anything but the next event on the right state.
    const strict = defineAggregate<StockState, StockEvents>({
      ...withPolicy(everyEvents(4)),
      reducer: {
        ...stockItem.reducer,
        fold(state, event) {
          if (state.left !== event.version - 1)
            throw new Error(`state ${state.left} before version ${event.version}`);
          return stockItem.reducer.fold(state, event);
        },
      },
    });
    for (let start = 0; start < 4; start++) {
      parts = await commands.open(strict);
      await add(3, 'pen');
      await add(2, 'book');
      if (start === 1) await makeSnapshots(plain(strict));
    }
    expect(await snapshots()).toHaveLength(2);
    expect(await parts.store.subject.parked()).toEqual([]);
    expect(await parts.queries.state('pen')).toMatchObject({ state: { left: 12 }, folded: 6 });
  });
});

describe('queries', () => {
  it('give the state at any seq no and any time, whatever snapshots there are', async () => {
    const seed = randomInt(2 ** 31);
    const random = seededRandom(seed);
    const definition = withPolicy(everyEvents(3));
    parts = await commands.open(definition);
    const lefts: number[] = [0];
    for (let i = 0; i < 25; i++) {
      const taking = random.chance(0.4) && (lefts.at(-1) ?? 0) > 0;
      await request(taking ? 'Taken' : 'Added', { quantity: 1 });
      lefts.push((lefts.at(-1) ?? 0) + (taking ? -1 : 1));
      if (random.chance(0.3)) {
        await parts.drain();
        await makeSnapshots(plain(definition));
      }
    }
    await parts.drain();
    expect(await snapshots()).not.toEqual([]);
    const { events } = await parts.queries.events('pen');
    const at = async (moment: Moment): Promise<unknown> => {
      const { state, version } = await parts.queries.state('pen', moment);
      return { seed, left: state.left, version };
    };
    for (const { seqNo, timeUs, version } of events) {
      expect(await at({ kind: 'seqNo', seqNo })).toEqual({ seed, left: lefts[version], version });
      expect(await at({ kind: 'time', timeUs })).toEqual({ seed, left: lefts[version], version });
      expect(await at({ kind: 'time', timeUs: timeUs - 1n })).toEqual({
        seed,
        left: lefts[version - 1],
        version: version - 1,
      });
      const before = await parts.queries.snapshot('pen', { kind: 'seqNo', seqNo });
      expect(before === null || before.version <= version).toBe(true);
    }
    expect(await at({ kind: 'time', timeUs: 0n })).toEqual({ seed, left: 0, version: 0 });
  });

  it('give events in pages, each with who asked, its correlation and its cause', async () => {
    const first = (await request('Added', { quantity: 5 }, 'pen', { actor: 'ann' })) as { eventId: string };
    await request('Taken', { quantity: 1 }, 'pen', { correlationId: 'story', causationId: first.eventId });
    await add(3);
    const page = await parts.queries.events('pen', { limit: 2 });
    expect(page.events).toMatchObject([
      { name: 'Added', version: 1, seqNo: 1n, actor: 'ann', correlationId: first.eventId, causationId: null },
      {
        name: 'Taken',
        version: 2,
        data: { quantity: 1, left: 4, by: 'nobody' },
        correlationId: 'story',
        causationId: first.eventId,
      },
    ]);
    const rest = await parts.queries.events('pen', { afterVersion: 2 });
    expect(rest.events.map(({ version }) => version)).toEqual([3, 4, 5]);
    expect(await parts.queries.events('nobody')).toEqual({ events: [], unreadable: null });
    expect(await parts.queries.state('nobody')).toMatchObject({ state: { left: 0 }, version: 0, seqNo: -1n });
  });

  it('find the log as it was written: every event has its content hash', async () => {
    await request('Added', { quantity: 5 }, 'ünï\n\t\\ codes', { actor: 'ann\n' });
    await add(3);
    const everything = { fromPosition: 0n, toPosition: 100n };
    expect(await parts.store.subject.tamperedEvents(everything)).toEqual([]);
    await commands.pool.query('UPDATE event_log SET data = $1 WHERE seq_no = 2', ['[1]']);
    expect(await parts.store.subject.tamperedEvents(everything)).toEqual([2n]);
  });
});

describe('older versions of events', () => {
  type Priced = { readonly Priced: { readonly amount: number; readonly currency: string } };
  const upcasting = defineAggregate<{ readonly price: string }, Priced>({
    type: 'stock-item',
    events: {
      Priced: {
        version: 3,
        schema: z.object({ amount: z.number(), currency: z.string() }),
        upcasts: {
          1: (data) => ({ amount: (data as { price: number }).price }),
          2: (data) => ({ ...(data as object), currency: 'APT' }),
        },
      },
    },
    rules: [],
    reducer: {
      version: 1,
      initial: () => ({ price: '' }),
      fold: (_state, { data }) => ({ price: `${data.amount} ${data.currency}` }),
    },
  });
  const original = defineAggregate<unknown, { readonly Priced: { readonly price: number } }>({
    type: 'stock-item',
    events: { Priced: { schema: z.object({ price: z.number() }) } },
    rules: [],
    reducer: { version: 1, initial: () => null, fold: (_state, { data }) => data.price },
  });

  it('are read in their present form; the log stays as it was', async () => {
    const old = await commands.open(original);
    await old.service.request({ type: 'stock-item', id: 'pen', name: 'Priced', data: { price: 7 } });
    await old.drain();
    const now = await commands.open(upcasting);
    expect((await now.queries.state('pen')).state).toEqual({ price: '7 APT' });
    await now.service.request({
      type: 'stock-item',
      id: 'pen',
      name: 'Priced',
      data: { amount: 8, currency: 'ETH' },
    });
    await now.drain();
    expect((await now.queries.state('pen')).state).toEqual({ price: '8 ETH' });
    const { rows } = await commands.pool.query('SELECT data FROM event_log ORDER BY seq_no');
    expect(rows.map(({ data }) => JSON.parse(data as string).slice(0, 2))).toEqual([
      [1, 1],
      [2, 3],
    ]);
  });

  it('an older program does not misread what a newer one has written: it sets the aggregate aside', async () => {
    const now = await commands.open(upcasting);
    await now.service.request({
      type: 'stock-item',
      id: 'pen',
      name: 'Priced',
      data: { amount: 8, currency: 'ETH' },
    });
    const old = await commands.open(original);
    await expect(
      old.service.request({ type: 'stock-item', id: 'pen', name: 'Priced', data: { price: 7 } }),
    ).rejects.toMatchObject({ code: 'UNKNOWN_EVENT' });
    await old.drain();
    expect(await old.store.subject.parked()).toMatchObject([{ aggregateId: 'pen', fromSeqNo: 1n }]);
    expect(await old.queries.state('pen')).toMatchObject({ version: 0, stopped: { seqNo: 1n } });
  });
});
