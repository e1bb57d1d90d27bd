import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@imart/storage';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import type { Expected } from '../devnet/src';
import { dump, query } from '../realdata/tables';
import { startLiveChain } from './atTheHead';
import { chooseSeed, chooseVictims, createRandom, killAndRestart } from './kills';
import {
  createMarket,
  executedBlock,
  executedReaches,
  type Chain,
  type ChainProcess,
  type Market,
} from './market';
import { COMPARED_TABLES, compareWithExpected, rowsOf, storedName, type ComparedTable } from './storedTables';

/*
 * Everything as processes: the chain with its traffic, the worker, the database. What the worker leaves is compared with
 * what the traffic knows that it did.
 */

const SEED = chooseSeed();
/** Of the finished chain, which the worker catches up with. */
const SCRIPT_ACTIONS = 3_000;
const SCRIPT_SEED = 11;
/** Of the chain whose head the worker follows undisturbed. */
const LIVE = ['--block-time', '1', '--rate', '50', '--seed-actions', '40', '--actions', '450'];

/** What falsifies a row of each table. */
const CHANGES: Readonly<Record<ComparedTable, string>> = {
  orders: 'filled_quantity = 12345',
  offers: 'price = 12345',
  tokens: 'transfer_count = 12345',
  balances: 'quantity = 12345',
  collections: 'uri = uri || $$x$$',
  galleries: 'name = name || $$x$$',
  curationOffers: 'exhibit_expires_at = now()',
  exhibits: 'price = 12345',
  commissions: 'claimable = claimable + 1',
  lotteries: 'end_block = 1',
  prizes: 'claimed_quantity = 12345',
  activities: 'price = 12345',
};

