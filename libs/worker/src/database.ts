import type { Logger, Shutdown } from '@imart/runtime';
import {
  applyViews,
  createPool,
  migrate,
  prismaDirectory,
  startEmbeddedPostgres,
  type DatabasePool,
} from '@imart/storage';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { databaseThere } from './databaseThere';
import type { WorkerConfig } from './settings';

/** The database cuts names of connections that are longer, and then does not find them by the holder's name. */
const NAME_BYTES_MAX = 63;
const HOST_CHARACTERS_MAX = 24;

/**
 * A name for this process that no other one has, on any host: for the lease, and for the server's statistics.
 * @param program its name. @param host this host's.
 */
export function holderName(program: string, host = hostname()): string {
  const begin = `imart-${program} `;
  const end = `:${process.pid}:${randomBytes(4).toString('hex')}`;
  const charactersMax = Math.min(HOST_CHARACTERS_MAX, NAME_BYTES_MAX - begin.length - end.length);
  return `${begin}${host.replace(/[^\w.-]/g, '_').slice(0, charactersMax)}${end}`;
}

/**
 * A lane's transaction holds one connection and reads states on another, and so does catching up; the sweeper, the head,
 * wake-ups' fates, the readers of the feed and the health pages take some more. With fewer, lanes would wait for each other's connections.
 */
const connectionsFor = (lanes: number): number => 2 * lanes + 8;

export interface Database {
  readonly pool: DatabasePool;
  readonly url: string;
}

/** The database of the settings, or an embedded one, at the program's schema. Waits for a server that is not there yet (Q12). */
export async function openDatabase(
  config: Pick<WorkerConfig, 'databaseUrl' | 'dataDir' | 'lanes'>,
  holder: string,
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
    // How whoever takes over finds the transactions that a paused process has left open.
    applicationName: holder,
    logger,
  });
  shutdown.onClose('database connections', () => pool.end());
  await databaseThere(
    async () => {
      const prisma = prismaDirectory();
      const applied = await migrate(pool, join(prisma, 'migrations'));
      if (applied.length > 0) logger.info('migrations applied', { applied });
      await applyViews(pool, join(prisma, 'views.sql'));
    },
    { logger, signal: shutdown.signal },
  );
  return { pool, url };
}
