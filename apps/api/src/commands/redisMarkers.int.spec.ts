import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import {
  anyAggregate,
  ARCHIVED,
  createArchiver,
  createPersonalData,
  defineAggregate,
  type Archiver,
  type CommandRequest,
  type CommandStore,
  type MarkRequest,
  type Markers,
  type RequestAnswer,
} from '@imart/event-service';
import { silentLogger } from '@imart/runtime';
import { forgetPerson } from '@imart/storage';
import type { RedisMarkers } from '@imart/stream';
import { stockItem, until, type StockEvents, type StockState } from '@imart/testing';
import { z } from 'zod';
import {
  createCommandDatabase,
  type CommandDatabase,
  type CommandParts,
} from '../../../../libs/storage/src/testing/commandDatabase';
import { startTestServer, type TestServer } from '../../../../libs/storage/src/testing/testDatabase';
import { describeWithRedis } from '../../../../libs/stream/src/testing/describeWithRedis';
import { openTestRedis, type TestRedisDatabase } from '../../../../libs/stream/src/testing/redisDatabase';
import { openMarkers, withMarkers } from '../testing/markerParts';

type Parts = CommandParts<StockState, StockEvents>;

describeWithRedis('markers in Redis', () => {
  let server: TestServer;
  let commands: CommandDatabase;
  let redis: TestRedisDatabase;
  let client: Redis;
  let kept: RedisMarkers;
  let markers: Markers;
  let parts: Parts;

  beforeAll(async () => {
    server = await startTestServer();
    commands = await createCommandDatabase(server);
    redis = await openTestRedis();
    client = new Redis(redis.url);
    kept = await openMarkers(redis.url);
    markers = kept.of('stock-item');
  });
  afterAll(async () => {
    kept?.close();
    client?.disconnect();
    await redis?.stop();
    await commands?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    await commands.clear();
    await redis.clear();
    parts = await open();
  });

  const open = (its: Markers = markers): Promise<Parts> =>
    commands.open(stockItem, { store: (opened) => withMarkers(opened, its) });

  const request = (
    name: keyof StockEvents,
    data: unknown = {},
    more: Partial<CommandRequest> = {},
    by: Parts = parts,
  ): Promise<RequestAnswer> => by.service.request({ type: 'stock-item', id: 'pen', name, data, ...more });

  const count = async (table: string): Promise<number> =>
    Number((await commands.pool.query(`SELECT count(*) FROM ${table}`)).rows[0].count);

  const versionsInLog = async (id = 'pen'): Promise<readonly number[]> =>
    (await parts.queries.events(id)).events.map(({ version }) => version);

  /** As the process that asked would have written it: what the next one finds when that died before its message. */
  const asked = (validated: { version: number; eventId: string } | null, key: string | null): MarkRequest => {
    const version = (validated?.version ?? 0) + 1;
    const eventId = randomUUID() as MarkRequest['event']['eventId'];
    return {
      aggregateId: 'pen',
      validatedVersion: version - 1,
      validatedEventId: (validated?.eventId ?? null) as MarkRequest['validatedEventId'],
      expectedVersion: null,
      event: {
        version,
        eventId,
        name: 'Added',
        data: JSON.stringify([version, 1, eventId, null, { quantity: 5, left: 5 }]),
      },
      actor: '',
      idempotency:
        key === null
          ? null
          : {
              actor: '',
              key,
              bodyHash: '00'.repeat(16),
              answer: { kind: 'accepted', eventId, version },
            },
      personKey: null,
    };
  };

  it('are there alone: the message is in the database, and what is validated next is what Redis has', async () => {
    expect(await request('Added', { quantity: 3 })).toMatchObject({ kind: 'accepted', version: 1 });
    expect(await request('Taken', { quantity: 2 })).toMatchObject({ kind: 'accepted', version: 2 });
    expect(await request('Taken', { quantity: 2 })).toMatchObject({ kind: 'refused', rule: 'enough-left' });
    expect([await count('command_markers'), await count('command_outbox')]).toEqual([0, 2]);
    expect(await markers.read('pen')).toMatchObject({ event: { version: 2, name: 'Taken' }, pending: null });
    await parts.drain();
    expect(await parts.queries.state('pen')).toMatchObject({ state: { left: 1 }, version: 2, stopped: null });
    expect(await request('Taken', { quantity: 1 }, { expectedVersion: 2 })).toMatchObject({ version: 3 });
  });

  /** 90 ask for one each of 60, by several processes at once, while one appends. */
  const takeAll = async (processes: readonly Parts[]): Promise<readonly RequestAnswer[]> => {
    await request('Added', { quantity: 60 });
    const over = new AbortController();
    const working = parts.worker.run(over.signal);
    const answers = await Promise.all(
      Array.from({ length: 90 }, (_, i) =>
        request('Taken', { quantity: 1 }, {}, processes[i % processes.length]),
      ),
    );
    over.abort();
    await working;
    await parts.drain();
    expect((await parts.queries.state('pen')).state.left).toBe(0);
    expect(await versionsInLog()).toEqual(Array.from({ length: 61 }, (_, i) => i + 1));
    return answers;
  };

  it('let one of many win each version: no decision is made on an event that was overtaken (E2)', async () => {
    const answers = await takeAll(await Promise.all(Array.from({ length: 6 }, () => open())));
    const accepted = answers.flatMap((answer) => (answer.kind === 'accepted' ? [answer.version] : []));
    expect(accepted.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i + 2));
    expect(parts.worker.stats.revalidatedCommands + parts.worker.stats.rejectedCommands).toBe(0);
  });

  it('and markers in the database, of processes side by side: every accepted command is in the log, or rejected under its position (E4)', async () => {
    const answers = await takeAll([
      ...(await Promise.all(Array.from({ length: 3 }, () => open()))),
      ...(await Promise.all(Array.from({ length: 3 }, () => commands.open(stockItem)))),
    ]);
    const accepted = answers.flatMap((answer) => (answer.kind === 'accepted' ? [answer.eventId] : []));
    const { rows } = await commands.pool.query(
      `SELECT tx_hash AS id FROM event_log WHERE version > 1 UNION ALL SELECT event_id FROM rejected_commands`,
    );
    const ended = (rows as { id: Buffer }[]).map(({ id }) => id.toString('hex'));
    expect(ended.sort()).toEqual(accepted.map((id) => id.replaceAll('-', '')).sort());
  });

  it('whose process died before the message hold the whole command: whoever asks next writes it first (E1)', async () => {
    const dead = asked(null, 'k');
    expect(await markers.place(dead)).toBe(true);
    expect(await request('Taken', { quantity: 2 })).toMatchObject({ kind: 'accepted', version: 2 });
    await parts.drain();
    expect(await versionsInLog()).toEqual([1, 2]);
    expect((await parts.queries.state('pen')).state.left).toBe(3);
    const { rows } = await commands.pool.query('SELECT answer FROM command_answers');
    expect(rows).toEqual([{ answer: JSON.stringify(dead.idempotency?.answer) }]);
  });

  it('whose process died are mended by the sweep, though nobody asks again (E1)', async () => {
    const dead = asked(null, null);
    await markers.place(dead);
    await until(async () => (await markers.overdue(20, 10)).length === 1);
    await parts.store.sweep();
    expect([await count('command_outbox'), await markers.overdue(0, 10)]).toEqual([1, []]);
    expect(await markers.read('pen')).toMatchObject({
      event: { eventId: dead.event.eventId },
      pending: null,
    });
    await parts.store.sweep();
    await parts.drain();
    expect(await versionsInLog()).toEqual([1]);
  });

  it('whose process died after the message lead to no second one (E1)', async () => {
    const silent = await open({ ...markers, settle: () => new Promise(() => undefined) });
    void request('Added', { quantity: 3 }, { idempotencyKey: 'k' }, silent);
    await until(async () => (await count('command_outbox')) === 1);
    expect((await markers.read('pen'))?.pending).not.toBeNull();
    await parts.drain();
    expect(await request('Added', { quantity: 3 }, { idempotencyKey: 'k' })).toMatchObject({
      version: 1,
      repeated: true,
    });
    expect(await request('Taken', { quantity: 3 })).toMatchObject({ version: 2 });
    await parts.drain();
    expect(await versionsInLog()).toEqual([1, 2]);
  });

  it('are undone by whoever set them when the message cannot be written: nothing is marked (E1)', async () => {
    await request('Added', { quantity: 3 });
    await commands.pool.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'on purpose'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON command_outbox FOR EACH ROW EXECUTE FUNCTION refuse()`);
    try {
      await expect(request('Added', { quantity: 1 }, { idempotencyKey: 'k' })).rejects.toThrow('on purpose');
    } finally {
      await commands.pool.query('DROP FUNCTION refuse CASCADE');
    }
    expect([await markers.read('pen'), await count('command_answers')]).toEqual([null, 0]);
    expect(await request('Taken', { quantity: 3 })).toMatchObject({ version: 2 });
  });

  it('that are over while their message waits are found in the outbox, later in the log (E3)', async () => {
    const short = await openMarkers(redis.url, { ttlMs: 20, database: 'short' });
    const process = await open(short.of('stock-item'));
    await request('Added', { quantity: 3 }, {}, process);
    const gone = async (): Promise<boolean> => (await short.of('stock-item').read('pen')) === null;
    await until(gone);
    expect(await request('Taken', { quantity: 2 }, {}, process)).toMatchObject({ version: 2 });
    await parts.drain();
    await until(gone);
    expect(await request('Taken', { quantity: 2 }, {}, process)).toMatchObject({ rule: 'enough-left' });
    short.close();
  });

  it('that are evicted at any moment cost a look into the database, and nothing else (E22)', async () => {
    await request('Added', { quantity: 40 });
    const processes = await Promise.all(Array.from({ length: 3 }, () => open()));
    let running = true;
    const evicting = (async () => {
      while (running) {
        const keys = await client.keys('imart:marker:spec:stock-item:of:*');
        if (keys.length > 0) await client.del(keys);
      }
    })();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => request('Taken', { quantity: 1 }, {}, processes[i % 3])),
    );
    running = false;
    await evicting;
    expect(answers.filter(({ kind }) => kind === 'accepted')).toHaveLength(40);
    await parts.drain();
    expect(await versionsInLog()).toEqual(Array.from({ length: 41 }, (_, i) => i + 1));
  });

  it('that come back old, with their Redis, neither refuse nor accept anything (E24)', async () => {
    const key = 'imart:marker:spec:stock-item:of:pen';
    await request('Added', { quantity: 1 });
    const old = await client.dumpBuffer(key);
    await request('Taken', { quantity: 1 });
    const empty = await client.dumpBuffer(key);
    const bringBack = (copy: Buffer | null): Promise<unknown> =>
      client.restore(key, 0, copy ?? '', 'REPLACE');
    await bringBack(old);
    expect(await request('Taken', { quantity: 1 })).toMatchObject({ kind: 'refused', rule: 'enough-left' });
    await request('Added', { quantity: 1 });
    await bringBack(empty);
    expect(await request('Taken', { quantity: 1 })).toMatchObject({ kind: 'accepted', version: 4 });
    await parts.drain();
    await bringBack(old);
    expect(await request('Added', { quantity: 1 })).toMatchObject({ version: 5 });
    // Of another history: further than the log is.
    await commands.clear();
    parts = await open();
    expect(await request('Taken', { quantity: 1 })).toMatchObject({ kind: 'refused', rule: 'enough-left' });
    await bringBack(empty);
    expect(await request('Added', { quantity: 1 })).toMatchObject({ kind: 'accepted', version: 1 });
  });

  it('that come back as they were while their message was written write it no second time (E1, E24)', async () => {
    const dead = asked(null, null);
    await markers.place(dead);
    const copy = (await client.dumpBuffer('imart:marker:spec:stock-item:of:pen')) as Buffer;
    expect(await request('Taken', { quantity: 1 })).toMatchObject({ version: 2 });
    await parts.drain();
    await client.restore('imart:marker:spec:stock-item:of:pen', 0, copy, 'REPLACE');
    expect(await request('Taken', { quantity: 1 })).toMatchObject({ version: 3 });
    await parts.drain();
    expect(await versionsInLog()).toEqual([1, 2, 3]);
  });

  it('of what is archived at the same moment lead to no message: whichever is first, the other sees it', async () => {
    const finished = defineAggregate<StockState, StockEvents>({
      ...stockItem,
      archive: { isFinished: () => true, afterMs: 0 },
    });
    const archiver = (): Archiver =>
      createArchiver({
        definition: anyAggregate(finished),
        store: parts.archive,
        reads: parts.reads,
        logger: silentLogger,
        random: () => 0.01,
      });
    const never = new AbortController().signal;
    const holder = await commands.createPool({ max: 1 }).connect();
    const waiting = async (): Promise<number> =>
      (
        await holder.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        )
      ).rowCount ?? 0;
    await request('Added', { quantity: 1 });
    await parts.drain();

    // The message is about to be written: the archive waits, and finds it.
    await holder.query('BEGIN; LOCK TABLE command_outbox IN EXCLUSIVE MODE');
    const first = request('Added', { quantity: 1 });
    await until(async () => (await waiting()) === 1);
    const tooLate = archiver().pass(never);
    await until(async () => (await waiting()) === 2);
    await holder.query('COMMIT');
    expect([await first, await tooLate]).toMatchObject([{ kind: 'accepted', version: 2 }, 0]);
    await parts.drain();

    // It is about to be archived: the message waits, and is none.
    await holder.query('BEGIN; LOCK TABLE archived_aggregates IN EXCLUSIVE MODE');
    const archiving = archiver().pass(never);
    await until(async () => (await waiting()) === 1);
    const second = request('Added', { quantity: 1 });
    await until(async () => (await waiting()) === 2);
    await holder.query('COMMIT');
    holder.release();
    expect([await archiving, await second]).toMatchObject([1, { kind: 'refused', rule: ARCHIVED }]);
    expect(await count('command_outbox')).toBe(0);
  });

  it('have no data of persons that anybody can read, and none at all once they are forgotten', async () => {
    const personalData = createPersonalData(Buffer.alloc(32, 7));
    const guest = defineAggregate<{ readonly names: readonly string[] }, { Came: { name: string } }>({
      type: 'guest',
      events: {
        Came: { schema: z.object({ name: z.string() }), personal: { person: () => 'ann', fields: ['name'] } },
      },
      rules: [
        {
          name: 'once',
          refuses: (now, marked) => (now.data.name === marked?.data.name ? `${now.data.name} is here` : null),
        },
      ],
      reducer: {
        version: 1,
        initial: () => ({ names: [] }),
        fold: ({ names }, { data }) => ({ names: [...names, data.name] }),
      },
    });
    const party = await commands.open(guest, {
      commands: { personalData },
      store: (opened) => withMarkers(opened, kept.of('guest')),
    });
    const came = (name: string): Promise<RequestAnswer> =>
      party.service.request({ type: 'guest', id: 'p', name: 'Came', data: { name } });
    await came('Ann Example');
    const [key] = await client.keys('imart:marker:spec:guest:of:*');
    const { rows } = await commands.pool.query(`SELECT encode(sealed_key, 'hex') AS key FROM person_keys`);
    const inRedis = JSON.stringify(await client.hgetall(key as string));
    for (const secret of ['Ann', rows[0].key as string]) expect(inRedis).not.toContain(secret);
    expect(await came('Ann Example')).toMatchObject({ kind: 'refused', reason: 'Ann Example is here' });
    await forgetPerson(commands.pool, 'ann', { actedBy: 'spec', reason: null });
    expect(await came('Ann Example')).toMatchObject({ kind: 'accepted', version: 2 });
  });

  it('keep one command from being written by two: the answer of the first is given again (E5)', async () => {
    const processes: Parts[] = await Promise.all(Array.from({ length: 4 }, () => open()));
    const answers = await Promise.all(
      processes.flatMap((by) =>
        [0, 1].map(() => request('Added', { quantity: 1 }, { idempotencyKey: 'k' }, by)),
      ),
    );
    expect(new Set(answers.map((answer) => answer.kind === 'accepted' && answer.eventId)).size).toBe(1);
    expect(await count('command_outbox')).toBe(1);
    const store: CommandStore = parts.store;
    expect((await store.readForRequest('pen', { actor: '', key: 'k' }, true)).kept).not.toBeNull();
  });
});
