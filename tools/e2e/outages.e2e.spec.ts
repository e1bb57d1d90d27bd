import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@imart/storage';
import { createCuttingProxy, type Cut } from '../../libs/storage/src/testing/cuttingProxy';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { describeWithOwnRedis } from '../../libs/stream/src/testing/describeWithRedis';
import { startTestRedis, type TestRedis } from '../../libs/stream/src/testing/redisServer';
import { dump, query } from '../realdata/tables';
import { startLiveChain, type LiveChain } from './atTheHead';
import { chooseSeed, createRandom } from './kills';
import { lock } from './lock';
import { createMarket, executedBlock, executedReaches, type Market, type Settings } from './market';
import type { Program } from './programs';
import { until } from './until';
import { pagesOf } from './workerPages';

/*
 * A chain that goes on by the clock, read by one process and executed by others, while what they stand on fails: PostgreSQL, Redis,
 * connections, their own event loops. In the end the rows must be those of one process that nothing has happened to.
 */

const SEED = chooseSeed();
const LANES = 2;
const APPLY: Settings = { ROLE: 'apply', RPC_URLS: '', RPC_WS_URL: '', MARKETS: '', START_BLOCK: '' };
const DISTURB = { NODE_OPTIONS: `--require ${join(__dirname, 'disturb.cjs')}` };

