import { join } from 'node:path';
import { createScriptedMarket } from '../replay-fullnode/src/scriptedMarket';
import { query } from '../realdata/tables';
import {
  hasTestRedis,
  openTestRedis,
  type TestRedisDatabase,
} from '../../libs/stream/src/testing/redisDatabase';
import { createAptosWorkers, type AptosWorkers } from './aptosWorkers';
import { createMarket, type Market, type Settings } from './market';
import type { Program } from './programs';
import { until } from './until';

/* Workers of both kinds of chains over one database, and whom they tell of what; the process that tells is killed on the way. */

const LEASE_MS = 2_000;

let workers: AptosWorkers;
let evm: Market;
let url: string;
let redis: TestRedisDatabase | null = null;

beforeAll(async () => {
  workers = await createAptosWorkers();
  evm = createMarket();
  url = await workers.createDatabase();
  if (hasTestRedis()) redis = await openTestRedis();
  else console.warn('redis-server is not installed: nothing is written to lists in Redis');
});
afterAll(async () => {
  await evm?.close();
  await workers?.close();
  await redis?.stop();
});

const telling = (when: 'executed' | 'final' | 'off'): Settings => ({
  NOTIFICATIONS: when,
  NOTIFICATIONS_FROM: 'beginning',
  LEASE_MS,
  ...(redis === null ? {} : { REDIS_URL: redis.url }),
});

/** Sales and offers of the tables, and who is to be told of them: by other means than the program's. */
const EXPECTED = `
  SELECT DISTINCT s.subject_id || ' ' || a.seq_no AS event, 'MarketOrderFilled' AS kind, a.from_address AS receiver
  FROM activities a JOIN subjects s ON s.id = a.subject
  WHERE a.kind = 'SALE' AND a.side = 'listing' AND a.from_address <> a.to_address AND a.order_id IS NOT NULL
  UNION SELECT s.subject_id || ' ' || a.seq_no, 'MarketOfferAccepted', a.to_address
  FROM activities a JOIN subjects s ON s.id = a.subject
  WHERE a.kind = 'SALE' AND a.side = 'offer' AND a.from_address <> a.to_address ORDER BY 1, 2, 3`;
const TOLD = `
  SELECT s.subject_id || ' ' || n.seq_no AS event, n.kind, n.receiver FROM notifications n JOIN subjects s ON s.id = n.subject
  WHERE n.kind IN ('MarketOrderFilled', 'MarketOfferAccepted') ORDER BY 1, 2, 3`;

const readersAtEnd = async (): Promise<boolean> => {
  const [row] = await query(
    url,
    `SELECT bool_and(u.feed_no = s.last_feed_no) AND NOT EXISTS (SELECT FROM notification_outbox) AS done
     FROM subscriptions u JOIN subjects s ON s.id = u.subject WHERE u.name = 'notifications'`,
  );
  return row?.['done'] === true;
};
const toldCount = async (): Promise<number> =>
  Number((await query(url, 'SELECT count(*) AS n FROM notifications'))[0]?.['n']);

it('accounts of both chains are told of every sale and offer once, though the process that tells is killed (E1)', async () => {
  const { ledger } = createScriptedMarket({ chainId: 4, transactions: 250, seed: 5 });
  const node = await workers.fullnode(ledger);
  const settings = { ...workers.settingsOf('rest', node), CHAIN_ID: 4, DATABASE_URL: url };
  await workers.toEnd(workers.start({ ...settings, ...telling('off'), END_VERSION: String(ledger.head) }));
  const chain = await evm.startChain('--script', '120', '--seed', '31');
  await evm.runWorker(chain, url, await chain.expected, telling('off'));
  expect(await toldCount()).toBe(0);

  const aptos = (): Program => workers.start({ ...settings, ...telling('executed'), ROLE: 'apply' });
  const ofEvm = (): Program =>
    evm.startWorker(chain, url, {
      ...telling('executed'),
      ROLE: 'apply',
      RPC_URLS: '',
      RPC_WS_URL: '',
      MARKETS: '',
      START_BLOCK: '',
    });
  const killed = [aptos(), ofEvm()];
  await until('somebody is told', async () => (await toldCount()) > 0);
  for (const worker of killed) worker.kill('SIGKILL');
  for (const worker of killed) await worker.ended;
  const living = [aptos(), aptos(), ofEvm(), ofEvm()];
  await until('everybody is told', async () => (await readersAtEnd()) && (await toldCount()) > 0);
  for (const worker of living) worker.kill('SIGTERM');
  for (const worker of living) expect([await worker.ended, worker.said()]).toMatchObject([{ code: 0 }, {}]);

  const told = await query(url, TOLD);
  expect(told).toEqual(await query(url, EXPECTED));
  for (const subject of ['aptos:4', 'eip155:']) {
    expect(told.filter(({ event }) => String(event).startsWith(subject)).length).toBeGreaterThan(5);
  }
  expect(await query(url, 'SELECT DISTINCT revision FROM notifications')).toEqual([{ revision: 1 }]);
  const kinds = (await query(url, 'SELECT DISTINCT kind FROM notifications')).map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(['MarketOfferReceived', 'MarketOrderFilled']));
});

it('the API gives them for an account', async () => {
  const server = evm.start('api', [], { DATABASE_URL: url, PORT: 0, LOG_DIR: join(evm.directory, 'logs') });
  const line = await server.line((text) => text.includes('"listening"'), 'where it listens');
  const { address } = JSON.parse(line) as { address: string };
  const accounts = await query(
    url,
    `SELECT n.receiver, count(*)::int AS n, min(s.subject_id) AS subject FROM notifications n JOIN subjects s ON s.id = n.subject
     GROUP BY n.receiver, n.subject ORDER BY n.receiver LIMIT 5`,
  );
  for (const { receiver, n, subject } of accounts) {
    const answer = await fetch(
      `${address}/v1/accounts/${receiver}/notifications?subject=${subject}&limit=500`,
    );
    const { items } = (await answer.json()) as { items: readonly { subject: string }[] };
    expect(items.map((item) => item.subject)).toEqual(Array.from({ length: Number(n) }, () => subject));
  }
});
