import {
  anyAggregate,
  CommandConflictError,
  CommandInvalidError,
  IdempotencyConflictError,
  StreamBehindError,
  UnknownAggregateTypeError,
  type CommandRequest,
  type RequestAnswer,
} from '@imart/event-service';
import { stockItem, type StockEvents, type StockState } from '@imart/testing';
import { createCommandDatabase, type CommandDatabase, type CommandParts } from '../testing/commandDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';

let server: TestServer;
let commands: CommandDatabase;
let parts: CommandParts<StockState, StockEvents>;

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
  parts = await commands.open(stockItem);
});
afterEach(() => {
  expect(commands.pool.idleCount).toBe(commands.pool.totalCount);
});

const request = (
  name: keyof StockEvents,
  data: unknown = {},
  more: Partial<CommandRequest> = {},
): Promise<RequestAnswer> => parts.service.request({ type: 'stock-item', id: 'pen', name, data, ...more });

const count = async (table: string): Promise<number> =>
  Number((await commands.pool.query(`SELECT count(*) FROM ${table}`)).rows[0].count);

const nothingIsWritten = async (): Promise<void> => {
  for (const table of ['command_markers', 'command_outbox', 'command_answers', 'event_log']) {
    expect([table, await count(table)]).toEqual([table, 0]);
  }
};

