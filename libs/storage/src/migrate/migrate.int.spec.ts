import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import type { ScratchDatabase } from '../embedded/scratchDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { MigrationFailedError, SchemaVersionError } from './errors';
import { migrate, pendingMigrations } from './migrate';

let server: TestServer;
let database: ScratchDatabase;
let pool: Pool;
let dir: string;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  database = await server.createDatabase();
  pool = new Pool({ connectionString: database.url });
  dir = mkdtempSync(join(tmpdir(), 'imart-migrations-'));
});
afterEach(async () => {
  await pool.end();
  rmSync(dir, { recursive: true });
});

function write(name: string, sql: string): void {
  mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, name, 'migration.sql'), sql);
}

async function tables(): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
  );
  return rows.map((row) => row.name);
}

describe('migrate', () => {
  it('applies what is missing in name order, and nothing the second time', async () => {
    write('20240102_second', 'ALTER TABLE a ADD COLUMN m int; INSERT INTO a VALUES (1, 2);');
    write('20240101_first', 'CREATE TABLE a (n int);');
    expect(await pendingMigrations(pool, dir)).toEqual(['20240101_first', '20240102_second']);
    expect(await tables()).toEqual([]);
    expect(await migrate(pool, dir)).toEqual(['20240101_first', '20240102_second']);
    expect(await migrate(pool, dir)).toEqual([]);
    write('20240103_third', 'DROP TABLE a;');
    expect(await pendingMigrations(pool, dir)).toEqual(['20240103_third']);
    expect(await migrate(pool, dir)).toEqual(['20240103_third']);
    expect(await tables()).toEqual(['_prisma_migrations']);
  });

  it("keeps Prisma's table as Prisma does", async () => {
    const sql = '-- ä\nCREATE TABLE a (n int);\n';
    write('20240101_first', sql);
    await migrate(pool, dir);
    const { rows } = await pool.query('SELECT * FROM _prisma_migrations');
    expect(rows).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        checksum: createHash('sha256').update(sql, 'utf8').digest('hex'),
        finished_at: expect.any(Date),
        migration_name: '20240101_first',
        logs: null,
        rolled_back_at: null,
        started_at: expect.any(Date),
        applied_steps_count: 1,
      },
    ]);
  });

  it('rolls a failing migration back as a whole, keeps the ones before, and names its line', async () => {
    write('20240101_first', 'CREATE TABLE a (n int);');
    write('20240102_broken', 'CREATE TABLE b (n int);\n\nSELECT nonsense;\n');
    const failure = migrate(pool, dir);
    await expect(failure).rejects.toThrow(MigrationFailedError);
    await expect(failure).rejects.toThrow(
      '20240102_broken failed at line 3: column "nonsense" does not exist',
    );
    expect(await tables()).toEqual(['_prisma_migrations', 'a']);
    write('20240102_broken', 'CREATE TABLE b (n int);');
    expect(await migrate(pool, dir)).toEqual(['20240102_broken']);
  });

  it('refuses a migration that was changed after it was applied', async () => {
    write('20240101_first', 'CREATE TABLE a (n int);');
    await migrate(pool, dir);
    write('20240101_first', 'CREATE TABLE a (n bigint);');
    write('20240102_second', 'CREATE TABLE b (n int);');
    const failure = migrate(pool, dir);
    await expect(failure).rejects.toThrow(SchemaVersionError);
    await expect(failure).rejects.toMatchObject({ disposition: 'stop', code: 'SCHEMA_VERSION' });
    expect(await tables()).toEqual(['_prisma_migrations', 'a']);
  });

  it('refuses a database that is newer than the program', async () => {
    write('20240101_first', 'CREATE TABLE a (n int);');
    write('20240109_newer', 'CREATE TABLE b (n int);');
    await migrate(pool, dir);
    rmSync(join(dir, '20240109_newer'), { recursive: true });
    await expect(migrate(pool, dir)).rejects.toThrow('20240109_newer, which this program does not know');
    await expect(pendingMigrations(pool, dir)).rejects.toThrow(SchemaVersionError);
  });

  it('refuses one that another tool left half done, and ignores attempts that were rolled back', async () => {
    write('20240101_first', 'CREATE TABLE a (n int);');
    await migrate(pool, dir);
    await pool.query('UPDATE _prisma_migrations SET finished_at = NULL');
    await expect(migrate(pool, dir)).rejects.toThrow('not finished');
    await pool.query('DROP TABLE a; UPDATE _prisma_migrations SET rolled_back_at = now()');
    expect(await migrate(pool, dir)).toEqual(['20240101_first']);
  });

  it('lets one of several processes work while the others wait', async () => {
    write('20240101_first', 'CREATE TABLE a (n int); SELECT pg_sleep(0.1);');
    write('20240102_second', 'INSERT INTO a VALUES (1);');
    const pools = [0, 1, 2].map(() => new Pool({ connectionString: database.url }));
    const applied = await Promise.all(pools.map((p) => migrate(p, dir)));
    for (const p of pools) await p.end();
    expect(applied.map((names) => names.length).sort()).toEqual([0, 0, 2]);
    expect((await pool.query('SELECT * FROM a')).rowCount).toBe(1);
  });

  it('works on a client of the caller, and gives the lock back', async () => {
    write('20240101_first', 'CREATE TABLE a (n int);');
    const client = await pool.connect();
    expect(await migrate(client, dir)).toEqual(['20240101_first']);
    const { rows } = await client.query(
      `SELECT count(*)::int AS held FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    expect(rows).toEqual([{ held: 0 }]);
    client.release();
  });

  it('refuses a directory without migrations', async () => {
    await expect(migrate(pool, dir)).rejects.toThrow(`${dir} holds no migrations`);
    await expect(migrate(pool, join(dir, 'missing'))).rejects.toThrow('holds no migrations');
  });

  it('applies the migrations of this repository to an empty database', async () => {
    const migrations = join(__dirname, '../../../../prisma/migrations');
    expect(existsSync(migrations)).toBe(true);
    const names = readdirSync(migrations, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(await migrate(pool, migrations)).toHaveLength(names.length);
  });
});
