import { join } from 'node:path';
import { aggregateHash, laneOf, type SubjectId } from '@imart/core';
import { silentLogger } from '@imart/runtime';
import { createWakeUpStream, type WakeUpBackend } from '@imart/stream';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { describeWithOwnRedis } from '../../libs/stream/src/testing/describeWithRedis';
import { startTestRedis } from '../../libs/stream/src/testing/redisServer';
import { startSteppedChain, type SteppedChain } from './atTheHead';
import { dump, query } from '../realdata/tables';
import { createMarket, executedReaches, type Market } from './market';
import type { Program } from './programs';
import { compareWithExpected, rowsOf } from './storedTables';
import { until } from './until';

const SUBJECT = 'eip155:31337' as SubjectId;

/** The fate of the job of every event in the log, by seq no; `none` where there is no such job. */
async function fatesOf(
  url: string,
  backend: WakeUpBackend,
  lanes: number,
): Promise<{ fates: ReadonlyMap<string, string>; unfinished: number; failed: number }> {
  const stream = await createWakeUpStream({
    subjectId: SUBJECT,
    observer: 'market',
    backend,
    logger: silentLogger,
  });
  try {
    const fates = new Map<string, string>();
    for (const row of await query(url, 'SELECT seq_no, aggregate_type, aggregate_id FROM event_log')) {
      const { seq_no: seqNo, aggregate_type: type, aggregate_id: id } = row;
      const lane = laneOf(aggregateHash(String(type), String(id)), lanes);
      const job = await stream.job(lane, `${SUBJECT.replace(':', '_')}-${seqNo}-0-${lane}`);
      fates.set(String(seqNo), job === null ? 'none' : (job.fate ?? job.state));
    }
    let unfinished = 0;
    let failed = 0;
    for (let lane = 0; lane < lanes; lane++) {
      const counts = await stream.counts(lane);
      unfinished += counts.waiting + counts.active;
      failed += counts.failed;
    }
    return { fates, unfinished, failed };
  } finally {
    await stream.close();
  }
}

const isExecuted = (fate: string): boolean => fate === 'executed' || fate === 'already-executed';

