import { randomBytes, randomUUID } from 'node:crypto';
import {
  createPersonalData,
  IdempotencyConflictError,
  type CommandRequest,
  type KeptEvent,
  type MarkRequest,
  type RequestAnswer,
} from '@imart/event-service';
import { stockItem, until, type StockEvents, type StockState } from '@imart/testing';
import { createCommandDatabase, type CommandDatabase, type CommandParts } from '../testing/commandDatabase';
import { createCuttingProxy, type CuttingProxy } from '../testing/cuttingProxy';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { forgetPerson } from './personKeys';

type Parts = CommandParts<StockState, StockEvents>;

let server: TestServer;
let commands: CommandDatabase;
let proxy: CuttingProxy;
let parts: Parts;

beforeAll(async () => {
  server = await startTestServer();
  commands = await createCommandDatabase(server);
  proxy = await createCuttingProxy(commands.database.url);
});
afterAll(async () => {
  await commands?.close();
  await proxy?.close();
  await server?.stop();
});
beforeEach(async () => {
  proxy.decide = () => 'pass';
  await commands.clear();
  parts = await commands.open(stockItem);
});

const request = (
  asked: Parts,
  id: string,
  name: keyof StockEvents = 'Added',
  more: Partial<CommandRequest> = {},
): Promise<RequestAnswer> =>
  asked.service.request({ type: 'stock-item', id, name, data: { quantity: 1 }, ...more });

const markOf = (aggregateId: string, more: Partial<MarkRequest> = {}): MarkRequest => {
  const version = (more.validatedVersion ?? 0) + 1;
  return {
    aggregateId,
    validatedVersion: 0,
    validatedEventId: null,
    expectedVersion: null,
    event: {
      eventId: randomUUID() as KeptEvent['eventId'],
      version,
      name: 'Added',
      data: `[${version},1,"c",null,{"quantity":1,"left":${version}}]`,
    },
    actor: '',
    idempotency: null,
    personKey: null,
    ...more,
  };
};

const keyed = (key: string): NonNullable<MarkRequest['idempotency']> => ({
  actor: '',
  key,
  bodyHash: '00'.repeat(16),
  answer: { kind: 'accepted', eventId: randomUUID() as KeptEvent['eventId'], version: 1 },
});

const rowsOf = async (sql: string): Promise<readonly Record<string, unknown>[]> =>
  (await commands.pool.query(sql)).rows as Record<string, unknown>[];

/** Aggregates with a message, and how many transactions wrote them. */
const produced = async (): Promise<{ ids: unknown; transactions: number }> => {
  const rows = await rowsOf('SELECT aggregate_id AS id, xmin::text AS tx FROM command_outbox ORDER BY 1');
  return { ids: rows.map(({ id }) => id), transactions: new Set(rows.map(({ tx }) => tx)).size };
};

/** A marker, a message and an answer, or none of them. */
const nothingIsHalfDone = async (): Promise<void> => {
  expect(
    await rowsOf(
      `SELECT o.aggregate_id, o.version, m.version AS marked FROM command_outbox o
       FULL JOIN command_markers m ON m.subject = o.subject AND m.aggregate_id = o.aggregate_id AND m.version = o.version
       WHERE m.version IS NULL AND o.version = (SELECT max(version) FROM command_outbox l WHERE l.aggregate_id = o.aggregate_id)
         OR o.version IS NULL`,
    ),
  ).toEqual([]);
};

