import { createMetrics, silentLogger, type LogFields, type Logger } from '@imart/runtime';
import { createReadDatabase, type ReadDatabase } from '@imart/storage';
import { createWakeUpStream, openJobQueues, type WakeUpBackend } from '@imart/stream';
import type { SeqNo, SubjectId } from '@imart/core';
import { until } from '@imart/testing';
import type { FastifyInstance } from 'fastify';
import {
  describeWithOwnRedis,
  describeWithRedis,
} from '../../../../../libs/stream/src/testing/describeWithRedis';
import { openTestRedis, type TestRedisDatabase } from '../../../../../libs/stream/src/testing/redisDatabase';
import { startTestRedis } from '../../../../../libs/stream/src/testing/redisServer';
import { createServer } from '../../createServer';
import { staticFiles } from '../../staticFiles';
import { createApiDatabase, type ApiDatabase } from '../../testing/apiDatabase';
import { FAILURES_MAX } from './access';
import { seqNosOf } from '../../seqNosOf';

const TOKEN = 'the-token-of-the-operators';
const SUBJECT = 'eip155:1' as SubjectId;
const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });

let database: ApiDatabase;
let db: ReadDatabase;

beforeAll(async () => {
  database = await createApiDatabase();
  db = createReadDatabase({ seqNosOf, connectionString: database.url });
  await database.insert('subjects', {
    id: 1,
    subject_id: SUBJECT,
    genesis_hash: '0x1',
    epoch: 0,
    lanes: 2,
    start_position: 0,
    next_position: 1,
    ingested_seq_no: 0,
    finalized_seq_no: -1,
    last_feed_no: 0,
    followed: '',
  });
  await database.insert(
    'checkpoints',
    ...[0, 1].map((lane) => ({ observer: 'market', subject: 1, lane, seq_no: -1 })),
  );
});
afterAll(async () => {
  await db?.close();
  await database?.stop();
});

interface Board {
  readonly origin: string;
  readonly lines: { message: string; fields: LogFields | undefined }[];
  close(): Promise<void>;
}

/** The API on a free port, with the board of one backend or without any. */
async function serve(backend: WakeUpBackend | null, now: () => number = () => Date.now()): Promise<Board> {
  const lines: Board['lines'] = [];
  const log = (message: string, fields?: LogFields): void => void lines.push({ message, fields });
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
  const app: FastifyInstance = await createServer({
    db,
    logger,
    metrics: createMetrics({ processMetrics: false }),
    ...(backend === null
      ? {}
      : {
          jobsBoard: {
            token: TOKEN,
            openQueues: () => openJobQueues({ backend, logger }),
            pagesDirectory: staticFiles('bull-board', '@bull-board/ui', '.'),
            now,
          },
        }),
  });
  return { origin: await app.listen({ host: '127.0.0.1', port: 0 }), lines, close: () => app.close() };
}

/** Three wake-ups of lane 0: one executed, one parked, one whose handling fails; and one of lane 1 that nobody takes. */
async function sendWakeUps(backend: WakeUpBackend): Promise<void> {
  const stream = await createWakeUpStream({
    subjectId: SUBJECT,
    observer: 'market',
    backend,
    logger: silentLogger,
  });
  const wakeUp = (n: number, lane: number) => ({
    id: `eip155_1-${n}-0-${lane}`,
    lane,
    seqNo: BigInt(n) as SeqNo,
    epoch: 0n,
  });
  try {
    await stream.receiver.start([0], async ({ seqNo }) => {
      if (seqNo === 3n) throw new Error('the lane stopped');
      return seqNo === 2n ? 'parked' : 'executed';
    });
    await stream.sender.send([wakeUp(1, 0), wakeUp(2, 0), wakeUp(3, 0), wakeUp(4, 1)]);
    await until(async () => {
      const { completed, failed } = await stream.counts(0);
      return completed + failed === 3;
    });
  } finally {
    await stream.close();
  }
}

interface BoardJob {
  readonly id: string;
  readonly name: string;
  readonly returnValue: unknown;
  readonly failedReason?: string;
  readonly data: unknown;
}
interface BoardQueue {
  readonly name: string;
  readonly displayName: string;
  readonly readOnlyMode: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly jobs: readonly BoardJob[];
}

async function queuesOf(origin: string, active = '', headers: Record<string, string> = bearer(TOKEN)) {
  const query = new URLSearchParams({ activeQueue: active, status: 'latest', page: '1', jobsPerPage: '10' });
  const answer = await fetch(`${origin}/ops/jobs/api/queues?${query.toString()}`, { headers });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { queues: BoardQueue[] }).queues;
}

