import { WorkerError } from '@imart/core';

/**
 * The database does not match the migrations of this program: it is newer, or one that is applied was changed afterwards, or
 * one was left half done by another tool. Nothing was written.
 */
export class SchemaVersionError extends WorkerError {
  constructor(message: string, migration: string) {
    super(message, { code: 'SCHEMA_VERSION', disposition: 'stop', fields: { migration } });
  }
}

/** The server is older than what the tables and statements of this program need. Nothing was written. */
export class ServerTooOldError extends WorkerError {
  /** @param version as the server tells it, 14.12 for instance. */
  constructor(version: string, oldestMajor: number) {
    super(
      `the database server is PostgreSQL ${version}: this program needs ${oldestMajor} or newer. Upgrade it, or set DATABASE_URL to another server`,
      { code: 'SERVER_TOO_OLD', disposition: 'stop', fields: { version, oldestMajor } },
    );
  }
}

/** A migration's SQL failed. It was rolled back as a whole; the ones before it stay applied. */
export class MigrationFailedError extends WorkerError {
  constructor(migration: string, line: number | undefined, cause: Error) {
    super(`migration ${migration} failed${line === undefined ? '' : ` at line ${line}`}: ${cause.message}`, {
      code: 'MIGRATION_FAILED',
      disposition: 'stop',
      cause,
      fields: { migration, line },
    });
  }
}