describe('commands that come at the same time', () => {
  it('are marked by one statement and made durable by one commit, whoever asks for them', async () => {
    const ids = Array.from({ length: 50 }, (_, i) => `item-${i}`);
    const answers = await Promise.all(ids.map((id) => request(parts, id)));
    expect(answers.map((answer) => answer.kind === 'accepted' && answer.version)).toEqual(ids.map(() => 1));
    expect(await produced()).toEqual({ ids: [...ids].sort(), transactions: 1 });
    await nothingIsHalfDone();
  });

  it('have each an outcome of their own: what is moved or answered leaves the others alone (E1, E2, E5)', async () => {
    await parts.store.mark(markOf('moved'));
    await parts.store.mark(markOf('answered', { idempotency: keyed('k') }));
    await parts.drain();
    const results = await Promise.all([
      parts.store.mark(markOf('a')),
      parts.store.mark(markOf('moved')),
      parts.store.mark(markOf('answered', { validatedVersion: 1, idempotency: keyed('k') })),
      parts.store.mark(markOf('b', { idempotency: keyed('other') })),
    ]);
    expect(results).toEqual(['marked', 'moved', 'answered', 'marked']);
    expect(await produced()).toEqual({ ids: ['a', 'b'], transactions: 1 });
    expect(await rowsOf('SELECT idempotency_key AS key FROM command_answers ORDER BY 1')).toEqual([
      { key: 'k' },
      { key: 'other' },
    ]);
    await parts.drain();
    expect(await rowsOf('SELECT aggregate_id FROM command_markers WHERE version > 1')).toEqual([]);
  });

  it('of one aggregate are marked one after the other: the second finds the first (E2)', async () => {
    const results = await Promise.all([
      parts.store.mark(markOf('pen')),
      parts.store.mark(markOf('ink')),
      parts.store.mark(markOf('pen')),
      parts.store.mark(markOf('pen', { validatedVersion: 1 })),
    ]);
    expect(results).toEqual(['marked', 'marked', 'moved', 'marked']);
    expect((await produced()).ids).toEqual(['ink', 'pen', 'pen']);
  });

  it('with one idempotency key for two aggregates get one answer, and say that the other body is another (E5)', async () => {
    const once = { idempotencyKey: 'once' };
    const outcomes = await Promise.allSettled([
      request(parts, 'pen', 'Added', once),
      request(parts, 'ink', 'Added', once),
      request(parts, 'cup'),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((outcomes[1] as PromiseRejectedResult).reason).toBeInstanceOf(IdempotencyConflictError);
    expect((await produced()).ids).toEqual(['cup', 'pen']);
  });

  it('do not fail with one that the database refuses, nor with one whose person is gone', async () => {
    const personal = createPersonalData(randomBytes(32));
    const owner = await commands.open(stockItem, { commands: { personalData: personal } });
    const gone = await owner.store.personKey('p1');
    await forgetPerson(commands.pool, 'p1', { actedBy: 'spec', reason: null });
    await commands.pool.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.aggregate_id = 'bad' THEN RAISE 'on purpose'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON command_outbox FOR EACH ROW EXECUTE FUNCTION refuse()`);
    try {
      const outcomes = await Promise.allSettled([
        parts.store.mark(markOf('a')),
        parts.store.mark(markOf('bad')),
        parts.store.mark(markOf('forgotten', { personKey: gone })),
        parts.store.mark(markOf('b')),
      ]);
      expect(outcomes.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)))).toEqual([
        'marked',
        expect.stringContaining('on purpose'),
        'moved',
        'marked',
      ]);
    } finally {
      await commands.pool.query('DROP FUNCTION refuse CASCADE');
    }
    expect((await produced()).ids).toEqual(['a', 'b']);
    await nothingIsHalfDone();
  });

  it('do not wait with one whose marker somebody holds', async () => {
    await request(parts, 'held');
    const other = await commands.pool.connect();
    // Should they wait for it after all, this test fails in the end, and does not hang.
    await other.query(`SET idle_in_transaction_session_timeout = '30s'; BEGIN;
      SELECT FROM command_markers WHERE aggregate_id = 'held' FOR UPDATE`);
    let isAnswered = false;
    const held = request(parts, 'held').finally(() => {
      isAnswered = true;
    });
    const others = await Promise.all(['a', 'b'].map((id) => request(parts, id)));
    expect(others.map(({ kind }) => kind)).toEqual(['accepted', 'accepted']);
    // Nor do those that come later.
    expect(await request(parts, 'c')).toMatchObject({ kind: 'accepted' });
    expect(isAnswered).toBe(false);
    await other.query('COMMIT');
    other.release(true);
    expect(await held).toMatchObject({ kind: 'accepted', version: 2 });
  });

  it('of two processes cross each other without a deadlock, and every version has one winner (E2)', async () => {
    const ids = Array.from({ length: 12 }, (_, i) => `item-${i}`);
    const processes = await Promise.all(
      Array.from({ length: 2 }, () => commands.open(stockItem, { pool: commands.createPool() })),
    );
    const rounds = 15;
    const answers = await Promise.all(
      processes.map(async (one, n) => {
        const given: RequestAnswer[] = [];
        for (let round = 0; round < rounds; round++) {
          const order = n === 0 ? ids : [...ids].reverse();
          given.push(...(await Promise.all(order.map((id) => request(one, id)))));
        }
        return given;
      }),
    );
    expect(answers.flat().every(({ kind }) => kind === 'accepted')).toBe(true);
    const versions = await rowsOf(
      `SELECT aggregate_id, count(*)::int AS n, max(version)::int AS newest FROM command_outbox GROUP BY 1`,
    );
    expect(versions).toHaveLength(ids.length);
    for (const { n, newest } of versions) expect([n, newest]).toEqual([2 * rounds, 2 * rounds]);
    expect(
      await rowsOf(`SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()`),
    ).toEqual([{ deadlocks: 0 }]);
  });

  it.each(['before', 'after'] as const)(
    'are all marked or none when the connection is cut %s the server has heard of them (E1)',
    async (cut) => {
      const far = await commands.open(stockItem, {
        pool: commands.createPool({ connectionString: proxy.url }),
      });
      await request(far, 'first');
      let cuts = 0;
      proxy.decide = (text) => (text.includes('EXECUTE imart_mark') && cuts++ === 0 ? cut : 'pass');
      const ids = Array.from({ length: 20 }, (_, i) => `item-${i}`);
      const outcomes = await Promise.allSettled(
        ids.map((id) => request(far, id, 'Added', { idempotencyKey: id })),
      );
      expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
      expect(cuts).toBe(1);
      const there = cut === 'before' ? 0 : ids.length;
      await until(async () => ((await produced()).ids as unknown[]).length === 1 + there);
      await nothingIsHalfDone();
      // Whoever asks again is told what became of it, or is accepted now.
      const again = await Promise.all(ids.map((id) => request(far, id, 'Added', { idempotencyKey: id })));
      expect(again.map(({ repeated }) => repeated)).toEqual(ids.map(() => cut === 'after'));
      expect((await produced()).ids).toHaveLength(21);
    },
  );

  it('go on when the session was changed under them', async () => {
    const pool = commands.createPool({ max: 6 });
    const one = await commands.open(stockItem, { pool });
    await request(one, 'pen');
    const clients = await Promise.all(Array.from({ length: pool.totalCount }, () => pool.connect()));
    for (const client of clients) await client.query('DEALLOCATE ALL');
    for (const client of clients) client.release();
    expect(await request(one, 'pen')).toMatchObject({ version: 2 });
    expect((await one.reads.readStateSource('pen', { kind: 'latest' })).events).toEqual([]);
  });
});

describe('what this process last marked', () => {
  const reads = (of: Parts, id: string): Promise<boolean> =>
    of.store.readForRequest(id, null).then(({ hint }) => hint !== true);

  it('stands for a reading, until another process has marked: then it is looked at (E2)', async () => {
    const other = await commands.open(stockItem);
    await request(parts, 'pen');
    expect(await reads(parts, 'pen')).toBe(false);
    expect(await reads(other, 'pen')).toBe(true);
    await request(other, 'pen', 'Taken');
    expect(await request(parts, 'pen')).toMatchObject({ kind: 'accepted', version: 3 });
    await parts.drain();
    expect((await parts.queries.state('pen')).state.left).toBe(1);
  });

  it('refuses nothing: a rule that would refuse is asked again about what is there (E2)', async () => {
    const other = await commands.open(stockItem);
    await request(parts, 'pen');
    await request(parts, 'pen', 'Taken');
    await request(other, 'pen');
    expect(await request(parts, 'pen', 'Taken')).toMatchObject({ kind: 'accepted', version: 4 });
    await request(other, 'pen', 'Closed');
    expect(await request(parts, 'pen')).toMatchObject({ kind: 'refused', rule: 'open' });
  });

  it('is not believed when the marker of the same version is another event (E4)', async () => {
    await request(parts, 'pen');
    await parts.drain();
    await request(parts, 'pen', 'Added', { data: { quantity: 10 } });
    await request(parts, 'pen', 'Added', { data: { quantity: 1 } });
    // The ten are lost: what came after them becomes version 2, and what is asked next version 3, with other contents than remembered.
    await commands.pool.query('DELETE FROM command_outbox WHERE version = 2');
    const other = await commands.open(stockItem);
    await other.drain();
    await request(other, 'pen', 'Taken');
    expect(await request(parts, 'pen', 'Taken', { data: { quantity: 5 } })).toMatchObject({
      kind: 'refused',
      reason: 'only 1 are left',
    });
  });

  it('says nothing of a key that has an answer: it is given again (E5)', async () => {
    const first = await request(parts, 'pen', 'Added', { idempotencyKey: 'k' });
    expect(await request(parts, 'pen', 'Added', { idempotencyKey: 'k' })).toEqual({
      ...first,
      repeated: true,
    });
    expect((await produced()).ids).toEqual(['pen']);
  });
});
