/**
 * Brings a database to the schema of the program. Guarantees: a migration is applied whole or not at all, exactly once,
 * whatever runs at the same time or dies; a database that is newer, or was made by other migrations, is refused unchanged.
 */
export { MigrationFailedError, SchemaVersionError, ServerTooOldError } from './errors';
export { migrate, pendingMigrations } from './migrate';
export { readMigrationFiles, type MigrationFile } from './migrationFiles';
