import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@imart/core';

/** One migration as it lies in the migrations directory. */
export interface MigrationFile {
  /** The directory's name, which begins with its time. */
  readonly name: string;
  readonly sql: string;
  /** sha256 of the file, in hex, as Prisma writes it. */
  readonly checksum: string;
}

/**
 * The migrations of a directory laid out as Prisma does, in the order in which they are applied.
 *
 * @throws {ConfigError} when the directory holds none: a program installed without its migrations must not take an empty
 * database for a current one.
 */
export function readMigrationFiles(migrationsDir: string): MigrationFile[] {
  const names = existsSync(migrationsDir)
    ? readdirSync(migrationsDir, { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() && existsSync(join(migrationsDir, entry.name, 'migration.sql'))
          ? [entry.name]
          : [],
      )
    : [];
  if (names.length === 0) {
    throw new ConfigError([
      { setting: 'migrations directory', problem: `${migrationsDir} holds no migrations` },
    ]);
  }
  // By code unit, the same on every machine.
  return names.sort().map((name) => {
    const bytes = readFileSync(join(migrationsDir, name, 'migration.sql'));
    return { name, sql: bytes.toString('utf8'), checksum: createHash('sha256').update(bytes).digest('hex') };
  });
}
