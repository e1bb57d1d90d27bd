import { join } from 'node:path';
import { loadAggregates } from '../../commands/loadAggregates';
import { chainEvents, startCommandApi, type Answer, type CommandApi } from '../../testing/commandApi';

const EXAMPLE = join(__dirname, '../../../../../tools/examples/allowlist.cjs');
const WALLET = `0x${'1'.repeat(40)}`;

let api: CommandApi;
let key: string;
let lists = 0;

beforeAll(async () => {
  api = await startCommandApi(await loadAggregates([EXAMPLE]));
  key = await api.key(['events:write']);
});
afterAll(() => api?.stop());

/** Of a list that no other test has. */
const newList = (): string => `/v1/aggregates/allowlist/drop-${++lists}`;

const post = (
  list: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  query = '',
): Promise<Answer> => api.send('POST', `${list}/events${query}`, key, body, headers);

const opened = (places = 2) => ({ name: 'Opened', data: { places } });
const joined = { name: 'Joined', data: { wallet: WALLET } };

const rows = async (table: string): Promise<number> =>
  Number((await api.pool.query(`SELECT count(*) FROM ${table}`)).rows[0].count);

describe('asking for an event', () => {
  // The worker is started by the last test of this block: until then nothing is applied.
  it('is answered when it is durable, before it is applied', async () => {
    const list = newList();
    const { status, body } = await post(list, opened());
    expect([status, body]).toEqual([
      202,
      {
        eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        version: 1,
        repeated: false,
        fate: 'pending',
        seqNo: null,
      },
    ]);
    expect((await api.get(`${list}/events`)).body.items).toEqual([]);
    expect((await api.get(`${list}/state`)).status).toBe(404);
  });

  it('is refused with the rule that refuses it, and nothing is written', async () => {
    const list = newList();
    const before = await rows('command_outbox');
    const refused = await post(list, joined);
    expect([refused.status, refused.body.error]).toEqual([
      422,
      { code: 'COMMAND_REFUSED', message: 'opened-once: the list was not opened yet', rule: 'opened-once' },
    ]);
    const stale = await post(list, { ...opened(), expectedVersion: 4 });
    expect([stale.status, stale.body.error.code, stale.body.error.rule]).toEqual([
      409,
      'COMMAND_STALE',
      'expected-version',
    ]);
    expect(await rows('command_outbox')).toBe(before);
  });

  it('is checked by the schema of its type: every problem with its field', async () => {
    const { status, body } = await post(newList(), { name: 'Opened', data: { places: 0 } });
    expect([status, body.error.code, body.error.problems]).toEqual([
      400,
      'COMMAND_INVALID',
      [{ field: 'data.places', problem: expect.stringContaining('1') }],
    ]);
    expect((await post(newList(), { name: 'Sold' })).body.error.problems[0].problem).toContain(
      'only Opened, Joined, Closed',
    );
    const extra = await post(newList(), { ...opened(), now: true });
    expect([extra.status, extra.body.error.problems[0].field]).toEqual([400, 'now']);
    expect((await post(newList(), { data: {} })).body.error.problems).toEqual([
      { field: 'name', problem: 'is missing' },
    ]);
  });

  it('of a type that is not known is answered with 404', async () => {
    const { status, body } = await post('/v1/aggregates/raffle/1', opened());
    expect([status, body.error.code]).toEqual([404, 'UNKNOWN_AGGREGATE_TYPE']);
  });

  it('again with its idempotency key gives the first answer; another body is a conflict (E5)', async () => {
    const list = newList();
    const headers = { 'idempotency-key': 'one' };
    const first = await post(list, opened(), headers);
    const again = await post(list, opened(), headers);
    expect(again.body).toEqual({ ...first.body, repeated: true });
    const other = await post(list, opened(5), headers);
    expect([other.status, other.body.error.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    // Another asker's keys are other ones.
    const another = await api.send(
      'POST',
      `${newList()}/events`,
      await api.key(['events:write']),
      opened(5),
      headers,
    );
    expect(another.status).toBe(202);
  });

  it('needs a key with its scope, that is not revoked, and asks no more often than it may', async () => {
    const list = newList();
    const none = await api.send('POST', `${list}/events`, null, opened());
    expect([none.status, none.body.error.code, none.headers.get('www-authenticate')]).toEqual([
      401,
      'API_KEY',
      'Bearer',
    ]);
    expect((await api.send('POST', `${list}/events`, `${key}x`, opened())).status).toBe(401);
    const reading = await api.send('POST', `${list}/events`, await api.key(['webhooks']), opened());
    expect([reading.status, reading.body.error.code]).toEqual([403, 'API_KEY_SCOPE']);
    const slow = await api.key(['events:write:allowlist'], 1);
    expect((await api.send('POST', `${list}/events`, slow, opened())).status).toBe(202);
    const limited = await api.send('POST', `${list}/events`, slow, joined);
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '1']);
    const { rows: kept } = await api.pool.query('SELECT secret_hash FROM api_keys');
    for (const { secret_hash } of kept as { secret_hash: Buffer }[])
      expect([secret_hash.length, key.includes(secret_hash.toString('hex'))]).toEqual([32, false]);
  });

  it('tells what is wrong with it only to who may ask: 401 and 403 come before 400, and before 404', async () => {
    const wrong = [
      ['POST', `${newList()}/events?waitFor=soon`, { nam: 1 }],
      ['POST', '/v1/aggregates/nothing/a/events', { name: 'Opened' }],
      ['POST', '/v1/aggregates/events:write/a/events', { name: 'Opened' }],
    ] as const;
    const webhooksOnly = await api.key(['webhooks']);
    for (const [method, path, body] of wrong) {
      expect([path, (await api.send(method, path, null, body)).status]).toEqual([path, 401]);
      expect([path, (await api.send(method, path, webhooksOnly, body)).status]).toEqual([path, 403]);
    }
    expect((await api.send('POST', wrong[0][1], key, wrong[0][2])).status).toBe(400);
    expect((await api.send('POST', wrong[1][1], await api.key(['events:write']), wrong[1][2])).status).toBe(
      404,
    );
    // No JSON at all.
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${api.origin}${newList()}/events`, { method: 'POST', headers, body: '{' });
    expect(answer.status).toBe(401);
  });

  it('is answered with 503 while the stream is unavailable, and nothing is marked (E3)', async () => {
    const waiting = newList();
    await post(waiting, opened());
    await api.pool.query('UPDATE command_outbox SET time_us = time_us - 3600000000');
    const list = newList();
    try {
      const behind = await post(list, opened());
      expect([behind.status, behind.body.error.code, behind.headers.get('retry-after')]).toEqual([
        503,
        'STREAM_BEHIND',
        '1',
      ]);
    } finally {
      await api.pool.query('UPDATE command_outbox SET time_us = time_us + 3600000000');
    }
    await api.pool.query('ALTER TABLE command_outbox RENAME TO gone');
    try {
      for (const one of [waiting, list]) expect((await post(one, joined)).status).toBe(500);
    } finally {
      await api.pool.query('ALTER TABLE gone RENAME TO command_outbox');
    }
    const { rows: marked } = await api.pool.query(
      `SELECT aggregate_id, name FROM command_markers WHERE aggregate_id IN ('drop-${lists - 1}', 'drop-${lists}')`,
    );
    expect(marked).toEqual([{ aggregate_id: `drop-${lists - 1}`, name: 'Opened' }]);
  });

  it('may wait until it is executed, within a bound: then its asker reads it', async () => {
    const list = newList();
    const late = await post(list, opened(), {}, '?waitFor=30');
    expect([late.status, late.body.fate]).toEqual([202, 'pending']);
    expect((await post(list, joined, {}, '?waitFor=60001')).status).toBe(400);
    api.work();
    const { status, body } = await post(list, joined, {}, '?waitFor=60000');
    expect([status, body.fate, body.version]).toEqual([200, 'executed', 2]);
    const state = await api.get(`${list}/state`);
    expect(state.body).toEqual({
      state: { places: 2, closed: false, wallets: [WALLET] },
      version: 2,
      seqNo: body.seqNo,
      folded: 2,
      stopped: null,
    });
  });
});

describe('an aggregate of commands', () => {
  it('tells its events in pages, with who asked and of which story they are', async () => {
    const list = newList();
    await post(list, { ...opened(3), correlationId: 'story' });
    await post(list, joined);
    const { version } = (await post(list, joined, {}, '?waitFor=60000')).body;
    expect(version).toBe(3);
    const first = (await api.get(`${list}/events?limit=2`)).body;
    expect(first.items.map(({ name }: { name: string }) => name)).toEqual(['Opened', 'Joined']);
    expect(first.items[0]).toMatchObject({
      version: 1,
      data: { places: 3, left: 3 },
      actor: expect.stringMatching(/^key:[0-9a-f]{16}$/),
      correlationId: 'story',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
    });
    const rest = (await api.get(`${list}/events?limit=2&after=${first.next}`)).body;
    expect([rest.items.length, rest.next]).toEqual([1, null]);
  });

  it('is told as it was at a seq no and at a moment', async () => {
    const list = newList();
    await post(list, opened(3));
    await post(list, joined);
    await post(list, { name: 'Closed' }, {}, '?waitFor=60000');
    const { items } = (await api.get(`${list}/events`)).body;
    const atSeqNo = (await api.get(`${list}/state?at=${items[1].seqNo}`)).body;
    expect([atSeqNo.version, atSeqNo.state.closed, atSeqNo.state.wallets.length]).toEqual([2, false, 1]);
    const atTime = (await api.get(`${list}/state?at=${items[0].time}`)).body;
    expect([atTime.version, atTime.state.wallets]).toEqual([1, []]);
    expect((await api.get(`${list}/state?at=2001-01-01T00:00:00Z`)).status).toBe(404);
    expect((await api.get(`${list}/state?at=yesterday`)).status).toBe(400);
  });

  it('has a snapshot once its rule says so', async () => {
    const list = newList();
    await post(list, opened(60));
    expect((await api.get(`${list}/snapshot`)).status).toBe(404);
    for (let i = 0; i < 48; i++) await post(list, joined);
    await post(list, joined, {}, '?waitFor=60000');
    let found = await api.get(`${list}/snapshot`);
    while (found.status === 404) found = await api.get(`${list}/snapshot`);
    expect(found.body.version).toBe(50);
    expect((await api.get(`${list}/state`)).body).toMatchObject({ version: 50, folded: 0 });
  });
});

describe('an aggregate of a chain', () => {
  const TOKEN = `0x${'a'.repeat(40)}:7`;
  const path = `/v1/aggregates/token/${TOKEN}`;
  const SECOND = 1_000_000n;

  beforeAll(async () => {
    await api.database.insert('subjects', {
      id: 900,
      subject_id: 'eip155:5',
      genesis_hash: '0x0',
      epoch: 0,
      lanes: 1,
      start_position: 1,
      next_position: 10,
      ingested_seq_no: '99999999999',
      finalized_seq_no: -1,
      last_feed_no: 1,
      followed: '',
    });
    await api.database.insert(
      'event_log',
      ...chainEvents(900, 'token', TOKEN, [
        { name: 'TokenMinted', data: { to: '0x1', standard: 'erc721' }, timeUs: 100n * SECOND },
        {
          name: 'TokenTransferred',
          data: { from: '0x1', to: '0x2', standard: 'erc721' },
          timeUs: 200n * SECOND,
        },
        {
          name: 'TokenTransferred',
          data: { from: '0x2', to: '0x3', standard: 'erc721' },
          timeUs: 300n * SECOND,
        },
      ]),
    );
  });

  it('answers the same questions: events in pages, the state now and in the past', async () => {
    const first = (await api.get(`${path}/events?subject=eip155:5&limit=2`)).body;
    expect(first.items.map(({ name }: { name: string }) => name)).toEqual([
      'TokenMinted',
      'TokenTransferred',
    ]);
    const rest = (await api.get(`${path}/events?subject=eip155:5&after=${first.next}`)).body;
    expect([rest.items.length, rest.next, rest.items[0].txHash]).toEqual([1, null, `0x${'ab'.repeat(32)}`]);
    const state = (await api.get(`${path}/state?subject=eip155:5`)).body;
    expect([state.version, state.folded, state.stopped]).toEqual([3, 3, null]);
    expect(JSON.stringify(state.state)).toContain('"0x3"');
    const before = (await api.get(`${path}/state?subject=eip155:5&at=1970-01-01T00:03:20Z`)).body;
    expect([before.version, JSON.stringify(before.state)]).toEqual([2, expect.stringContaining('"0x2"')]);
    expect((await api.get(`${path}/state?subject=eip155:5&at=5`)).status).toBe(404);
    expect((await api.get(`${path}/snapshot?subject=eip155:5`)).status).toBe(404);
  });

  it('goes no further than where it is set aside, and says why', async () => {
    const second = (await api.get(`${path}/events?subject=eip155:5`)).body.items[1].seqNo;
    await api.database.insert('park_markers', {
      subject: 900,
      aggregate_type: 'token',
      aggregate_id: TOKEN,
      from_seq_no: second,
      code: 'BAD',
      message: 'on purpose',
      parked_at: '2024-01-01T00:00:00Z',
    });
    const { body } = await api.get(`${path}/state?subject=eip155:5`);
    expect([body.version, body.stopped]).toEqual([1, { seqNo: second, code: 'BAD', message: 'on purpose' }]);
  });

  it('needs its chain, which must be followed; commands take none of these types', async () => {
    expect((await api.get(`${path}/state`)).body.error.problems[0].field).toBe('subject');
    expect((await api.get(`${path}/state?subject=eip155:6`)).body.error.code).toBe('UNKNOWN_SUBJECT');
    expect((await api.get(`${newList()}/state?subject=eip155:5`)).status).toBe(400);
    expect((await post(path, opened())).status).toBe(404);
  });
});
