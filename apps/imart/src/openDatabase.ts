import { startEmbeddedPostgres } from '@imart/storage';
import { join } from 'node:path';
import { Pool } from 'pg';
import { loadImartConfig } from './config';

/** Views lie beside the bundle. */
export const VIEWS_FILE = join(__dirname, 'prisma', 'views.sql');

/** Runs work on the worker's database, and leaves no server and no connection behind. */
export async function withDatabase<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
  const config = loadImartConfig();
  const embedded =
    config.databaseUrl === undefined
      ? await startEmbeddedPostgres({ dataDir: join(config.dataDir, 'postgres') })
      : undefined;
  const pool = new Pool({
    connectionString: config.databaseUrl ?? embedded?.url,
    max: 8,
    application_name: 'imart',
  });
  // A connection that dies while idle is replaced; one that dies in use fails its statement.
  pool.on('error', () => undefined);
  try {
    return await work(pool);
  } finally {
    await pool.end();
    await embedded?.stop();
  }
}
