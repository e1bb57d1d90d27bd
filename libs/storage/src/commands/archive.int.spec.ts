import { z } from 'zod';
import {
  anyAggregate,
  ARCHIVED,
  createArchiver,
  defineAggregate,
  followTopic,
  noSnapshot,
  storedEvent,
  type Archiver,
  type RequestAnswer,
} from '@imart/event-service';
import { seededRandom, silentLogger, until } from '@imart/testing';
import { CONTENT_INTACT } from '../subject/eventLog';
import { createCommandDatabase, type CommandDatabase, type CommandParts } from '../testing/commandDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { openSubscription } from './subscriptions';

type TripEvents = { readonly Moved: { readonly to: string }; readonly Arrived: Record<string, never> };
interface TripState {
  readonly path: readonly string[];
  readonly arrived: boolean;
}

const tripAfter = (afterMs: number) =>
  defineAggregate<TripState, TripEvents>({
    type: 'trip',
    events: { Moved: { schema: z.object({ to: z.string() }) }, Arrived: { schema: z.object({}) } },
    rules: [],
    reducer: {
      version: 1,
      initial: () => ({ path: [], arrived: false }),
      fold: (state, event) =>
        event.name === 'Moved'
          ? { path: [...state.path, event.data.to], arrived: false }
          : { ...state, arrived: true },
    },
    snapshots: noSnapshot,
    archive: { isFinished: ({ arrived }) => arrived, afterMs },
  });

const never = new AbortController().signal;

let server: TestServer;
let commands: CommandDatabase;
let parts: CommandParts<TripState, TripEvents>;
let archiver: Archiver;

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
  await open(0);
});

async function open(afterMs: number): Promise<void> {
  const definition = tripAfter(afterMs);
  parts = await commands.open(definition);
  archiver = createArchiver({
    definition: anyAggregate(definition),
    store: parts.archive,
    reads: parts.reads,
    logger: silentLogger,
    random: () => 0.01,
  });
}

const request = (name: string, id: string, data: unknown = {}, more = {}): Promise<RequestAnswer> =>
  parts.service.request({ type: 'trip', id, name, data, ...more });

async function travel(id: string, ...stops: readonly string[]): Promise<void> {
  for (const to of stops) await request('Moved', id, { to });
  await request('Arrived', id);
  await parts.drain();
}

const count = async (table: string): Promise<number> =>
  Number((await commands.pool.query(`SELECT count(*) FROM ${table}`)).rows[0].count);

async function told(): Promise<readonly string[]> {
  const over = new AbortController();
  const names: string[] = [];
  const from = { afterFeedNo: 0n, partSeqNo: null };
  const topic = followTopic({ feed: parts.store.subject, from, wait: async () => over.abort() }, over.signal);
  for await (const { event } of topic) names.push(`${event.aggregateId} ${storedEvent(event).version}`);
  return names.sort();
}

