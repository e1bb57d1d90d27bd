import { silentLogger } from '@imart/runtime';
import { createPool, prismaDirectory, startEmbeddedPostgres, type DatabasePool } from '@imart/storage';
import { join } from 'node:path';
import { loadImartConfig } from './config';

export const VIEWS_FILE = join(prismaDirectory(), 'views.sql');

/** Runs work on the worker's database, and leaves no server and no connection behind. */
export async function withDatabase<T>(work: (pool: DatabasePool) => Promise<T>): Promise<T> {
  const config = loadImartConfig();
  const embedded =
    config.databaseUrl === undefined
      ? await startEmbeddedPostgres({ dataDir: join(config.dataDir, 'postgres') })
      : undefined;
  const pool = createPool({
    connectionString: config.databaseUrl ?? (embedded?.url as string),
    max: 8,
    applicationName: 'imart',
    logger: silentLogger,
  });
  try {
    return await work(pool);
  } finally {
    await pool.end();
    await embedded?.stop();
  }
}
