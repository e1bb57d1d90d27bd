import { mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyViews, createScratchDatabase, migrate, startEmbeddedPostgres } from '@imart/storage';
import { Client } from 'pg';

const PRISMA = join(__dirname, '../../../../prisma');

/** A database at the program's schema, for the specs of one file. */
export interface ApiDatabase {
  readonly url: string;
  /** Inserts rows; what a row does not name is NULL. */
  insert(table: string, ...rows: readonly Readonly<Record<string, unknown>>[]): Promise<void>;
  run(sql: string): Promise<void>;
  /** Defines the views, as a worker does. */
  applyViews(): Promise<void>;
  stop(): Promise<void>;
}

/** On the server that `IMART_TEST_DATABASE_URL` names, or else on an embedded one that is gone at `stop`. */
export async function createApiDatabase(): Promise<ApiDatabase> {
  const given = process.env['IMART_TEST_DATABASE_URL'] ?? '';
  const server = given === '' ? await startServer() : { url: given, stop: async () => undefined };
  const database = await createScratchDatabase(server.url);
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await migrate(client, join(PRISMA, 'migrations'));
  const views = (): Promise<void> => applyViews(client, join(PRISMA, 'views.sql'));
  await views();
  return {
    applyViews: views,
    url: database.url,
    async insert(table, ...rows) {
      await client.query(
        `INSERT INTO "${table}" SELECT * FROM jsonb_populate_recordset(NULL::"${table}", $1::jsonb)`,
        [JSON.stringify(rows)],
      );
    },
    async run(sql) {
      await client.query(sql);
    },
    async stop() {
      await client.end();
      await database.drop();
      await server.stop();
    },
  };
}

async function startServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'imart-test-api-'));
  // The server may run as another user than the test.
  chmodSync(dir, 0o755);
  const server = await startEmbeddedPostgres({
    dataDir: join(dir, 'data'),
    database: 'postgres',
    settings: { fsync: 'off', synchronous_commit: 'off' },
    stopWithProcess: true,
  });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
