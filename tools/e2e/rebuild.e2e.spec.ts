import { Client } from 'pg';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { runTraffic, startDevnet, type Devnet, type Expected } from '../devnet/src';
import { dump, query } from '../realdata/tables';
import { chainOf, createMarket, type Chain, type Market } from './market';
import type { Program } from './programs';
import { compareWithExpected } from './storedTables';
import { until } from './until';

/* A newer worker rebuilds the states of older reducers when it starts; an orchestrator tells it to stop meanwhile (Q20). */

type Tables = Readonly<Record<string, string>>;

describe('a worker that is told to stop while it rebuilds the states', () => {
  let market: Market;
  let server: TestServer;
  let devnet: Devnet;
  let chain: Chain;
  let expected: Expected;
  /** The tables of an undisturbed run, and the database whose states older reducers have made otherwise. */
  let right: Tables;
  let older: string;
  let oldTables: Tables;

  beforeAll(async () => {
    market = createMarket();
    server = await startTestServer();
    devnet = await startDevnet();
    expected = await runTraffic(devnet, { seed: 31, actions: 200, perBlock: 6 });
    chain = chainOf(devnet);
    const { url } = await server.createDatabase();
    await market.runWorker(chain, url, expected);
    right = await dump(url);
    await query(
      url,
      `UPDATE orders SET market = 'another'; DELETE FROM tokens WHERE token_id % 2 = 0; DELETE FROM activities WHERE seq_no % 3 = 0;
       UPDATE worker_state SET value = regexp_replace(value, ':[0-9]+', ':0', 'g') WHERE key = 'reducer-versions'`,
    );
    older = url;
    oldTables = await dump(url);
    expect(oldTables).not.toEqual(right);
  });
  afterAll(async () => {
    await market?.close();
    await devnet?.stop();
    await server?.stop();
  });

  const nameOf = (url: string): string => new URL(url).pathname.slice(1);
  const copyOfOlder = async (): Promise<string> => {
    const { url } = await server.createDatabase();
    await query(server.adminUrl, `DROP DATABASE "${nameOf(url)}"`);
    await query(server.adminUrl, `CREATE DATABASE "${nameOf(url)}" TEMPLATE "${nameOf(older)}"`);
    return url;
  };
  const versions = async (url: string): Promise<unknown> =>
    (await query(url, `SELECT value FROM worker_state WHERE key = 'reducer-versions'`))[0]?.['value'];

  /** In order, and long before its grace period is over. */
  async function endsInOrder(worker: Program): Promise<void> {
    worker.kill('SIGTERM');
    const started = performance.now();
    const { code, signal } = await worker.ended;
    expect([code ?? signal, worker.said()]).toEqual([0, expect.not.stringContaining('"level":"error"')]);
    expect(performance.now() - started).toBeLessThan(10_000);
  }
  /** The states are all old or all new, as the versions say, and nothing half-made is left. */
  async function isWhole(url: string): Promise<'old' | 'new'> {
    const isOld = (await versions(url)) === (await versions(older));
    expect(await dump(url)).toEqual(isOld ? oldTables : right);
    expect(
      await query(url, `SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'replay\\_%'`),
    ).toEqual([]);
    return isOld ? 'old' : 'new';
  }
  async function nextStartCompletes(url: string): Promise<void> {
    await market.runWorker(chain, url, expected);
    expect(await versions(url)).not.toEqual(await versions(older));
    expect(await dump(url)).toEqual(right);
    expect((await compareWithExpected(url, expected)).differences).toEqual([]);
  }

  it.each(['the states are rebuilt from the log', '"comparing"', '"switching"'])(
    'ends with 0 at %s, leaves states that are whole, and the next start completes them',
    async (step) => {
      const url = await copyOfOlder();
      const worker = market.startWorker(chain, url);
      await worker.line((text) => text.includes(step), `a line with ${step}`);
      await endsInOrder(worker);
      await isWhole(url);
      await nextStartCompletes(url);
    },
  );

  it('ends with 0 while it waits for the lanes of older workers: the states are as they were', async () => {
    const url = await copyOfOlder();
    const other = new Client({ connectionString: url });
    await other.connect();
    try {
      await other.query('BEGIN; SELECT FROM checkpoints FOR UPDATE');
      const worker = market.startWorker(chain, url);
      await until('it waits for the lock', async () => {
        const waiting = await query(
          url,
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return waiting.length > 0 || !worker.isRunning();
      });
      await endsInOrder(worker);
    } finally {
      await other.end();
    }
    expect(await isWhole(url)).toBe('old');
    await nextStartCompletes(url);
  });
});
