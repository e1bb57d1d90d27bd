import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError, messageOf } from '@imart/core';
import { silentLogger } from '@imart/runtime';
import {
  createPool,
  DatabaseNotPreparedError,
  pendingMigrations,
  prismaDirectory,
  SchemaVersionError,
  startEmbeddedPostgres,
  toConnectError,
  type DatabasePool,
} from '@imart/storage';
import { loadImartConfig } from './config';
import { InterruptedError, untilInterrupted } from './interruption';

export const VIEWS_FILE = join(prismaDirectory(), 'views.sql');
const MIGRATIONS_DIRECTORY = join(prismaDirectory(), 'migrations');

/**
 * Runs work on the worker's database, and leaves no server and no connection behind. Makes no database and no table. The work is given the
 * address too, for connections of its own.
 * @throws {ConfigError} when the settings name no database.
 * @throws {InterruptedError} the work goes on in vain: the process is to be ended.
 * @throws {DatabaseNotPreparedError} @throws {SchemaVersionError} when its tables are not those of this program.
 */
export async function withDatabase<T>(
  work: (pool: DatabasePool, connectionString: string) => Promise<T>,
): Promise<T> {
  const config = loadImartConfig();
  const embedded =
    config.databaseUrl === undefined ? await startEmbedded(join(config.dataDir, 'postgres')) : undefined;
  const connectionString = config.databaseUrl ?? (embedded?.url as string);
  const pool = createPool({
    connectionString,
    max: 8,
    applicationName: 'imart',
    logger: silentLogger,
  });
  let isInterrupted = false;
  try {
    return await untilInterrupted(mustBeOfThisVersion(pool).then(() => work(pool, connectionString)));
  } catch (error) {
    isInterrupted = error instanceof InterruptedError;
    throw error;
  } finally {
    // It would wait for what is on its way; that is undone with its connection, when the process ends.
    if (!isInterrupted) await pool.end();
    await embedded?.stop();
  }
}

/** An embedded server is made by the worker: here its absence means that another directory was meant. */
async function startEmbedded(dataDir: string): ReturnType<typeof startEmbeddedPostgres> {
  if (!existsSync(dataDir)) {
    throw new ConfigError([
      {
        setting: 'DATA_DIR',
        problem: `there is no embedded database in ${resolve(dataDir)}; name the worker's directory, or its server with DATABASE_URL`,
      },
    ]);
  }
  return startEmbeddedPostgres({ dataDir });
}

async function mustBeOfThisVersion(pool: DatabasePool): Promise<void> {
  const pending = await pendingMigrations(pool, MIGRATIONS_DIRECTORY).catch((cause: unknown) => {
    const error = toConnectError(cause);
    if ((error as { code?: unknown } | null)?.code !== 'STORAGE_UNAVAILABLE') throw error;
    throw new Error(
      `the database cannot be reached: ${messageOf(error)}. Start it, or correct DATABASE_URL`,
      { cause: error },
    );
  });
  const [first] = pending;
  if (first === undefined) return;
  const { rows } = await pool.query(`SELECT to_regclass('subjects') IS NULL AS missing`);
  if ((rows[0] as { missing: boolean }).missing) throw new DatabaseNotPreparedError(undefined);
  throw new SchemaVersionError(
    `the database lacks migration ${first} of this program: it was made by an older version. Start a worker of this version, which applies it`,
    first,
  );
}
