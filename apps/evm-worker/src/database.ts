import { dispositionOf, messageOf } from '@imart/core';
import { retryDelayMs, STORAGE_RETRY, waitMs } from '@imart/pipeline';
import type { Logger, Shutdown } from '@imart/runtime';
import { applyViews, migrate, startEmbeddedPostgres, toStorageError } from '@imart/storage';
import { join } from 'node:path';
import { Pool } from 'pg';
import type { EvmWorkerConfig } from './config';

/** Migrations and views lie beside the bundle. */
const PRISMA_DIR = join(__dirname, 'prisma');
/** Connections: one that writes, one that reads states, the lanes, the sweeper, the health checks. */
const CONNECTIONS_MAX = 8;

export interface Database {
  readonly pool: Pool;
  readonly url: string;
}

/** The database of the settings, or an embedded one, at the program's schema. Waits for a server that is not there yet (Q12). */
export async function openDatabase(
  config: EvmWorkerConfig,
  logger: Logger,
  shutdown: Shutdown,
): Promise<Database> {
  let url = config.databaseUrl;
  if (url === undefined) {
    const embedded = await startEmbeddedPostgres({ dataDir: join(config.dataDir, 'postgres'), logger });
    shutdown.onClose('embedded PostgreSQL', () => embedded.stop());
    url = embedded.url;
  }
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: 10_000,
    application_name: 'imart-evm-worker',
  });
  // An idle connection that dies is replaced at the next use.
  pool.on('error', (error) =>
    logger.warn('an idle database connection was lost', { error: messageOf(error) }),
  );
  shutdown.onClose('database connections', () => pool.end());
  for (let attempt = 1; ; attempt++) {
    try {
      const applied = await migrate(pool, join(PRISMA_DIR, 'migrations'));
      if (applied.length > 0) logger.info('migrations applied', { applied });
      await applyViews(pool, join(PRISMA_DIR, 'views.sql'));
      return { pool, url };
    } catch (cause) {
      const error = toStorageError(cause);
      if (dispositionOf(error) === 'stop' || shutdown.signal.aborted || !isPassing(error)) throw error;
      const delayMs = retryDelayMs(STORAGE_RETRY, attempt, Math.random);
      logger.warn('the database is not there, trying again', { attempt, delayMs, error: messageOf(error) });
      await waitMs(delayMs, shutdown.signal);
      if (shutdown.signal.aborted) throw error;
    }
  }
}

function isPassing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'STORAGE_UNAVAILABLE';
}
