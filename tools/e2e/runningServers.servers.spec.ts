import type { SubjectId } from '@imart/core';
import { silentLogger } from '@imart/runtime';
import { createWakeUpStream } from '@imart/stream';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { openTestRedis, type TestRedisDatabase } from '../../libs/stream/src/testing/redisDatabase';
import { query } from '../realdata/tables';
import { startSteppedChain, type SteppedChain } from './atTheHead';
import { createMarket, executedReaches, type Market, type Settings } from './market';
import type { Program } from './programs';
import { compareWithExpected, rowsOf } from './storedTables';
import { until } from './until';

/* The programs as in production: a process for each role, on servers that run already. */

const SUBJECT = 'eip155:31337' as SubjectId;
const LANES = 2;
/** A process that executes needs nothing of the chain. */
const APPLY: Settings = { ROLE: 'apply', RPC_URLS: '', RPC_WS_URL: '', MARKETS: '', START_BLOCK: '' };

let market: Market;
let server: TestServer;
let redis: TestRedisDatabase;
let stepped: SteppedChain;

beforeAll(async () => {
  server = await startTestServer();
  redis = await openTestRedis();
  market = createMarket();
  stepped = await startSteppedChain({}, 61);
});
afterAll(async () => {
  await stepped?.stop();
  await market?.close();
  await redis?.stop();
  await server?.stop();
});

/** What became of the jobs of all lanes. */
async function jobs(): Promise<{ completed: number; unfinished: number; failed: number }> {
  const backend = { kind: 'redis', url: redis.url } as const;
  const stream = await createWakeUpStream({
    subjectId: SUBJECT,
    observer: 'market',
    backend,
    logger: silentLogger,
  });
  try {
    const sum = { completed: 0, unfinished: 0, failed: 0 };
    for (let lane = 0; lane < LANES; lane++) {
      const counts = await stream.counts(lane);
      sum.completed += counts.completed;
      sum.unfinished += counts.waiting + counts.active;
      sum.failed += counts.failed;
    }
    return sum;
  } finally {
    await stream.close();
  }
}

it('processes of every role leave the rows of what was traded, one of them killed on the way; the API serves them, and from its cache', async () => {
  const { url } = await server.createDatabase();
  const settings = { REDIS_URL: redis.url, LANES };
  const start = (more: Settings): Program => market.startWorker(stepped.chain, url, { ...settings, ...more });
  const reader = start({ ROLE: 'ingest' });
  const appliers = [start(APPLY), start(APPLY)] as const;
  await executedReaches(url, stepped.chain.startBlock, reader);
  await stepped.trade(6, 8, reader, url);
  appliers[0].kill('SIGKILL');
  const expected = await stepped.trade(6, 8, reader, url);
  const { differences, rows } = await compareWithExpected(url, expected);
  expect(differences).toEqual([]);
  expect(rows).toEqual(rowsOf(expected));

  // A lane may have executed what the jobs that it did not wait for are about: they end all the same.
  await until('every job is finished', async () => (await jobs()).unfinished === 0);
  expect(await jobs()).toMatchObject({ failed: 0, completed: expect.any(Number) });
  expect((await jobs()).completed).toBeGreaterThan(50);
  expect(await query(url, `SELECT FROM pg_namespace WHERE nspname = 'imart_jobs'`)).toEqual([]);

  const api = market.start('api', [], {
    DATABASE_URL: url,
    REDIS_URL: redis.url,
    API_PORT: 0,
    HOST: '127.0.0.1',
    LOG_DIR: market.directory,
  });
  const { address } = JSON.parse(
    await api.line((text) => text.includes('"listening"'), 'the line of where it listens'),
  ) as { address: string };
  const get = async (path: string): Promise<Response> => {
    const answer = await fetch(`${address}${path}`, { signal: AbortSignal.timeout(10_000) });
    expect([path, answer.status]).toEqual([path, 200]);
    return answer;
  };
  const { items } = (await (await get('/v1/activities?limit=100')).json()) as { items: { txHash: string }[] };
  expect(items.map(({ txHash }) => txHash)).toEqual(
    expected.activities
      .slice(-100)
      .map(({ txHash }) => txHash)
      .reverse(),
  );
  const [order] = await query(url, 'SELECT contract, order_id FROM orders LIMIT 1');
  const path = `/v1/orders/${SUBJECT}/${order?.['contract']}/${order?.['order_id']}`;
  const fresh: unknown = await (await get(path)).json();
  await until('an answer came from the cache', async () => {
    expect(await (await get(path)).json()).toEqual(fresh);
    return /^imart_cache_hits_total\{.*\} [1-9]/m.test(await (await get('/metrics')).text());
  });

  for (const program of [reader, appliers[1], api]) {
    program.kill('SIGTERM');
    expect([await program.ended, program.said()]).toEqual([{ code: 0, signal: null }, expect.any(String)]);
  }
});