/** Full durability: what is killed here must not forget. */
async function startDurableServer(): Promise<{ server: EmbeddedPostgres; remove(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'imart-test-durable-'));
  chmodSync(directory, 0o755);
  const server = await startEmbeddedPostgres({ dataDir: join(directory, 'data'), stopWithProcess: true });
  return {
    server,
    async remove() {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

describe(`the worker on a development chain (IMART_SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  let market: Market;
  let server: TestServer;
  let durable: Awaited<ReturnType<typeof startDurableServer>>;
  /** A finished chain of some thousand actions, the tables it makes, and their dump after an undisturbed run. */
  let script: { chain: ChainProcess; expected: Expected };
  let straight: Readonly<Record<string, string>>;
  /** Filled by the first test: a chain that was followed at its head. */
  let live: { chain: Chain; expected: Expected; url: string } | undefined;

  const expectTables = async (url: string, expected: Expected): Promise<void> => {
    const { differences, rows } = await compareWithExpected(url, expected);
    expect(differences).toEqual([]);
    expect(rows).toEqual(rowsOf(expected));
  };
  const freshDurable = async (name: string): Promise<string> => {
    await query(durable.server.url, `CREATE DATABASE ${name}`);
    return durable.server.url.replace(/\/[^/]+$/, `/${name}`);
  };
  const liveRun = (): NonNullable<typeof live> => {
    if (live === undefined) throw new Error('the live run has failed; see its own test');
    return live;
  };

  beforeAll(async () => {
    console.log(`random moments by IMART_SEED=${SEED}`);
    market = createMarket();
    server = await startTestServer();
    durable = await startDurableServer();
    const chain = await market.startChain('--script', String(SCRIPT_ACTIONS), '--seed', String(SCRIPT_SEED));
    script = { chain, expected: await chain.expected };
    const { url } = await server.createDatabase();
    await market.runWorker(chain, url, script.expected);
    straight = await dump(url);
    await expectTables(url, script.expected);
  });
  afterAll(async () => {
    await market?.close();
    await server?.stop();
    await durable?.remove();
  });

  it('would tell a row that is missing, one too many and one that differs, of every table', async () => {
    const { url } = await server.createDatabase();
    await market.runWorker(script.chain, url, script.expected);
    for (const compared of COMPARED_TABLES) {
      const table = storedName(compared);
      const newest = `(SELECT ctid FROM ${table} ORDER BY seq_no DESC LIMIT 1)`;
      await query(url, `UPDATE ${table} SET ${CHANGES[compared]} WHERE ctid = ${newest}`);
      await query(
        url,
        `DELETE FROM ${table} WHERE ctid = (SELECT ctid FROM ${table} ORDER BY seq_no LIMIT 1)`,
      );
    }
    await query(
      url,
      `INSERT INTO balances SELECT * FROM json_populate_record((SELECT b FROM balances b LIMIT 1), '{"owner":"0x01"}')`,
    );
    const { differences, rows } = await compareWithExpected(url, script.expected);
    const of = (table: string) => differences.filter((difference) => difference.table === table).length;
    expect(COMPARED_TABLES.map((table) => [table, of(table)])).toEqual(
      COMPARED_TABLES.map((table) => [table, table === 'balances' ? 3 : 2]),
    );
    expect(rows.orders).toBe(script.expected.orders.length - 1);
  });

  it('holds exactly what live traffic did, row by row, when it has followed the head', async () => {
    const { url } = await server.createDatabase();
    const chain = await market.startChain(...LIVE, '--seed', '5');
    const worker = market.startWorker(chain, url);
    const expected = await chain.expected;
    await executedReaches(url, expected.lastBlock, worker);
    await expectTables(url, expected);
    for (const count of Object.values(rowsOf(expected))) expect(count).toBeGreaterThan(0);
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
    live = { chain, expected, url };
  });

  it('leaves the same rows whether it followed the head or caught up later, in one lane or in four', async () => {
    const { chain, expected, url } = liveRun();
    const followed = await dump(url);
    for (const lanes of [1, 4]) {
      const caughtUp = await server.createDatabase();
      await market.runWorker(chain, caughtUp.url, expected, { LANES: lanes });
      expect(await dump(caughtUp.url)).toEqual(followed);
    }
    const inFour = await server.createDatabase();
    await market.runWorker(script.chain, inFour.url, script.expected, { LANES: 4, RANGE_BLOCKS_MAX: 7 });
    expect(await dump(inFour.url)).toEqual(straight);
  });

  it('leaves the same rows after five kills -9 of itself and of the database while it catches up (Q1)', async () => {
    const url = await freshDurable('catching_up');
    const { chain, expected } = script;
    const start = () =>
      market.startWorker(chain, url, { RANGE_BLOCKS_MAX: 2, END_BLOCK: expected.lastBlock });
    let worker = start();
    const victims = chooseVictims(random);
    const told: string[] = [];
    for (const [i, victim] of victims.entries()) {
      // One in each fifth of the chain, the last one a while before its end.
      const target = Math.floor(
        ((i + random.below(900) / 1_000) * expected.lastBlock) / (victims.length + 1),
      );
      await executedReaches(url, target, worker);
      await new Promise((resolve) => setTimeout(resolve, random.below(20)));
      worker = await killAndRestart(victim, durable.server, url, worker, start);
      told.push(`${victim} at ${await executedBlock(url)}`);
    }
    console.log(`killed while catching up to ${expected.lastBlock}: ${told.join(', ')}`);
    expect((await worker.ended).code).toBe(0);
    await expectTables(url, expected);
    expect(await dump(url)).toEqual(straight);
  });

  it('leaves the same rows after five kills -9 of itself and of the database while it follows the head (Q1)', async () => {
    const url = await freshDurable('following');
    const trading = await startLiveChain(6, 50);
    try {
      const { chain } = trading;
      const start = () => market.startWorker(chain, url, { LANES: 3 });
      let worker = start();
      const told: string[] = [];
      for (const victim of chooseVictims(random)) {
        await executedReaches(url, 2, worker);
        await new Promise((resolve) => setTimeout(resolve, random.below(800)));
        worker = await killAndRestart(victim, durable.server, url, worker, start);
        const at = await executedBlock(url);
        const back = performance.now();
        await executedReaches(url, at + 1, worker);
        told.push(`${victim} at ${at}, on after ${Math.round(performance.now() - back)} ms`);
      }
      const expected = await trading.endTraffic();
      console.log(`killed while following, of ${expected.lastBlock}: ${told.join(', ')}`);
      await executedReaches(url, expected.lastBlock, worker);
      await expectTables(url, expected);
      worker.kill('SIGTERM');
      expect(await worker.ended).toEqual({ code: 0, signal: null });
      // A run without a crash makes the same rows, also in what the traffic knows nothing of.
      const undisturbed = await server.createDatabase();
      await market.runWorker(chain, undisturbed.url, expected);
      expect(await dump(url)).toEqual(await dump(undisturbed.url));
    } finally {
      await trading.stop();
    }
  });

  it('ends with 0 when it is asked to in the middle of catching up, and goes on to the same rows', async () => {
    const { url } = await server.createDatabase();
    const { chain, expected } = script;
    const slowly = { RANGE_BLOCKS_MAX: 2, SHUTDOWN_GRACE_MS: 10_000 };
    const worker = market.startWorker(chain, url, { ...slowly, END_BLOCK: expected.lastBlock });
    await executedReaches(url, 1 + random.below(Math.floor(expected.lastBlock / 2)), worker);
    const asked = performance.now();
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - asked).toBeLessThan(slowly.SHUTDOWN_GRACE_MS);
    const stoppedAt = await executedBlock(url);
    expect(stoppedAt).toBeLessThan(expected.lastBlock);
    console.log(
      `asked to end at block ${stoppedAt} of ${expected.lastBlock}: took ${Math.round(performance.now() - asked)} ms`,
    );
    await market.runWorker(chain, url, expected);
    await expectTables(url, expected);
    expect(await dump(url)).toEqual(straight);
  });
});