describe(`processes that follow one chain (IMART_SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  let market: Market;
  let server: TestServer;
  let durable: { readonly server: EmbeddedPostgres; remove(): Promise<void> };
  let live: LiveChain;

  beforeAll(async () => {
    console.log(`random moments by IMART_SEED=${SEED}`);
    market = createMarket();
    server = await startTestServer();
    const directory = mkdtempSync(join(tmpdir(), 'imart-test-outages-'));
    chmodSync(directory, 0o755);
    const own = await startEmbeddedPostgres({ dataDir: join(directory, 'data'), stopWithProcess: true });
    durable = {
      server: own,
      async remove() {
        await own.stop();
        rmSync(directory, { recursive: true, force: true });
      },
    };
    live = await startLiveChain(61, 20);
  });
  afterAll(async () => {
    await live?.stop();
    await market?.close();
    await server?.stop();
    await durable?.remove();
  });

  const start = (url: string, settings: Settings = {}): Program =>
    market.startWorker(live.chain, url, { LANES, ...settings });
  /** One that reads and two that execute. */
  const startAll = (url: string, settings: Settings = {}): Program[] => [
    start(url, { ROLE: 'ingest', ...settings }),
    start(url, { ...APPLY, ...settings }),
    start(url, { ...APPLY, ...settings }),
  ];
  const movesOn = async (url: string, worker: Program): Promise<void> => {
    await executedReaches(url, (await executedBlock(url)) + 2, worker);
  };
  const follows = (url: string, worker: Program): Promise<void> =>
    executedReaches(url, live.chain.startBlock, worker);
  const stop = async (...workers: Program[]): Promise<void> => {
    for (const worker of workers) worker.kill('SIGTERM');
    for (const worker of workers)
      expect([await worker.ended, worker.said()]).toMatchObject([{ code: 0 }, {}]);
  };
  async function expectStraight(url: string): Promise<void> {
    const [row] = await query(url, 'SELECT next_position - 1 AS block FROM subjects');
    const settings = { END_BLOCK: Number(row?.['block']) };
    for (const one of [url, (await server.createDatabase()).url]) {
      const worker = start(one, settings);
      expect([await worker.ended, worker.said()]).toMatchObject([{ code: 0 }, {}]);
      if (one !== url) expect(await dump(url)).toEqual(await dump(one));
    }
    expect(Number((await query(url, 'SELECT count(*) AS n FROM activities'))[0]?.['n'])).toBeGreaterThan(30);
  }

  describe('and whose PostgreSQL', () => {
    it.each([
      ['is killed', 'SIGKILL', 'working'],
      ['is restarted', 'SIGINT', 'working'],
      ['is killed while they start', 'SIGKILL', 'starting'],
    ] as const)(
      '%s wait for it and go on where they were, none of them ends (Q12)',
      async (_what, signal, when) => {
        const name = `outage_${signal.toLowerCase()}_${when}`;
        await query(durable.server.url, `CREATE DATABASE ${name}`);
        const url = durable.server.url.replace(/\/[^/]+$/, `/${name}`);
        const workers = startAll(url);
        if (when === 'working') await follows(url, workers[0] as Program);
        for (let round = 0; round < 2; round++) {
          // A random moment is what is tested: about 300 ms pass before a worker first asks the database.
          const sinceMs = when === 'working' ? 0 : 300;
          await new Promise((resolve) => setTimeout(resolve, sinceMs + random.below(700)));
          const { pid } = durable.server;
          process.kill(pid, signal);
          await until(
            'the database is back',
            async () => durable.server.pid !== pid && (await query(url, 'SELECT 1')).length === 1,
          );
          await movesOn(url, workers[0] as Program);
          expect(workers.filter((worker) => !worker.isRunning()).map((worker) => worker.said())).toEqual([]);
        }
        await stop(...workers);
        await expectStraight(url);
      },
    );

    it('loses connections, before and after what was said on them is done, do everything once (Q1, Q12)', async () => {
      const { url } = await server.createDatabase();
      const proxy = await createCuttingProxy(url);
      try {
        let cuts = 0;
        const workers = startAll(proxy.url);
        await follows(url, workers[0] as Program);
        proxy.decide = (text): Cut => {
          const chance = /COMMIT|FOR UPDATE|COPY/.test(text) ? 12 : 120;
          if (random.below(chance) > 0) return 'pass';
          cuts++;
          return random.below(2) === 0 ? 'before' : 'after';
        };
        await until('enough was cut', () => cuts > 60);
        proxy.decide = () => 'pass';
        await movesOn(url, workers[0] as Program);
        await stop(...workers);
        await expectStraight(url);
      } finally {
        await proxy.close();
      }
    });

    it.each(['40001', '40P01'])(
      'refuses transactions with %s try the whole of each again (Q13)',
      async (code) => {
        const { url } = await server.createDatabase();
        const workers = startAll(url);
        await follows(url, workers[0] as Program);
        // Sequences are not rolled back: of what writes a table's rows, each third attempt fails.
        await query(
          url,
          `CREATE SEQUENCE refusals;
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF nextval('refusals') % 3 = 0 THEN RAISE EXCEPTION 'refused by a test' USING ERRCODE = '${code}'; END IF;
           RETURN NULL; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON activities FOR EACH STATEMENT EXECUTE FUNCTION refuse();
         CREATE TRIGGER refuse BEFORE INSERT ON event_log FOR EACH STATEMENT EXECUTE FUNCTION refuse();`,
        );
        await until(
          'enough was refused',
          async () => Number((await query(url, 'SELECT last_value FROM refusals'))[0]?.['last_value']) > 30,
        );
        await query(url, 'DROP FUNCTION refuse CASCADE');
        await movesOn(url, workers[0] as Program);
        const retries = await Promise.all(
          workers.map(async (worker) => (await pagesOf(worker)).metric('retries_total')),
        );
        expect(retries.reduce<number>((sum, one) => sum + (one ?? 0), 0)).toBeGreaterThan(5);
        await stop(...workers);
        await expectStraight(url);
      },
    );

    it('finds two transactions waiting for each other goes on when one of them was given up (Q13)', async () => {
      const { url } = await server.createDatabase();
      const workers = startAll(url);
      const [reader] = workers as [Program];
      await follows(url, reader);
      const pages = await pagesOf(reader);
      const before = Number(await pages.metric('retries_total'));
      // The other way round than everybody else: first the blocks, then the subject.
      for (let round = 0; Number(await pages.metric('retries_total')) === before; round++) {
        expect(round).toBeLessThan(20);
        const other = await lock(url, `SET deadlock_timeout = '60s'; LOCK TABLE blocks IN EXCLUSIVE MODE`);
        try {
          await until('the reader waits for the blocks', async () => {
            const waiting = await query(
              url,
              `SELECT FROM pg_locks WHERE NOT granted AND relation = 'blocks'::regclass`,
            );
            return waiting.length > 0;
          });
          await other.run('SELECT id FROM subjects FOR UPDATE');
        } finally {
          await other.release();
        }
      }
      await movesOn(url, reader);
      await stop(...workers);
      await expectStraight(url);
    });
  });

  describeWithOwnRedis('and whose Redis', () => {
    let redis: TestRedis;
    afterEach(() => redis?.stop());

    it('is killed, comes back empty, and is flushed: execute on all along (Q4)', async () => {
      redis = await startTestRedis(['--maxmemory-policy', 'noeviction']);
      const { url } = await server.createDatabase();
      const workers = startAll(url, { REDIS_URL: redis.url });
      const [reader] = workers as [Program];
      await follows(url, reader);
      await redis.kill();
      await movesOn(url, reader);
      await redis.restart();
      await movesOn(url, reader);
      const client = new Redis(redis.url);
      try {
        for (let round = 0; round < 5; round++) {
          await client.flushall();
          await movesOn(url, reader);
        }
      } finally {
        client.disconnect();
      }
      expect(workers.filter((worker) => !worker.isRunning()).map((worker) => worker.said())).toEqual([]);
      await stop(...workers);
      await expectStraight(url);
    });

    it('is full execute on without jobs, and drain it without a restart when there is room (Q4, E23)', async () => {
      redis = await startTestRedis(['--maxmemory-policy', 'noeviction', '--maxmemory', '12mb']);
      const { url } = await server.createDatabase();
      const workers = startAll(url, { REDIS_URL: redis.url });
      const [reader, applier] = workers as [Program, Program];
      await follows(url, reader);
      const client = new Redis(redis.url);
      try {
        await fill(client);
        const [sending, executing] = [await pagesOf(reader), await pagesOf(applier)];
        const refused = Number(await sending.metric('wake_up_send_errors_total'));
        await movesOn(url, reader);
        await until(
          'a wake-up was refused',
          async () => Number(await sending.metric('wake_up_send_errors_total')) > refused,
        );
        await movesOn(url, reader);
        await client.del('filling');
        const handled = async (): Promise<number> => Number(await executing.metric('wake_ups_handled_total'));
        const before = await handled();
        await until('jobs are handled again', async () => (await handled()) > before);
      } finally {
        client.disconnect();
      }
      expect(workers.filter((worker) => !worker.isRunning()).map((worker) => worker.said())).toEqual([]);
      await stop(...workers);
      await expectStraight(url);
    });

    it('may throw jobs away are refused at the start, with the reason and exit code 1 (Q4)', async () => {
      redis = await startTestRedis(['--maxmemory-policy', 'allkeys-lru', '--maxmemory', '12mb']);
      const { url } = await server.createDatabase();
      const worker = start(url, { REDIS_URL: redis.url });
      expect([(await worker.ended).code, worker.said()]).toEqual([
        1,
        expect.stringMatching(/maxmemory-policy \\"allkeys-lru\\".*noeviction.*REDIS_POLICY/s),
      ]);
    });

    it('is not there yet wait for it', async () => {
      redis = await startTestRedis(['--maxmemory-policy', 'noeviction']);
      await redis.kill();
      const { url } = await server.createDatabase();
      const worker = start(url, { REDIS_URL: redis.url });
      await worker.line((text) => text.includes("the jobs' backend is not there"), 'that it waits');
      expect((await (await pagesOf(worker)).get('/readyz')).checks['jobs']).toEqual({
        ok: false,
        detail: 'not there yet',
      });
      await redis.restart();
      await follows(url, worker);
      await stop(worker);
    });
  });

  describe('and one of which', () => {
    it('is blocked for longer than its job is its own, inside the transaction, applies nothing twice (Q2, Q7, E20)', async () => {
      const { url } = await server.createDatabase();
      const reader = start(url, { ROLE: 'ingest' });
      const blocked = start(url, { ...APPLY, ...DISTURB, IMART_TEST_BLOCK_MS: 6_000 });
      await follows(url, blocked);
      const other = start(url, APPLY);
      await movesOn(url, other);
      for (let round = 1; round <= 2; round++) {
        blocked.kill('SIGUSR2');
        await until(
          'it was blocked',
          () => blocked.said().split('the event loop was blocked').length > round,
        );
        await movesOn(url, other);
      }
      await stop(reader, blocked, other);
      await expectStraight(url);
    });

    it('is asked to end in the middle of a batch drains it within the grace period, and ends with 0 (Q20)', async () => {
      const { url } = await server.createDatabase();
      const reader = start(url, { ROLE: 'ingest' });
      await until('there is something to execute', async () => {
        const rows = await query(url, 'SELECT count(*) AS n FROM event_log').catch(() => []);
        return Number(rows[0]?.['n'] ?? 0) > 100;
      });
      // The batch waits for this lock: it is in the middle when it is asked to end.
      const held = await lock(url, 'LOCK TABLE activities IN EXCLUSIVE MODE');
      const applier = start(url, { ...APPLY, SHUTDOWN_GRACE_MS: 20_000 });
      await until('a batch is on its way', async () => {
        const waiting = await query(
          url,
          `SELECT FROM pg_locks WHERE NOT granted AND relation = 'activities'::regclass`,
        );
        return waiting.length > 0;
      });
      applier.kill('SIGTERM');
      await applier.line((text) => text.includes('"shutting down"'), 'that it ends');
      expect(applier.isRunning()).toBe(true);
      await held.release();
      expect([await applier.ended, applier.said()]).toMatchObject([{ code: 0, signal: null }, {}]);
      // The batch that was on its way is there, whole.
      expect(
        Number((await query(url, 'SELECT max(seq_no) AS n FROM checkpoints'))[0]?.['n']),
      ).toBeGreaterThan(0);
      expect(Number((await query(url, 'SELECT count(*) AS n FROM activities'))[0]?.['n'])).toBeGreaterThan(0);
      await stop(reader);
      await expectStraight(url);
    });

    it('rejects a promise that nobody handles says so with what it was doing, and ends with another code than 0 (Q21)', async () => {
      const { url } = await server.createDatabase();
      const worker = start(url, DISTURB);
      await follows(url, worker);
      worker.kill('SIGHUP');
      expect((await worker.ended).code).toBe(1);
      const line =
        worker
          .said()
          .split('\n')
          .find((text) => text.includes('unexpected error')) ?? '{}';
      expect(JSON.parse(line)).toMatchObject({
        level: 'error',
        kind: 'unhandled rejection',
        step: 'working',
        subject: 'eip155:31337',
        error: { message: 'nobody handles this' },
      });
      await expectStraight(url);
    });
  });
});

/** Until nothing more goes in. */
async function fill(client: Redis): Promise<void> {
  for (let size = 1_000_000; size >= 10;) {
    try {
      await client.append('filling', 'x'.repeat(size));
    } catch {
      size = Math.floor(size / 10);
    }
  }
}
