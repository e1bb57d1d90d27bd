import { createMetrics, silentLogger } from '@imart/runtime';
import { createReadDatabase, type ReadDatabase } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { createServer } from './createServer';
import { STALE_HEADER } from './flagStale';
import { createApiDatabase, type ApiDatabase } from './testing/apiDatabase';
import { COLLECTION, seedMarket } from './testing/seedMarket';
import { seqNosOf } from './seqNosOf';

const STALE_AFTER_MS = 60_000;

let database: ApiDatabase;
let db: ReadDatabase;
let app: FastifyInstance;
let origin: string;

beforeAll(async () => {
  database = await createApiDatabase();
  await seedMarket(database);
  db = createReadDatabase({ seqNosOf, connectionString: database.url });
});
/** Of a server that is new, nothing is remembered of what was found out before. */
async function serve(): Promise<void> {
  app = await createServer({
    db,
    logger: silentLogger,
    metrics: createMetrics({ processMetrics: false }),
    staleAfterMs: STALE_AFTER_MS,
  });
  origin = await app.listen({ host: '127.0.0.1', port: 0 });
}
beforeEach(async () => {
  await makeFresh();
  await serve();
});
afterEach(() => app?.close());
afterAll(async () => {
  await db?.close();
  await database?.stop();
});

/** Both chains at their heads, told of just now. */
const makeFresh = (): Promise<void> =>
  database.run(`
    UPDATE subjects SET halt_code = NULL, halt_message = NULL, halted_at = NULL, head_position = 105, head_seen_at = now(),
      head_time_us = 1700000000000000, chain_time_us = 1700000000000000;
    UPDATE checkpoints c SET seq_no = s.ingested_seq_no FROM subjects s WHERE s.id = c.subject`);

async function get(path: string): Promise<{ status: number; stale: string | null; body: string }> {
  const answer = await fetch(`${origin}${path}`);
  return { status: answer.status, stale: answer.headers.get(STALE_HEADER), body: await answer.text() };
}
async function statusOf(subject: string): Promise<Record<string, unknown> | undefined> {
  const { body } = await get('/v1/status');
  const { subjects } = JSON.parse(body) as { subjects: Record<string, unknown>[] };
  return subjects.find((one) => one['subject'] === subject);
}

const EVERY_READ = [
  '/v1/orders',
  '/v1/offers',
  '/v1/activities',
  '/v1/tokens',
  `/v1/tokens/eip155:1/${COLLECTION}/1`,
  '/v1/collections',
  `/v1/collections/eip155:1/${COLLECTION}`,
  '/v1/status',
];

