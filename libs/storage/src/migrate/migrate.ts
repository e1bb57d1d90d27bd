import { randomUUID } from 'node:crypto';
import type { ClientBase, Pool } from 'pg';
import { MigrationFailedError, SchemaVersionError, ServerTooOldError } from './errors';
import { readMigrationFiles, type MigrationFile } from './migrationFiles';

/** The lock that Prisma's own tools take, so that they and we wait for each other. */
const PRISMA_LOCK = 72707369;

/** The oldest PostgreSQL that the suites run on. */
const OLDEST_SERVER = 15;

/** As Prisma makes it: its tools find their own table. */
const CREATE_MIGRATIONS_TABLE = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
  )`;

/**
 * Brings the database to the schema of this program: applies what is missing of `<migrationsDir>/<name>/migration.sql` in name
 * order, each in a transaction together with its row in `_prisma_migrations`. Of several processes that do so at the same
 * time, one works and the others wait and find nothing to do. A migration cannot hold what PostgreSQL refuses in a
 * transaction (`CREATE INDEX CONCURRENTLY`) nor end the transaction itself.
 *
 * @returns the names applied now; empty when the database was current.
 * @throws {ServerTooOldError} nothing was written.
 * @throws {SchemaVersionError} the database and the migrations do not belong together; nothing was written.
 * @throws {MigrationFailedError} a migration was rolled back; those before it stay.
 */
export async function migrate(db: Pool | ClientBase, migrationsDir: string): Promise<string[]> {
  const files = readMigrationFiles(migrationsDir);
  return withClient(db, async (client) => {
    await client.query(`SELECT pg_advisory_lock(${PRISMA_LOCK})`);
    try {
      const missing = await findMissing(client, files);
      for (const file of missing) await apply(client, file);
      return missing.map((file) => file.name);
    } finally {
      // Fails only with the connection, and then the lock is gone with it.
      await client.query(`SELECT pg_advisory_unlock(${PRISMA_LOCK})`).catch(() => undefined);
    }
  });
}

/**
 * The names of the migrations that {@link migrate} would apply; writes nothing. For programs that read a database which
 * another one migrates.
 *
 * @throws {ServerTooOldError}
 * @throws {SchemaVersionError} the database and the migrations do not belong together.
 */
export async function pendingMigrations(db: Pool | ClientBase, migrationsDir: string): Promise<string[]> {
  const files = readMigrationFiles(migrationsDir);
  return withClient(db, async (client) => (await findMissing(client, files)).map((file) => file.name));
}

async function withClient<T>(db: Pool | ClientBase, work: (client: ClientBase) => Promise<T>): Promise<T> {
  if (!('totalCount' in db)) return work(db);
  const client = await db.connect();
  let failure: unknown;
  try {
    return await work(client);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    // A client that failed may hold a lock or an open transaction: it does not go back into the pool.
    client.release(failure !== undefined);
  }
}

interface AppliedRow {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished: boolean;
}

async function findMissing(client: ClientBase, files: readonly MigrationFile[]): Promise<MigrationFile[]> {
  const table = await client.query<{ exists: boolean; version: string }>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists, current_setting('server_version') AS version`,
  );
  refuseOlderServer(table.rows[0]?.version ?? '');
  if (table.rows[0]?.exists !== true) return [...files];
  // Prisma keeps rows of attempts that were rolled back; they mean nothing here.
  const { rows } = await client.query<AppliedRow>(
    `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished
       FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name`,
  );
  const known = new Map(files.map((file) => [file.name, file]));
  for (const row of rows) refuseMismatch(row, known.get(row.migration_name));
  const applied = new Set(rows.map((row) => row.migration_name));
  return files.filter((file) => !applied.has(file.name));
}

function refuseOlderServer(version: string): void {
  if (Number.parseInt(version, 10) < OLDEST_SERVER) throw new ServerTooOldError(version, OLDEST_SERVER);
}

function refuseMismatch(row: AppliedRow, file: MigrationFile | undefined): void {
  const name = row.migration_name;
  if (file === undefined) {
    throw new SchemaVersionError(
      `the database has migration ${name}, which this program does not know: it was made by a newer version. ` +
        'Run that version, or use another database',
      name,
    );
  }
  if (!row.finished) {
    throw new SchemaVersionError(
      `migration ${name} was begun by another tool and not finished: mend the database by hand, or use another one`,
      name,
    );
  }
  if (row.checksum !== file.checksum) {
    throw new SchemaVersionError(
      `migration ${name} was changed after it was applied to the database: restore the file, ` +
        'and put the change into a new migration',
      name,
    );
  }
}

async function apply(client: ClientBase, file: MigrationFile): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(CREATE_MIGRATIONS_TABLE);
    const id = randomUUID();
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at)
       VALUES ($1, $2, $3, clock_timestamp())`,
      [id, file.checksum, file.name],
    );
    await client.query(file.sql);
    await client.query(
      'UPDATE _prisma_migrations SET finished_at = clock_timestamp(), applied_steps_count = 1 WHERE id = $1',
      [id],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw isDatabaseError(error)
      ? new MigrationFailedError(file.name, lineOf(file.sql, error.position), error)
      : error;
  }
}

function isDatabaseError(error: unknown): error is Error & { position?: string } {
  // Losing the connection is not the migration's fault, and comes without a severity or as class 57 (shutdown).
  return (
    error instanceof Error &&
    'severity' in error &&
    !String((error as { code?: unknown }).code).startsWith('57')
  );
}

/** Line of a character position as PostgreSQL counts it, both from 1. */
function lineOf(sql: string, position: string | undefined): number | undefined {
  if (position === undefined) return undefined;
  return (
    Array.from(sql)
      .slice(0, Number(position) - 1)
      .filter((char) => char === '\n').length + 1
  );
}