function features(newBackend: () => WakeUpBackend, name: (lane: number) => string): void {
  let board: Board;
  beforeAll(async () => {
    const backend = newBackend();
    await sendWakeUps(backend);
    board = await serve(backend);
  });
  afterAll(() => board?.close());

  it('lists the queue of every lane, for looking only', async () => {
    const queues = await queuesOf(board.origin);
    expect(queues.map((queue) => [queue.name, queue.displayName, queue.readOnlyMode])).toEqual([
      [name(0), 'eip155:1 market 0', true],
      [name(1), 'eip155:1 market 1', true],
    ]);
    expect(queues[0]?.counts).toMatchObject({ completed: 2, failed: 1, waiting: 0 });
    expect(queues[1]?.counts).toMatchObject({ completed: 0, failed: 0, waiting: 1 });
  });

  it('shows what became of every wake-up: its fate, or why its handling failed', async () => {
    const [queue] = await queuesOf(board.origin, name(0));
    const seen = (queue as BoardQueue).jobs.map((job) => [
      job.id,
      job.name,
      job.returnValue ?? null,
      job.failedReason ?? '',
      job.data,
    ]);
    expect(seen.sort()).toEqual([
      ['eip155_1-1-0-0', 'wake-up: executed', 'executed', '', { seqNo: '1', epoch: '0' }],
      ['eip155_1-2-0-0', 'wake-up: parked', 'parked', '', { seqNo: '2', epoch: '0' }],
      ['eip155_1-3-0-0', 'wake-up', null, 'the lane stopped', { seqNo: '3', epoch: '0' }],
    ]);
    const path = `${board.origin}/ops/jobs/api/queues/${encodeURIComponent(name(0))}/eip155_1-2-0-0`;
    const one = (await (await fetch(path, { headers: bearer(TOKEN) })).json()) as {
      job: BoardJob;
      status: string;
    };
    expect([one.status, one.job.returnValue]).toEqual(['completed', 'parked']);
  });

  it('changes nothing: there is no way to retry, remove, pause or empty', async () => {
    const queue = `${board.origin}/ops/jobs/api/queues/${encodeURIComponent(name(0))}`;
    const attempts = [
      ['PUT', `${queue}/retry/failed`],
      ['PUT', `${queue}/pause`],
      ['PUT', `${queue}/empty`],
      ['PUT', `${queue}/obliterate`],
      ['PUT', `${queue}/clean/completed`],
      ['PUT', `${queue}/eip155_1-3-0-0/retry/failed`],
      ['PUT', `${queue}/eip155_1-1-0-0/clean`],
      ['POST', `${queue}/add`],
    ] as const;
    for (const [method, url] of attempts) {
      const { status } = await fetch(url, { method, headers: bearer(TOKEN) });
      expect([url, status]).toEqual([url, 404]);
    }
    const [counted] = await queuesOf(board.origin);
    expect(counted?.counts).toMatchObject({ completed: 2, failed: 1 });
  });
}

describe('the board of wake-ups in PostgreSQL', () => {
  features(
    () => ({ kind: 'postgres', connectionString: database.url }),
    (lane) => `market.eip155.1.lane-${lane}`,
  );

  it('answers 503 while no worker has made the tables of jobs, makes none itself, and shows them when they are there', async () => {
    const schema = 'jobs_of_later';
    const backend: WakeUpBackend = { kind: 'postgres', connectionString: database.url, schema };
    const board = await serve(backend);
    try {
      const answer = await fetch(`${board.origin}/ops/jobs/api/queues`, { headers: bearer(TOKEN) });
      expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([
        503,
        'STREAM_UNAVAILABLE',
      ]);
      await sendWakeUps(backend);
      expect((await queuesOf(board.origin))[0]?.counts).toMatchObject({ completed: 2, failed: 1 });
    } finally {
      await board.close();
    }
  });
});

describeWithRedis('the board of wake-ups in Redis', () => {
  let redis: TestRedisDatabase;
  beforeAll(async () => {
    redis = await openTestRedis();
  });
  afterAll(() => redis?.stop());

  features(
    () => ({ kind: 'redis', url: redis.url, prefix: 'board' }),
    (lane) => `{market.eip155.1.lane-${lane}}`,
  );
});

describeWithOwnRedis('the board of wake-ups in a Redis that goes away', () => {
  it('answers 503 while Redis is away, and comes back by itself (Q4)', async () => {
    const own = await startTestRedis();
    const board = await serve({ kind: 'redis', url: own.url });
    try {
      expect(await queuesOf(board.origin)).toHaveLength(2);
      await own.kill();
      const away = await fetch(`${board.origin}/ops/jobs/api/queues`, { headers: bearer(TOKEN) });
      expect(away.status).toBe(503);
      await own.restart();
      await until(
        async () =>
          (await fetch(`${board.origin}/ops/jobs/api/queues`, { headers: bearer(TOKEN) })).status === 200,
      );
    } finally {
      await board.close();
      await own.stop();
    }
  });
});