describe('the archive', () => {
  it('has the events of what is finished, out of the log, with a snapshot; all that is asked is answered as before', async () => {
    await travel('a', 'x', 'y');
    await request('Moved', 'b', { to: 'z' });
    await parts.drain();
    const { events } = await parts.queries.events('a');
    const [first, second] = events;
    if (first === undefined || second === undefined) throw new Error('there are events');
    const answers = async (): Promise<unknown> => [
      await parts.queries.events('a'),
      { ...(await parts.queries.state('a')), folded: 0 },
      await parts.queries.state('a', { kind: 'seqNo', seqNo: second.seqNo }),
      await parts.queries.state('a', { kind: 'time', timeUs: first.timeUs }),
      await parts.queries.state('b'),
      await parts.store.fateOf('a', 2),
      await told(),
    ];
    const before = await answers();
    expect(await archiver.pass(never)).toBe(1);
    expect([await count('event_log'), await count('archived_events')]).toEqual([1, 3]);
    expect(await answers()).toEqual(before);
    expect(await parts.queries.snapshot('a')).toMatchObject({ version: 3, state: { path: ['x', 'y'] } });
    await commands.pool.query('DELETE FROM snapshots');
    expect(await answers()).toEqual(before);
    const { rows } = await commands.pool.query(
      `SELECT bool_and(${CONTENT_INTACT}) AS intact FROM archived_events`,
    );
    expect(rows).toEqual([{ intact: true }]);
    expect([await archiver.pass(never), await count('archived_events')]).toEqual([0, 3]);
  });

  it('takes no more commands: they are refused by a named rule, and leave nothing; old answers are given again', async () => {
    const answer = await request('Moved', 'a', { to: 'x' }, { idempotencyKey: 'k' });
    await travel('a');
    await archiver.pass(never);
    for (const marker of ['kept', 'swept']) {
      if (marker === 'swept') await commands.pool.query('DELETE FROM command_markers');
      expect([marker, await request('Moved', 'a', { to: 'y' })]).toEqual([
        marker,
        { kind: 'refused', rule: ARCHIVED, reason: 'it is finished, and archived', repeated: false },
      ]);
    }
    expect(await request('Moved', 'a', { to: 'x' }, { idempotencyKey: 'k' })).toEqual({
      ...answer,
      repeated: true,
    });
    expect([await count('command_outbox'), await count('command_markers')]).toEqual([0, 0]);
  });

  it('waits for what is young, for messages on their way, and for readers of the feed that are not there yet', async () => {
    await travel('a', 'x');
    await open(3_600_000);
    expect(await archiver.pass(never)).toBe(0);
    await open(0);
    const folded = await parts.reads.readStateSource('a', { kind: 'latest' });
    expect(folded.events).toHaveLength(2);
    const reader = await openSubscription({
      pool: commands.pool,
      subject: parts.subject,
      name: 'slow',
      from: 'beginning',
    });
    expect(await archiver.pass(never)).toBe(0);
    const lease = await reader.leases.acquire('spec', 60_000);
    if (lease.kind !== 'acquired') throw new Error('nobody else reads');
    const { lastFeedNo } = await parts.store.subject.progress();
    await reader.commit(lease.fencing, { afterFeedNo: lastFeedNo, partSeqNo: null });
    await request('Moved', 'a', { to: 'y' });
    expect(await archiver.pass(never)).toBe(0);
    expect(await count('archived_events')).toBe(0);
    await parts.drain();
    await travel('a');
    await reader.commit(lease.fencing, {
      afterFeedNo: (await parts.store.subject.progress()).lastFeedNo,
      partSeqNo: null,
    });
    expect(await archiver.pass(never)).toBe(1);
  });

  it('loses no command that is accepted while it archives, whoever is first', async () => {
    const seed = 7;
    const random = seededRandom(seed);
    const accepted = new Set<string>();
    const over = new AbortController();
    const archiving = (async () => {
      while (!over.signal.aborted) await archiver.pass(never);
    })();
    const working = parts.worker.run(over.signal);
    const travelling = async (id: string): Promise<void> => {
      for (let i = 0; i < 6; i++) {
        const answer = await request(random.chance(0.4) ? 'Arrived' : 'Moved', id, { to: 'x' });
        if (answer.kind === 'accepted') accepted.add(`${id} ${answer.version}`);
      }
    };
    try {
      await Promise.all(Array.from({ length: 5 }, (_, i) => travelling(`t${i}`)));
    } finally {
      over.abort();
      await Promise.all([archiving, working]);
    }
    await parts.drain();
    await archiver.pass(never);
    expect([seed, await told()]).toEqual([seed, [...accepted].sort()]);
    expect([seed, await count('archived_aggregates')]).not.toEqual([seed, 0]);
    const { rows } = await commands.pool.query(
      'SELECT 1 FROM event_log JOIN archived_aggregates USING (aggregate_id)',
    );
    expect(rows).toEqual([]);
  });

  it('has all of an aggregate or nothing, when archiving is killed on its way; the next pass does it', async () => {
    await travel('a', 'x');
    const holder = await commands.createPool({ max: 1 }).connect();
    await holder.query('BEGIN');
    // It has moved the events, and waits to say so.
    await holder.query('LOCK TABLE archived_aggregates IN EXCLUSIVE MODE');
    const passing = archiver.pass(never).catch((error: unknown) => error);
    const waits = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await until(async () => (await holder.query(waits)).rowCount === 1);
    await holder.query(`SELECT pg_terminate_backend(pid) FROM (${waits}) w`);
    expect(await passing).toBeInstanceOf(Error);
    await holder.query('COMMIT');
    holder.release();
    expect([await count('event_log'), await count('archived_events'), await count('snapshots')]).toEqual([
      2, 0, 0,
    ]);
    expect((await request('Moved', 'a', { to: 'y' })).kind).toBe('accepted');
    await travel('a');
    expect([await archiver.pass(never), await count('archived_events')]).toEqual([1, 4]);
  });
});