describe('answers of market data', () => {
  it('are not flagged while the chains are followed', async () => {
    for (const path of EVERY_READ)
      expect([path, await get(path)]).toMatchObject([path, { status: 200, stale: null }]);
    expect(await statusOf('eip155:1')).toMatchObject({ halted: null, stale: null });
  });

  it('are served and flagged, each one, while a chain stands still (R7)', async () => {
    await database.run(
      `UPDATE subjects SET halt_code = 'REORG_TOO_DEEP', halt_message = 'too deep', halted_at = '2024-02-01T00:00:00Z'
       WHERE subject_id = 'eip155:1'`,
    );
    for (const path of EVERY_READ) {
      expect([path, await get(path)]).toMatchObject([path, { status: 200, stale: 'eip155:1;halted' }]);
    }
    expect(await statusOf('eip155:1')).toMatchObject({
      halted: { code: 'REORG_TOO_DEEP', message: 'too deep', since: '2024-02-01T00:00:00.000000Z' },
      stale: 'halted',
    });
    const { body } = await get('/metrics');
    expect(body).toContain('imart_subject_halted{subject="eip155:1"} 1');
    expect(body).toContain('imart_subject_stale{subject="eip155:10"} 0');
  });

  it('are flagged only where they are about that chain', async () => {
    await database.run(`UPDATE subjects SET halt_code = 'EVENT_CONFLICT' WHERE subject_id = 'eip155:10'`);
    expect((await get('/v1/orders?subject=eip155:10')).stale).toBe('eip155:10;halted');
    expect((await get('/v1/orders?subject=eip155:1')).stale).toBeNull();
    expect((await get(`/v1/tokens/eip155:1/${COLLECTION}/1`)).stale).toBeNull();
    expect((await get('/v1/orders')).stale).toBe('eip155:10;halted');
    expect((await get('/healthz')).stale).toBeNull();
  });

  it('are flagged when nobody has told of the head for some time (P13)', async () => {
    await database.run(`UPDATE subjects SET head_seen_at = now() - interval '61 s'`);
    expect((await get('/v1/orders')).stale).toBe('eip155:1;silent, eip155:10;silent');
  });

  it('are flagged when the log is behind the head by some time of the chain', async () => {
    await database.run(
      `UPDATE subjects SET chain_time_us = head_time_us - 60000000 WHERE subject_id = 'eip155:1'`,
    );
    expect((await get('/v1/orders')).stale).toBeNull();
  });

  it.each([
    ['the log is behind the head', `UPDATE subjects SET chain_time_us = head_time_us - 60000001`],
    ['nothing has been read at all', `UPDATE subjects SET chain_time_us = NULL`],
  ])('are flagged as lagging when %s', async (_what, sql) => {
    await database.run(`${sql} WHERE subject_id = 'eip155:1'`);
    expect((await get('/v1/orders')).stale).toBe('eip155:1;lagging');
  });

  it('are flagged as lagging when a lane leaves events waiting for some time, and not sooner', async () => {
    await database.run(`
      INSERT INTO feed (subject, feed_no, kind, from_seq_no, to_seq_no, epoch) VALUES (1, 9, 'appended', 5, 5, 0);
      INSERT INTO event_log SELECT 1, 5, 1, 'order', 'x', 'Listed', '{}', 0, '', '', '', '', 9;
      UPDATE checkpoints SET seq_no = 4 WHERE subject = 1 AND lane = 1`);
    const committed = (ago: string): Promise<void> =>
      database.run(`UPDATE feed SET committed_at = now() - interval '${ago}' WHERE feed_no = 9`);
    await committed('50 s');
    expect((await get('/v1/orders')).stale).toBeNull();
    await committed('61 s');
    await app.close();
    await serve();
    expect((await get('/v1/orders')).stale).toBe('eip155:1;lagging');
  });

  it('are not flagged for a lane that has not looked at events of another one, which has executed them', async () => {
    await database.run(`
      DELETE FROM event_log WHERE subject = 1 AND seq_no > 4;
      INSERT INTO feed (subject, feed_no, kind, from_seq_no, to_seq_no, epoch, committed_at)
        VALUES (1, 10, 'appended', 5, 5, 0, now() - interval '1 hour');
      INSERT INTO event_log SELECT 1, 5, 0, 'order', 'x', 'Listed', '{}', 0, '', '', '', '', 10;
      UPDATE checkpoints SET seq_no = 4 WHERE subject = 1 AND lane = 1`);
    expect((await get('/v1/orders')).stale).toBeNull();
    await database.run(`UPDATE checkpoints SET seq_no = 4 WHERE subject = 1 AND lane = 0`);
    await app.close();
    await serve();
    expect((await get('/v1/orders')).stale).toBe('eip155:1;lagging');
  });

  it('tell how far the states are behind while everything is read and a lane stands', async () => {
    const lags = async () => {
      const status = await statusOf('eip155:1');
      return [status?.['lagSeconds'], status?.['executedLagSeconds']];
    };
    expect(await lags()).toEqual([0, 0]);
    // Of the lane that stands, and an older one of the lane that has executed it.
    await database.run(`
      INSERT INTO event_log SELECT 1, 7, 1, 'order', 'y', 'Listed', '{}', 1699999900000000, '', '', '', '', 9;
      INSERT INTO event_log SELECT 1, 6, 0, 'order', 'z', 'Listed', '{}', 1699999000000000, '', '', '', '', 9;
      UPDATE checkpoints SET seq_no = 5 WHERE subject = 1 AND lane = 1`);
    expect(await lags()).toEqual([0, 100]);
    const { body } = await get('/metrics');
    expect(body).toContain('imart_subject_lag_seconds{subject="eip155:1"} 0\n');
    expect(body).toContain('imart_subject_executed_lag_seconds{subject="eip155:1"} 100\n');
  });

  it('say in the document what the flag is', async () => {
    const { body } = await get('/openapi.json');
    const { responses } = JSON.parse(body).paths['/v1/orders'].get;
    expect(responses['200'].headers[STALE_HEADER].description).toContain('eip155:1;halted');
  });
});