describe('the door to the board', () => {
  let board: Board;
  let now = 0;
  beforeEach(async () => {
    now = Date.now();
    board = await serve({ kind: 'postgres', connectionString: database.url }, () => now);
  });
  afterEach(() => board.close());

  const html = { accept: 'text/html,application/xhtml+xml' };
  const logIn = (token: string, headers: Record<string, string> = html): Promise<Response> =>
    fetch(`${board.origin}/ops/login`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ token }),
      redirect: 'manual',
    });

  it('is not there without a token of the settings', async () => {
    const without = await serve(null);
    try {
      for (const path of ['/ops', '/ops/jobs/', '/ops/login', '/ops/jobs/api/queues']) {
        expect((await fetch(`${without.origin}${path}`, { headers: bearer(TOKEN) })).status).toBe(404);
      }
    } finally {
      await without.close();
    }
  });

  it.each([
    '/ops/jobs/',
    '/ops/jobs/api/queues',
    '/ops/jobs/queue/x',
    '/ops/jobs/static/images/logo.svg',
    '/ops/jobs/api/redis/stats',
  ])('answers 401 to whoever comes without a token: %s', async (path) => {
    const answer = await fetch(`${board.origin}${path}`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
    expect(await answer.json()).toMatchObject({ error: { code: 'OPERATOR_ACCESS' } });
    expect((await fetch(`${board.origin}${path}`, { headers: bearer('wrong') })).status).toBe(401);
  });

  it('shows a browser the page to log in, and lets it in with the token', async () => {
    const asked = await fetch(`${board.origin}/ops/jobs/`, { headers: html });
    expect(asked.status).toBe(401);
    expect(await asked.text()).toContain('<form method="post" action="/ops/login">');

    const wrong = await logIn('something else');
    expect([wrong.status, wrong.headers.get('set-cookie')]).toEqual([401, null]);
    expect(await wrong.text()).toContain('That is not the token.');

    const right = await logIn(TOKEN);
    expect([right.status, right.headers.get('location')]).toEqual([303, '/ops/jobs/']);
    const cookie = (right.headers.get('set-cookie') ?? '').split(';')[0] as string;
    const page = await fetch(`${board.origin}/ops/jobs/`, { headers: { ...html, cookie } });
    expect(page.status).toBe(200);
    const text = await page.text();
    const assets = [...text.matchAll(/(?:href|src)="(static\/[^"]+)"/g)].map(([, asset = '']) => asset);
    expect(assets.length).toBeGreaterThan(3);
    for (const asset of assets) {
      const { status } = await fetch(`${board.origin}/ops/jobs/${asset}`, { headers: { cookie } });
      expect([asset, status]).toEqual([asset, 200]);
    }
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await queuesOf(board.origin, '', { cookie })).toHaveLength(2);

    const out = await fetch(`${board.origin}/ops/logout`, {
      headers: { ...html, cookie },
      redirect: 'manual',
    });
    expect(out.headers.get('set-cookie')).toContain('Max-Age=0');
  });

  it('keeps the cookie to HTTPS where the browser came by it', async () => {
    const answer = await logIn(TOKEN, { ...html, 'x-forwarded-proto': 'https' });
    expect(answer.headers.get('set-cookie')).toMatch(/; Secure$/);
    expect((await logIn(TOKEN)).headers.get('set-cookie')).not.toContain('Secure');
  });

  it('holds up an address after wrong tokens, in both ways, and says for how long', async () => {
    for (let i = 0; i < FAILURES_MAX; i++) expect((await logIn(`guess ${i}`)).status).toBe(401);
    const limited = await logIn(TOKEN);
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '60']);
    expect(await limited.text()).toContain('try again in 60 s');
    const header = await fetch(`${board.origin}/ops/jobs/api/queues`, { headers: bearer(TOKEN) });
    expect([header.status, header.headers.get('retry-after')]).toEqual([429, '60']);
    now += 60_000;
    expect((await logIn(TOKEN)).status).toBe(303);
  });

  it('tells of wrong tokens in the log, without them', async () => {
    await logIn('a-wrong-word');
    await fetch(`${board.origin}/ops/jobs/api/queues`, { headers: bearer('another-wrong-word') });
    await logIn(TOKEN);
    await fetch(`${board.origin}/ops/jobs/`);
    expect(board.lines.filter(({ message }) => message === 'a wrong token for operators')).toHaveLength(2);
    expect(JSON.stringify(board.lines)).not.toMatch(new RegExp(`wrong-word|${TOKEN}`));
  });

  it('answers what it cannot read with 400, and keeps its pages out of the OpenAPI document', async () => {
    for (const body of ['', 'token=', 'x=1']) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      expect((await fetch(`${board.origin}/ops/login`, { method: 'POST', headers, body })).status).toBe(401);
    }
    const large = await logIn('x'.repeat(5_000), {});
    expect(large.status).toBeGreaterThanOrEqual(400);
    expect(large.status).toBeLessThan(500);
    const document = (await (await fetch(`${board.origin}/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(document.paths).filter((path) => path.startsWith('/ops'))).toEqual([]);
  });
});