describe('request', () => {
  it('answers with the event id and the position when marker and message are committed, before anything is applied', async () => {
    const answer = await request('Added', { quantity: 3 });
    expect(answer).toEqual({ kind: 'accepted', eventId: expect.any(String), version: 1, repeated: false });
    expect([await count('command_markers'), await count('command_outbox'), await count('event_log')]).toEqual(
      [1, 1, 0],
    );
    await parts.drain();
    expect([await count('command_outbox'), await count('event_log')]).toEqual([0, 1]);
    expect(await parts.queries.state('pen')).toMatchObject({ state: { left: 3 }, version: 1, stopped: null });
  });

  it('validates against the latest accepted event, though it is not in the log yet, and says which rule refuses', async () => {
    await request('Added', { quantity: 3 });
    await request('Taken', { quantity: 2 });
    expect(await request('Taken', { quantity: 2 })).toEqual({
      kind: 'refused',
      rule: 'enough-left',
      reason: 'only 1 are left',
      repeated: false,
    });
    await request('Closed');
    expect(await request('Added', { quantity: 1 })).toMatchObject({ kind: 'refused', rule: 'open' });
    expect(await count('command_outbox')).toBe(3);
  });

  it('refuses a version that is not the expected one', async () => {
    expect(await request('Added', { quantity: 1 }, { expectedVersion: 0 })).toMatchObject({
      kind: 'accepted',
    });
    expect(await request('Added', { quantity: 1 }, { expectedVersion: 0 })).toMatchObject({
      kind: 'refused',
      rule: 'expected-version',
    });
    expect(await request('Added', { quantity: 1 }, { expectedVersion: 1 })).toMatchObject({ version: 2 });
  });

  it('refuses an unknown type, an unknown event and data of another form, and writes nothing', async () => {
    await expect(request('Added', { quantity: 1 }, { type: 'nothing' })).rejects.toThrow(
      UnknownAggregateTypeError,
    );
    await expect(request('constructor' as 'Added')).rejects.toThrow(CommandInvalidError);
    await expect(request('Added', { quantity: 0 })).rejects.toMatchObject({
      problems: [expect.stringMatching(/^data\.quantity: /)],
    });
    for (const id of ['', 'a\0b', '\ud800', 'x'.repeat(257)]) {
      await expect(request('Added', { quantity: 1 }, { id })).rejects.toThrow(CommandInvalidError);
    }
    for (const bad of [{ actor: 'a\0' }, { idempotencyKey: '' }, { correlationId: '\udc00' }]) {
      await expect(request('Added', { quantity: 1 }, bad)).rejects.toThrow(CommandInvalidError);
    }
    await nothingIsWritten();
  });

  it('marks and produces in one statement: neither exists without the other (E1)', async () => {
    // Whatever fails in the statement, the last part of it too, leaves nothing behind.
    await commands.pool.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'on purpose'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON command_outbox FOR EACH ROW EXECUTE FUNCTION refuse()`);
    try {
      await expect(request('Added', { quantity: 1 }, { idempotencyKey: 'k' })).rejects.toThrow('on purpose');
      await nothingIsWritten();
    } finally {
      await commands.pool.query('DROP FUNCTION refuse CASCADE');
    }
  });

  it('lets one of many win each version: no decision is made on an event that was overtaken (E2)', async () => {
    await request('Added', { quantity: 100 });
    // Each has a line of its own, as processes have.
    const services = await Promise.all(
      Array.from({ length: 8 }, async () => (await commands.open(stockItem)).service),
    );
    const answers = await Promise.all(
      Array.from({ length: 150 }, (_, i) => {
        const data = { quantity: 1, by: `b${i % 7}` };
        return (services[i % 8] as (typeof services)[number]).request({
          type: 'stock-item',
          id: 'pen',
          name: 'Taken',
          data,
        });
      }),
    );
    const accepted = answers.flatMap((answer) => (answer.kind === 'accepted' ? [answer.version] : []));
    expect(accepted.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 2));
    await parts.drain();
    expect((await parts.queries.state('pen')).state.left).toBe(0);
  });

  it('marks nothing when another was marked while it waited, though that one is out of the outbox already (E2)', async () => {
    await request('Added', { quantity: 1 });
    const { rows } = await commands.pool.query(
      `SELECT encode(event_id, 'hex') AS id, data, name FROM command_markers`,
    );
    const other = await commands.pool.connect();
    await other.query('BEGIN; UPDATE command_markers SET version = 2');
    const marking = parts.store.mark({
      aggregateId: 'pen',
      validatedVersion: 1,
      validatedEventId: null,
      expectedVersion: null,
      event: { version: 2, eventId: rows[0].id, name: rows[0].name, data: rows[0].data },
      actor: '',
      idempotency: null,
      personKey: null,
    });
    for (;;) if ((await parts.store.backlog()).blockingPids.length > 0) break;
    await other.query('COMMIT');
    other.release();
    expect(await marking).toBe('moved');
    expect(await count('command_outbox')).toBe(1);
  });

  it('gives up after a bound of attempts (E2)', async () => {
    const busy = await commands.open(stockItem, {
      service: {
        markAttemptsMax: 3,
        stores: new Map([
          [
            'stock-item',
            {
              definition: anyAggregate(stockItem),
              store: { ...parts.store, mark: async () => 'moved' as const },
            },
          ],
        ]),
      },
    });
    await expect(
      busy.service.request({ type: 'stock-item', id: 'pen', name: 'Added', data: { quantity: 1 } }),
    ).rejects.toThrow(CommandConflictError);
  });

  it('does not believe a marker that is behind the log or the outbox (E2)', async () => {
    await request('Added', { quantity: 5 });
    await parts.drain();
    await request('Taken', { quantity: 1 });
    await commands.pool.query('DELETE FROM command_markers');
    expect(await request('Taken', { quantity: 4 })).toMatchObject({ version: 3 });
    await parts.drain();
    await commands.pool.query('DELETE FROM command_markers');
    expect(await request('Taken', { quantity: 1 })).toMatchObject({ kind: 'refused', rule: 'enough-left' });
    // One that was put back to an older event.
    await commands.pool.query(
      `INSERT INTO command_markers SELECT subject, aggregate_id, version, tx_hash, name, data, time_us, now() FROM event_log WHERE version = 1`,
    );
    await expect(request('Taken', { quantity: 1 }, { id: 'pen' })).rejects.toThrow(CommandConflictError);
    await commands.pool.query(`UPDATE command_markers SET marked_at = '2020-01-01'`);
    expect(await request('Added', { quantity: 1 })).toMatchObject({ version: 4 });
  });
});

describe('markers', () => {
  beforeEach(async () => {
    parts = await commands.open(stockItem, { commands: { markerTtlMs: 1000, keptMs: 1000 } });
  });
  const age = (): Promise<unknown> =>
    commands.pool.query(`UPDATE command_markers SET marked_at = marked_at - interval '1 hour'`);

  it('stay while their message waits, however old (E3)', async () => {
    await request('Added', { quantity: 1 });
    await age();
    expect(await parts.store.sweep()).toBe(0);
    expect(await request('Taken', { quantity: 1 })).toMatchObject({ version: 2 });
    expect(await request('Taken', { quantity: 1 })).toMatchObject({ rule: 'enough-left' });
  });

  it('are over some time after: then the log tells the latest event (E3)', async () => {
    await request('Added', { quantity: 1 });
    await parts.drain();
    await age();
    expect(await parts.store.sweep()).toBe(1);
    expect(await count('command_markers')).toBe(0);
    expect(await request('Taken', { quantity: 1 })).toMatchObject({ version: 2 });
    expect(await request('Taken', { quantity: 1 })).toMatchObject({ rule: 'enough-left' });
  });

  it('take no new commands while the stream is behind (E3)', async () => {
    const strict = await commands.open(stockItem, { service: { lagMaxMs: 500 } });
    await request('Added', { quantity: 1 });
    await commands.pool.query('UPDATE command_outbox SET time_us = time_us - 1000000');
    const late = strict.service.request({
      type: 'stock-item',
      id: 'other',
      name: 'Added',
      data: { quantity: 1 },
    });
    await expect(late).rejects.toThrow(StreamBehindError);
    expect(await count('command_markers')).toBe(1);
    await parts.drain();
    expect(
      await strict.service.request({ type: 'stock-item', id: 'other', name: 'Added', data: { quantity: 1 } }),
    ).toMatchObject({ kind: 'accepted' });
  });

  it('let time rise with the version, by the database alone (E26)', async () => {
    await request('Added', { quantity: 1 });
    await commands.pool.query('UPDATE command_markers SET time_us = time_us + 3600000000');
    await request('Added', { quantity: 1 });
    await parts.drain();
    const { events } = await parts.queries.events('pen');
    expect(events[1]?.timeUs).toBeGreaterThan((events[0]?.timeUs ?? 0n) + 3_599_000_000n);
  });
});

describe('commands that do not continue the log', () => {
  const dropFirstMessage = (): Promise<unknown> =>
    commands.pool.query('DELETE FROM command_outbox WHERE id = (SELECT min(id) FROM command_outbox)');

  it('are validated anew and keep their order; what a rule refuses then is told under its position (E4)', async () => {
    await request('Added', { quantity: 3 });
    await parts.drain();
    await request('Added', { quantity: 10 }); // Version 2, lost below.
    const first = await request('Taken', { quantity: 2 });
    const second = await request('Taken', { quantity: 2 });
    const third = await request('Taken', { quantity: 1 });
    await dropFirstMessage();
    await parts.drain();
    expect(parts.worker.stats).toMatchObject({ rejectedCommands: 1, revalidatedCommands: 2 });
    const { events } = await parts.queries.events('pen');
    expect(events.map(({ version, eventId, data }) => [version, eventId, data.left])).toEqual([
      [1, expect.any(String), 3],
      [2, first.kind === 'accepted' && first.eventId, 1],
      [3, third.kind === 'accepted' && third.eventId, 0],
    ]);
    expect(second).toMatchObject({ kind: 'accepted', version: 4 });
    expect(await parts.service.waitFor('stock-item', 'pen', 4, { timeoutMs: 10_000 })).toEqual({
      kind: 'rejected',
      rule: 'enough-left',
      reason: 'only 1 are left',
    });
    // The marker is that of the last event.
    expect(await request('Taken', { quantity: 1 })).toMatchObject({
      rule: 'enough-left',
      reason: 'only 0 are left',
    });
    expect(await request('Added', { quantity: 1 })).toMatchObject({ version: 4 });
  });

  it('are rejected when they demanded another version (E4)', async () => {
    await request('Added', { quantity: 3 });
    await request('Added', { quantity: 3 }, { expectedVersion: 1 });
    await dropFirstMessage();
    await parts.drain();
    expect(await count('event_log')).toBe(0);
    expect(await count('command_markers')).toBe(0);
    expect(await parts.service.waitFor('stock-item', 'pen', 2, { timeoutMs: 10_000 })).toMatchObject({
      kind: 'rejected',
      rule: 'expected-version',
    });
    expect(await request('Added', { quantity: 1 })).toMatchObject({ version: 1 });
  });

  it('do not hold up those of other aggregates (E13)', async () => {
    await request('Added', { quantity: 3 });
    await request('Added', { quantity: 3 });
    await request('Added', { quantity: 1 }, { id: 'other' });
    await dropFirstMessage();
    expect(await parts.store.append(100)).toEqual({ events: 1, conflicts: ['pen'], more: false });
  });
});

describe('idempotency keys', () => {
  const idempotencyKey = 'once';

  it('give the first answer again (E5)', async () => {
    const first = await request('Added', { quantity: 3 }, { idempotencyKey });
    await parts.drain();
    expect(await request('Added', { quantity: 3 }, { idempotencyKey })).toEqual({ ...first, repeated: true });
    expect(await request('Added', { quantity: 3 }, { idempotencyKey, correlationId: 'c' })).toMatchObject({
      repeated: true,
    });
    await parts.drain();
    expect(await count('event_log')).toBe(1);
  });

  it('give a refusal again, though the rule would allow it now (E5)', async () => {
    const first = await request('Taken', { quantity: 1 }, { idempotencyKey });
    expect(first).toMatchObject({ kind: 'refused', rule: 'enough-left', repeated: false });
    await request('Added', { quantity: 1 });
    expect(await request('Taken', { quantity: 1 }, { idempotencyKey })).toEqual({ ...first, repeated: true });
  });

  it('are refused with another body, and are each asker’s own (E5)', async () => {
    await request('Added', { quantity: 3 }, { idempotencyKey });
    await expect(request('Added', { quantity: 4 }, { idempotencyKey })).rejects.toThrow(
      IdempotencyConflictError,
    );
    await expect(request('Added', { quantity: 3 }, { idempotencyKey, id: 'other' })).rejects.toThrow(
      IdempotencyConflictError,
    );
    await expect(request('Added', { quantity: 3 }, { idempotencyKey, expectedVersion: 0 })).rejects.toThrow(
      IdempotencyConflictError,
    );
    expect(await request('Added', { quantity: 4 }, { idempotencyKey, actor: 'somebody' })).toMatchObject({
      version: 2,
    });
    expect(await count('command_outbox')).toBe(2);
  });

  it('lead to one event, whoever asks at the same moment (E5)', async () => {
    await request('Added', { quantity: 1 });
    const services = await Promise.all(
      Array.from({ length: 6 }, async () => (await commands.open(stockItem)).service),
    );
    const asked = { type: 'stock-item', id: 'pen', name: 'Added', data: { quantity: 3 }, idempotencyKey };
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => (services[i % 6] as (typeof services)[number]).request(asked)),
    );
    expect(new Set(answers.map((answer) => answer.kind === 'accepted' && answer.eventId)).size).toBe(1);
    expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
    expect(await count('command_outbox')).toBe(2);
    expect(await count('command_answers')).toBe(1);
  });

  it('have one answer when one asks for what is refused while another is accepted (E5)', async () => {
    await request('Added', { quantity: 1 });
    // All take the last one: one key wins, its repetitions say so.
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, i) =>
        request('Taken', { quantity: 1 }, { idempotencyKey: `k${i % 3}` }),
      ),
    );
    for (let key = 0; key < 3; key++) {
      const kinds = new Set(answers.filter((_, i) => i % 3 === key).map(({ kind }) => kind));
      expect(kinds.size).toBe(1);
    }
    expect(await count('command_outbox')).toBe(2);
    expect(await count('command_answers')).toBe(3);
  });

  it('are forgotten after some time', async () => {
    await request('Added', { quantity: 3 }, { idempotencyKey });
    await parts.drain();
    await commands.pool.query(`UPDATE command_answers SET answered_at = '2020-01-01'`);
    expect(await parts.store.sweep()).toBe(1);
    expect(await request('Added', { quantity: 3 }, { idempotencyKey })).toMatchObject({
      version: 2,
      repeated: false,
    });
  });
});

describe('waitFor', () => {
  it('returns once the event is executed, so that one’s own write is read', async () => {
    const stop = new AbortController();
    const running = parts.worker.run(stop.signal);
    const { version } = (await request('Added', { quantity: 3 })) as { version: number };
    const fate = await parts.service.waitFor('stock-item', 'pen', version, { timeoutMs: 60_000 });
    expect(fate).toMatchObject({ kind: 'executed', seqNo: 1n });
    expect((await parts.queries.state('pen')).state.left).toBe(3);
    stop.abort();
    await running;
  });

  it('is bounded, and knows what was never accepted', async () => {
    await request('Added', { quantity: 3 });
    expect(await parts.service.waitFor('stock-item', 'pen', 1, { timeoutMs: 20 })).toEqual({
      kind: 'pending',
    });
    expect(await parts.service.waitFor('stock-item', 'pen', 2, { timeoutMs: 10_000 })).toEqual({
      kind: 'unknown',
    });
    const over = new AbortController();
    over.abort();
    expect(
      await parts.service.waitFor('stock-item', 'pen', 1, { timeoutMs: 60_000, signal: over.signal }),
    ).toEqual({ kind: 'pending' });
  });
});

it('tells what waits, and who is in the way (E25)', async () => {
  await request('Added', { quantity: 3 });
  expect(await parts.store.backlog()).toMatchObject({ pending: 1, parkedAggregates: 0, blockingPids: [] });
  const blocker = await commands.pool.connect();
  await blocker.query('BEGIN; SELECT id FROM subjects FOR UPDATE');
  const { rows } = await blocker.query('SELECT pg_backend_pid() AS pid');
  const appending = parts.store.append(10);
  for (;;) {
    const { blockingPids, oldestPendingMs } = await parts.store.backlog();
    expect(oldestPendingMs).toBeGreaterThan(0);
    if (blockingPids.length === 0) continue;
    expect(blockingPids).toEqual([rows[0].pid]);
    break;
  }
  await blocker.query('ROLLBACK');
  blocker.release();
  expect(await appending).toMatchObject({ events: 1 });
});
