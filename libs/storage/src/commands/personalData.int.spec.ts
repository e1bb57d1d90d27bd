import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  anyAggregate,
  createPersonalData,
  defineAggregate,
  followTopic,
  noSnapshot,
  onRead,
  PersonalDataKeyError,
  storedEvent,
  UNREADABLE,
  type RequestAnswer,
} from '@imart/event-service';
import { until } from '@imart/testing';
import { CONTENT_INTACT } from '../subject/eventLog';
import { createCommandDatabase, type CommandDatabase, type CommandParts } from '../testing/commandDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { forgetPerson } from './personKeys';

type MemberEvents = {
  readonly Joined: {
    readonly account: string;
    readonly name: string;
    readonly mail?: string | null | undefined;
    readonly fee: number;
  };
  readonly Paid: { readonly fee: number };
};
interface MemberState {
  readonly name: string;
  readonly mail: string | null;
  readonly paid: number;
}

const fee = z.number().int();
const member = defineAggregate<MemberState, MemberEvents>({
  type: 'member',
  events: {
    Joined: {
      schema: z.object({ account: z.string(), name: z.string(), mail: z.string().nullish(), fee }),
      personal: { person: ({ account }) => account, fields: ['name', 'mail'] },
    },
    Paid: { schema: z.object({ fee }) },
  },
  rules: [],
  reducer: {
    version: 1,
    initial: () => ({ name: '', mail: null, paid: 0 }),
    fold: (state, event) =>
      event.name === 'Joined'
        ? { name: event.data.name, mail: event.data.mail ?? null, paid: state.paid + event.data.fee }
        : { ...state, paid: state.paid + event.data.fee },
  },
  snapshots: noSnapshot,
});

const personalData = createPersonalData(randomBytes(32));
const BY = { actedBy: 'ann', reason: 'ticket 7' };

let server: TestServer;
let commands: CommandDatabase;
let parts: CommandParts<MemberState, MemberEvents>;

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
  parts = await commands.open(member, { commands: { personalData } });
});

const request = (name: string, data: unknown, id = 'm1', more = {}): Promise<RequestAnswer> =>
  parts.service.request({ type: 'member', id, name, data, ...more });
const join = (account: string, name: string, id = 'm1', more = {}): Promise<RequestAnswer> =>
  request('Joined', { account, name, mail: `${name}@example.com`, fee: 1 }, id, more);

/** Everything that the database holds, as text. */
async function everything(): Promise<string> {
  const { rows } = await commands.pool.query(
    `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%migration%'`,
  );
  const texts = await Promise.all(
    (rows as { tablename: string }[]).map(async ({ tablename }) =>
      JSON.stringify((await commands.pool.query(`SELECT t::text FROM ${tablename} t`)).rows),
    ),
  );
  return texts.join('\n');
}

const count = async (table: string): Promise<number> =>
  Number((await commands.pool.query(`SELECT count(*) FROM ${table}`)).rows[0].count);

const namesInFeed = async (): Promise<readonly unknown[]> => {
  const over = new AbortController();
  const names: unknown[] = [];
  const topic = followTopic(
    {
      feed: parts.store.subject,
      from: { afterFeedNo: 0n, partSeqNo: null },
      wait: async () => over.abort(),
    },
    over.signal,
  );
  for await (const { event } of topic) names.push((storedEvent(event).data as { name?: string }).name);
  return names;
};