describe('the worker at the head', () => {
  let market: Market;
  let server: TestServer;
  let stepped: SteppedChain;
  beforeAll(async () => {
    market = createMarket();
    server = await startTestServer();
  });
  beforeEach(async () => {
    stepped = await startSteppedChain({}, 21);
  });
  afterEach(() => stepped?.stop());
  afterAll(async () => {
    await market?.close();
    await server?.stop();
  });

  const expectTables = async (url: string, expected: Parameters<typeof rowsOf>[0]): Promise<void> => {
    const { differences, rows } = await compareWithExpected(url, expected);
    expect(differences).toEqual([]);
    expect(rows).toEqual(rowsOf(expected));
  };
  const endInOrder = async (worker: Program): Promise<void> => {
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
  };

  it('has one job for each event, whose result is the fate of its event, parked ones included', async () => {
    const { url } = await server.createDatabase();
    const { chain } = stepped;
    const lanes = 2;
    await market.startWorker(chain, url, { LANES: lanes, END_BLOCK: chain.startBlock }).ended;
    // The first token of the collection is set aside before anything is known of it.
    const parked = `${chain.collections[0]}:1`;
    await query(
      url,
      `INSERT INTO park_markers (subject, aggregate_type, aggregate_id, from_seq_no, code, message)
       SELECT id, 'token', '${parked}', 0, 'TEST', 'set aside by a test' FROM subjects`,
    );
    const worker = market.startWorker(chain, url, { LANES: lanes });
    // The newest 200 jobs of each lane are kept: fewer than that here.
    await stepped.trade(12, 6, worker, url);
    const backend = { kind: 'postgres', connectionString: url } as const;
    await until('every job is finished', async () => (await fatesOf(url, backend, lanes)).unfinished === 0);
    const { fates, failed } = await fatesOf(url, backend, lanes);
    expect(failed).toBe(0);
    const aside = await query(url, `SELECT seq_no FROM event_log WHERE aggregate_id = '${parked}'`);
    expect(aside.length).toBeGreaterThan(0);
    for (const { seq_no } of aside) expect(fates.get(String(seq_no))).toBe('parked');
    const others = [...fates].filter(([seqNo]) => !aside.some(({ seq_no }) => seq_no === seqNo));
    expect(others.length).toBeGreaterThan(70);
    expect(others.filter(([, fate]) => !isExecuted(fate))).toEqual([]);
    const all = await query(url, `SELECT id FROM imart_jobs.job WHERE id LIKE 'eip155%'`);
    expect(all).toHaveLength(fates.size);
    await endInOrder(worker);
  });

  describeWithOwnRedis('with jobs in Redis', () => {
    it('leaves the same rows with its jobs in Redis, also when Redis dies and forgets them (Q3)', async () => {
      const redis = await startTestRedis(['--maxmemory-policy', 'noeviction']);
      try {
        const [inRedis, inPostgres] = [await server.createDatabase(), await server.createDatabase()];
        const settings = { REDIS_URL: redis.url, SWEEP_INTERVAL_MS: 100 };
        const worker = market.startWorker(stepped.chain, inRedis.url, settings);
        await executedReaches(inRedis.url, stepped.chain.startBlock, worker);
        const before = await stepped.trade(8, 6, worker, inRedis.url);
        await expectTables(inRedis.url, before);
        const backend = { kind: 'redis', url: redis.url } as const;
        await until(
          'every job is finished',
          async () => (await fatesOf(inRedis.url, backend, 1)).unfinished === 0,
        );
        const { fates, failed } = await fatesOf(inRedis.url, backend, 1);
        expect(fates.size).toBeGreaterThan(50);
        expect([...fates.values()].filter((fate) => !isExecuted(fate))).toEqual([]);
        expect(failed).toBe(0);
        expect(await query(inRedis.url, `SELECT FROM pg_namespace WHERE nspname = 'imart_jobs'`)).toEqual([]);

        await redis.kill();
        await redis.restart();
        const expected = await stepped.trade(8, 6, worker, inRedis.url);
        await expectTables(inRedis.url, expected);
        await endInOrder(worker);
        await market.runWorker(stepped.chain, inPostgres.url, expected);
        expect(await dump(inRedis.url)).toEqual(await dump(inPostgres.url));
      } finally {
        await redis.stop();
      }
    });
  });

  it('waits while its chain is away, and goes on when it is back', async () => {
    const { url } = await server.createDatabase();
    const dataDir = join(market.directory, 'chain');
    let away = await startSteppedChain({ dataDir }, 22);
    try {
      const { chain } = away;
      const worker = market.startWorker(chain, url);
      await executedReaches(url, chain.startBlock, worker);
      await away.trade(5, 6, worker, url);
      await away.stop();
      await worker.line((text) => /"level":"(warn|error)"/.test(text), 'a word about its chain');
      away = await startSteppedChain({ dataDir, port: Number(new URL(chain.rpcUrl).port) }, 22);
      const expected = await away.trade(8, 6, worker, url);
      await expectTables(url, expected);
      await endInOrder(worker);
    } finally {
      await away.stop();
    }
  });

  it('goes on at the head on the tables that replay has switched to, and the API serves the same all along', async () => {
    const { url } = await server.createDatabase();
    const worker = market.startWorker(stepped.chain, url, { SNAPSHOT_EVERY: 3 });
    await executedReaches(url, stepped.chain.startBlock, worker);
    const before = await stepped.trade(15, 10, worker, url);
    const snapshots = await query(
      url,
      `SELECT count(*) AS count, min(version) AS least, bool_and(version % 3 = 0) AS every_third FROM snapshots`,
    );
    expect(Number(snapshots[0]?.['count'])).toBeGreaterThan(5);
    expect(snapshots[0]).toMatchObject({ every_third: true });

    const api = market.start('api', [], {
      DATABASE_URL: url,
      API_PORT: 0,
      HOST: '127.0.0.1',
      LOG_DIR: market.directory,
    });
    const listening = JSON.parse(
      await api.line((text) => text.includes('"listening"'), 'the line of where it listens'),
    ) as { address: string };
    const get = async (path: string): Promise<unknown> => {
      const response = await fetch(`${listening.address}${path}`, { signal: AbortSignal.timeout(10_000) });
      expect([path, response.status]).toEqual([path, 200]);
      return response.json();
    };
    const served = async (): Promise<unknown[]> => {
      const paths = ['orders', 'offers', 'tokens', 'collections', 'activities'];
      return Promise.all(paths.map((path) => get(`/v1/${path}?limit=100`)));
    };
    const servedBefore = await served();
    const rowsBefore = await dump(url);
    const oids = async () =>
      query(
        url,
        `SELECT 'orders'::regclass::oid::int AS orders, 'activities'::regclass::oid::int AS activities`,
      );
    const oidsBefore = await oids();

    // The worker runs meanwhile.
    const replayed = market.start('imart', ['replay', '--threads', '3'], { DATABASE_URL: url });
    expect([await replayed.ended, replayed.said()]).toEqual([
      { code: 0, signal: null },
      expect.stringMatching(
        /replayed \d+ events into \d+ rows and \d+ activities in .*; verified and switched/,
      ),
    ]);
    const oidsAfter = await oids();
    expect(oidsAfter[0]?.['orders']).not.toBe(oidsBefore[0]?.['orders']);
    expect(oidsAfter[0]?.['activities']).not.toBe(oidsBefore[0]?.['activities']);
    expect(await dump(url)).toEqual(rowsBefore);
    expect(await served()).toEqual(servedBefore);
    await expectTables(url, before);

    const expected = await stepped.trade(10, 10, worker, url);
    await expectTables(url, expected);
    const newest = (await get('/v1/activities?limit=100')) as { items: { txHash: string }[] };
    const hashes = expected.activities
      .slice(-100)
      .map(({ txHash }) => txHash)
      .reverse();
    expect(newest.items.map(({ txHash }) => txHash)).toEqual(hashes);
    api.kill('SIGTERM');
    expect((await api.ended).code).toBe(0);
    await endInOrder(worker);
  });
});
