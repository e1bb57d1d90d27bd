import { spawnSync } from 'node:child_process';
import { mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Pool } from 'pg';
import { PURCHASE_SERVICES, type PurchaseId, type PurchaseServiceName } from '@imart/purchase';
import { createScratchDatabase, migrate, type ScratchDatabase } from '@imart/storage';
import { openPurchaseParts, type PurchaseParts } from '../../libs/storage/src/testing/purchaseDatabase';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { bundleApp, ROOT, type Bundle } from '../e2e/bundles';
import { createPrograms, type Program, type Programs } from '../e2e/programs';
import { until } from '../e2e/until';
import { runOversell, type Deadlines } from './run';

const MIGRATIONS = join(ROOT, 'prisma', 'migrations');
/** `IMART_SEED` repeats a run's random moments. */
const SEED = Number(process.env['IMART_SEED'] ?? 0) || 1 + Math.floor(Math.random() * 1e8);

const WORKING = [(line: string) => line.includes('working on purchases'), 'that it works'] as const;

let server: TestServer;
let worker: Bundle;
let imart: Bundle;
let directory: string;
let programs: Programs;

beforeAll(async () => {
  server = await startTestServer();
  worker = bundleApp('purchase-worker');
  imart = bundleApp('imart');
  directory = mkdtempSync(join(tmpdir(), 'imart-test-purchases-'));
  chmodSync(directory, 0o755);
  programs = createPrograms();
});
afterAll(async () => {
  await programs?.close();
  worker?.remove();
  imart?.remove();
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('processes that are killed at random', () => {
  it.each(['long', 'short'] as const)(
    'sell no more than there is, and end every purchase once, with %s deadlines (E14, E15, E16, E20)',
    async (deadlines: Deadlines) => {
      const { problems, kills, confirmed, left } = await runOversell({
        seed: SEED,
        deadlines,
        purchases: 200,
        units: 30,
        processes: 4,
        main: worker.main,
        adminUrl: server.adminUrl,
        redisUrl: process.env['IMART_TEST_REDIS_URL'],
        migrations: MIGRATIONS,
        logDir: directory,
      });
      expect({ seed: SEED, problems }).toEqual({ seed: SEED, problems: [] });
      expect(confirmed + left).toBe(30);
      expect(kills).toBeGreaterThan(0);
    },
  );
});

describe('with a database of their own', () => {
  let database: ScratchDatabase;
  let pool: Pool;
  let parts: PurchaseParts;

  beforeEach(async () => {
    database = await createScratchDatabase(server.adminUrl);
    pool = new Pool({ connectionString: database.url, max: 8 });
    await migrate(pool, MIGRATIONS);
    parts = await openPurchaseParts(pool);
  });
  afterEach(async () => {
    await pool?.end();
    await database?.drop();
  });

  const start = (services: readonly PurchaseServiceName[]): Program =>
    programs.start({
      name: `purchase-worker ${services.join(',')}`,
      args: [worker.main],
      env: { DATABASE_URL: database.url, PURCHASE_SERVICES: services.join(','), LOG_DIR: directory },
      cwd: directory,
      patienceMs: 120_000,
    });
  const statusOf = async (id: PurchaseId): Promise<string> => (await parts.read(id)).status;

  /** Holds rows, so that whoever works on them stands still within its statement. */
  async function holding(statement: string, work: () => Promise<void>): Promise<void> {
    const holder = new Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query(statement);
    try {
      await work();
    } finally {
      await holder.query('ROLLBACK');
      await holder.end();
    }
  }
  const somebodyWaits = async (): Promise<boolean> => {
    const { rowCount } = await pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return (rowCount ?? 0) > 0;
  };
  const killInside = async (services: readonly PurchaseServiceName[], holds: string): Promise<void> => {
    await holding(holds, async () => {
      const program = start(services);
      await until('it stands within its statement', somebodyWaits);
      program.kill('SIGKILL');
      await program.ended;
    });
  };

  it('each step is killed -9 in the middle of it, and the next process ends every purchase once (E15, E21)', async () => {
    await parts.createSale('art', { supply: 1 });
    const buy = async (productId: string, deadlineMs: number) =>
      (await parts.service.purchase({ productId, quantity: 1, deadlineMs })).id;
    const bought = await buy('art', 600_000);
    const ROWS = 'SELECT FROM purchases FOR UPDATE';
    const steps: readonly (readonly [PurchaseServiceName, string])[] = [
      ['task', 'pending stock.check-requested'],
      ['stock-check', 'pending stock.available'],
      ['order', 'pending order.processed'],
      ['order-creation', 'confirmed order.processed'],
    ];
    for (const [service, becomes] of steps) {
      await killInside([service], ROWS);
      // What died did its step, or did not, which its server may find out a moment later; both are fine, and now it is done.
      await until(`${service} is done`, async () => {
        await drainOnly([service]);
        const { status, step } = await parts.read(bought);
        return `${status} ${step}` === becomes;
      });
    }
    const refused = await buy('art', 600_000);
    await drainOnly(['task', 'stock-check']);
    await killInside(['order-failure'], ROWS);
    const running = start(PURCHASE_SERVICES);
    await running.line(...WORKING);
    await until('it is rejected', async () => (await statusOf(refused)) === 'rejected');
    running.kill('SIGTERM');
    expect((await running.ended).code).toBe(0);

    await parts.commands.request({ type: 'sale', id: 'art', name: 'Restocked', data: { quantity: 1 } });
    await parts.appendSales();
    const late = await buy('art', 3_600_000);
    await drainOnly(['task', 'stock-check', 'order']);
    expect((await parts.saleState('art')).minted).toBe(2);
    await pool.query(`UPDATE purchases SET deadline_at = clock_timestamp() WHERE id = $1`, [late]);
    await killInside(['deadline'], 'SELECT FROM subjects FOR UPDATE');
    const last = start(PURCHASE_SERVICES);
    await last.line(...WORKING);
    await until('it has failed', async () => (await statusOf(late)) === 'failed');
    last.kill('SIGTERM');
    await last.ended;
    expect((await parts.saleState('art')).minted).toBe(1);
    expect((await pool.query('SELECT FROM purchase_orders')).rowCount).toBe(1);

    async function drainOnly(services: readonly PurchaseServiceName[]): Promise<void> {
      const some = await openPurchaseParts(pool, { services: { services } });
      await some.services.drain();
    }
  });

  it('one of two processes is killed -9 with a purchase in hand: the other one ends it within 10 seconds (E20, E21)', async () => {
    await parts.createSale('art', { supply: 5 });
    const { id } = await parts.service.purchase({ productId: 'art', quantity: 1, deadlineMs: 600_000 });
    await killInside(['task', 'stock-check', 'order'], 'SELECT FROM purchases FOR UPDATE');
    const { id: next } = await parts.service.purchase({ productId: 'art', quantity: 1, deadlineMs: 600_000 });
    const other = start(PURCHASE_SERVICES);
    await other.line(...WORKING);
    await until(
      'both are confirmed',
      async () => {
        const statuses = [await statusOf(id), await statusOf(next)];
        return statuses.every((status) => status === 'confirmed');
      },
      10_000,
    );
    expect((await parts.saleState('art')).minted).toBe(2);
    other.kill('SIGTERM');
    await other.ended;
  });

  it('steps run in different processes, and imart buys, with an exit code for each end', async () => {
    const run = (...args: readonly string[]) =>
      spawnSync(process.execPath, [imart.main, ...args], {
        env: { PATH: process.env['PATH'], DATABASE_URL: database.url },
        encoding: 'utf8',
        timeout: 60_000,
      });
    const create = ['sale', 'create', 'art', '--name', 'Art', '--supply', '2', '--price', '1.50'];
    expect(run(...create, '--currency', 'APT', '--opens', 'now')).toMatchObject({ status: 0 });
    expect(run('sale', 'approve', 'art').stdout).toContain('LIVE, 2 of 2 left');
    expect(run('sale', 'approve', 'art')).toMatchObject({ status: 1 });
    const split: readonly (readonly PurchaseServiceName[])[] = [
      ['task', 'deadline'],
      ['stock-check'],
      ['order'],
      ['order-creation', 'order-failure'],
    ];
    const running = split.map(start);
    const { id } = await parts.service.purchase({ productId: 'art', quantity: 1 });
    await until('it is confirmed', async () => (await statusOf(id)) === 'confirmed');
    for (const program of running) await program.line(...WORKING);
    for (const program of running) program.kill('SIGTERM');
    for (const program of running) expect((await program.ended).code).toBe(0);

    // Nobody else works now: it does all steps itself.
    const confirmed = run('purchase', 'art', '1', '--key', 'mine');
    expect(confirmed).toMatchObject({ status: 0 });
    expect(confirmed.stdout).toMatch(/^confirmed: order [0-9a-f-]{36}, 1.5 APT\n$/);
    expect(run('purchase', 'art', '1', '--key', 'mine').stdout).toBe(confirmed.stdout);
    const rejected = run('purchase', 'art', '1');
    expect(rejected).toMatchObject({ status: 3, stdout: 'rejected: nothing is left (SOLD_OUT)\n' });
    expect(run('purchase', 'art', '1', '--deadline', '0.001')).toMatchObject({ status: 4 });
    const wrong = run('purchase', 'art', 'two');
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain("got 'two'");
    expect(run('sale', 'restock', 'art', '--quantity', '5').stdout).toContain('5 of 7 left');
    expect(run('sale', 'close', 'art').stdout).toContain('ENDED');
    expect(run('purchase', 'art', '1')).toMatchObject({ status: 3 });
  });
});