describe('personal data', () => {
  it('is in no table as it is, waiting, marked or in the log; with its key it is read as it was', async () => {
    await join('p1', 'Zelda', 'm1', { idempotencyKey: 'k' });
    await join('p2', 'Yorick', 'm2');
    expect(await everything()).not.toMatch(/Zelda|Yorick/);
    await parts.drain();
    await request('Paid', { fee: 4 });
    await parts.drain();
    expect(await everything()).not.toMatch(/Zelda|Yorick/);
    expect(await parts.queries.state('m1')).toMatchObject({
      state: { name: 'Zelda', mail: 'Zelda@example.com', paid: 5 },
      stopped: null,
    });
    expect(await join('p1', 'Zelda', 'm1', { idempotencyKey: 'k' })).toMatchObject({ repeated: true });
    expect(await namesInFeed()).toEqual(['Zelda', 'Yorick', undefined]);
  });

  it('of a person who is forgotten is unreadable in states, of now and before, events and feed; all else goes on, and hashes hold', async () => {
    await join('p1', 'Zelda');
    await join('p2', 'Yorick', 'm2');
    await parts.drain();
    expect(await forgetPerson(commands.pool, 'p1', BY)).toEqual({
      aggregates: [{ subjectId: 'commands:member', count: 1 }],
      snapshots: 0,
    });
    await request('Paid', { fee: 4 });
    await parts.drain();
    const { events } = await parts.queries.events('m1');
    expect(events.map(({ data }) => data)).toEqual([
      { account: 'p1', name: UNREADABLE, mail: UNREADABLE, fee: 1 },
      { fee: 4 },
    ]);
    const now = await parts.queries.state('m1');
    expect(now).toMatchObject({ state: { name: UNREADABLE, mail: UNREADABLE, paid: 5 }, stopped: null });
    expect(await parts.queries.state('m1')).toEqual(now);
    const first = events[0];
    if (first === undefined) throw new Error('there is an event');
    expect(await parts.queries.state('m1', { kind: 'seqNo', seqNo: first.seqNo })).toMatchObject({
      state: { name: UNREADABLE, paid: 1 },
    });
    expect(await namesInFeed()).toEqual([UNREADABLE, 'Yorick', undefined]);
    const { rows } = await commands.pool.query(`SELECT bool_and(${CONTENT_INTACT}) AS intact FROM event_log`);
    expect([rows, await count('park_markers')]).toEqual([[{ intact: true }], 0]);
  });

  it('is forgotten once, with who, when and why, and without the name; who comes back has another key', async () => {
    await join('p1', 'Zelda');
    await parts.drain();
    await forgetPerson(commands.pool, 'p1', BY);
    expect(await forgetPerson(commands.pool, 'p1', BY)).toBeNull();
    const { rows } = await commands.pool.query(
      'SELECT action, acted_by, reason, events, finished_at IS NOT NULL AS done FROM operator_actions',
    );
    expect(rows).toEqual([
      { action: 'forget', acted_by: 'ann', reason: 'ticket 7', events: '1', done: true },
    ]);
    expect([await count('person_keys'), await count('person_key_uses')]).toEqual([0, 0]);
    await join('p1', 'Zora');
    await parts.drain();
    expect(await namesInFeed()).toEqual([UNREADABLE, 'Zora']);
  });

  it('goes with the snapshots that held it, and comes back in none that was folded before (E8, E9)', async () => {
    parts = await commands.open(
      defineAggregate<MemberState, MemberEvents>({ ...member, snapshots: onRead }),
      { commands: { personalData } },
    );
    await join('p1', 'Zelda');
    await join('p2', 'Yorick', 'm2');
    await parts.drain();
    await parts.queries.state('m1');
    await parts.queries.state('m2');
    await until(async () => (await count('snapshots')) === 2);
    const folded = await parts.reads.readSnapshot('m1', { kind: 'latest' });
    if (folded === null) throw new Error('there is a snapshot');
    expect(await forgetPerson(commands.pool, 'p1', BY)).toMatchObject({ snapshots: 1 });
    await parts.reads.writeSnapshots([{ aggregateType: 'member', aggregateId: 'm1', state: folded }]);
    expect(await parts.queries.snapshot('m1')).toBeNull();
    expect(await parts.queries.snapshot('m2')).toMatchObject({ state: { name: 'Yorick' } });
    expect(await parts.queries.state('m1')).toMatchObject({ state: { name: UNREADABLE, paid: 1 } });
    await until(async () => (await count('snapshots')) === 2);
    expect(await everything()).not.toContain('Zelda');
  });

  it('is sealed with no key that is gone: a command that meets its deletion is marked with the next one', async () => {
    const old = await parts.store.personKey('p1');
    await forgetPerson(commands.pool, 'p1', BY);
    const mark = (personKey: typeof old): Promise<string> =>
      parts.store.mark({
        aggregateId: 'm1',
        validatedVersion: 0,
        validatedEventId: null,
        expectedVersion: null,
        event: {
          eventId: '00000000-0000-4000-8000-000000000001' as never,
          version: 1,
          name: 'Paid',
          data: '[]',
        },
        actor: '',
        idempotency: null,
        personKey,
      });
    expect([await mark(old), await count('command_outbox'), await count('command_markers')]).toEqual([
      'moved',
      0,
      0,
    ]);
    expect(await mark(await parts.store.personKey('p1'))).toBe('marked');
  });

  it('stays sealed when waiting commands are validated anew (E4)', async () => {
    await join('p1', 'Zelda');
    const resolution = await parts.store.resolveConflict('m1', (_last, waiting) => ({
      kept: waiting,
      rejected: [],
    }));
    expect(resolution.kept).toHaveLength(1);
    const { rows } = await commands.pool.query(
      'SELECT data FROM command_outbox UNION ALL SELECT data FROM command_markers',
    );
    expect(rows).toEqual([
      { data: expect.stringMatching(/^sealed:/) },
      { data: expect.stringMatching(/^sealed:/) },
    ]);
    await parts.drain();
    expect(await namesInFeed()).toEqual(['Zelda']);
  });

  it('is all there, or all gone, when forgetting is killed on its way; asked again, it is done', async () => {
    parts = await commands.open(
      defineAggregate<MemberState, MemberEvents>({ ...member, snapshots: onRead }),
      { commands: { personalData } },
    );
    await join('p1', 'Zelda');
    await parts.drain();
    await parts.queries.state('m1');
    await until(async () => (await count('snapshots')) === 1);
    // It comes as far as its record, and waits there.
    const holder = await commands.createPool({ max: 1 }).connect();
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE operator_actions IN ACCESS EXCLUSIVE MODE');
    const forgetting = forgetPerson(commands.pool, 'p1', BY).catch((error: unknown) => error);
    const waits = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await until(async () => (await holder.query(waits)).rowCount === 1);
    await holder.query(`SELECT pg_terminate_backend(pid) FROM (${waits}) w`);
    expect(await forgetting).toBeInstanceOf(Error);
    await holder.query('COMMIT');
    holder.release();
    expect([await count('person_keys'), await count('snapshots'), await count('operator_actions')]).toEqual([
      1, 1, 0,
    ]);
    expect(await namesInFeed()).toEqual(['Zelda']);
    expect(await forgetPerson(commands.pool, 'p1', BY)).toMatchObject({ snapshots: 1 });
    expect(await namesInFeed()).toEqual([UNREADABLE]);
  });

  it('needs the master key that it was begun with', async () => {
    const opened = (key: typeof personalData | null): Promise<unknown> =>
      commands.open(anyAggregate(member), { commands: { personalData: key } });
    await expect(opened(null)).rejects.toThrow(PersonalDataKeyError);
    await join('p1', 'Zelda');
    await expect(opened(createPersonalData(randomBytes(32)))).rejects.toThrow('PERSONAL_DATA_KEY');
    await opened(personalData);
  });

  it('is text and names its person, or the command is refused with the reason', async () => {
    await expect(join('', 'Zelda')).rejects.toThrow('the person that it is about must be named');
    expect(await everything()).not.toContain('Zelda');
    expect(await request('Joined', { account: '', name: UNREADABLE, fee: 1 })).toMatchObject({
      kind: 'accepted',
    });
  });
});
