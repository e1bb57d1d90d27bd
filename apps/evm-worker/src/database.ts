import { dispositionOf, messageOf } from '@imart/core';
import { retryDelayMs, STORAGE_RETRY, waitMs } from '@imart/pipeline';
import type { Logger, Shutdown } from '@imart/runtime';
import {
  applyViews,
  createPool,
  migrate,
  prismaDirectory,
  startEmbeddedPostgres,
  toStorageError,
  type DatabasePool,
} from '@imart/storage';
import { join } from 'node:path';
import type { EvmWorkerConfig } from './config';

/**
 * A lane's transaction holds one connection and reads states on another, and so does catching up; the sweeper, the head,
 * wake-ups' fates and the health pages take some more. With fewer, lanes would wait for each other's connections.
 */
const connectionsFor = (lanes: number): number => 2 * lanes + 8;

export interface Database {
  readonly pool: DatabasePool;
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
  const pool = createPool({
    connectionString: url,
    max: connectionsFor(config.lanes),
    applicationName: 'imart-evm-worker',
    logger,
  });
  shutdown.onClose('database connections', () => pool.end());
  for (let attempt = 1; ; attempt++) {
    try {
      const prisma = prismaDirectory();
      const applied = await migrate(pool, join(prisma, 'migrations'));
      if (applied.length > 0) logger.info('migrations applied', { applied });
      await applyViews(pool, join(prisma, 'views.sql'));
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
