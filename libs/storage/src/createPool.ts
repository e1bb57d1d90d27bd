import { messageOf } from '@imart/core';
import type { Logger } from '@imart/runtime';
import { Pool } from 'pg';

/** Connections to one database, as the stores of this package take them. */
export type DatabasePool = Pool;

export interface CreatePoolOptions {
  readonly connectionString: string;
  /** Most connections at a time; further work waits for one. */
  readonly max: number;
  /** How the server's statistics name us. */
  readonly applicationName: string;
  readonly logger: Logger;
  /** How long a connection may take. @defaultValue `10_000` */
  readonly connectTimeoutMs?: number;
}

/** A pool whose idle connections may die without harm: they are replaced at the next use, and it is said. Connects lazily. */
export function createPool(options: CreatePoolOptions): DatabasePool {
  const { connectionString, max, applicationName, logger, connectTimeoutMs = 10_000 } = options;
  const pool = new Pool({
    connectionString,
    max,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: applicationName,
  });
  pool.on('error', (error) => {
    // Once we close them ourselves, how they end is of no interest.
    if (!pool.ending) logger.warn('an idle database connection was lost', { error: messageOf(error) });
  });
  // One that dies while it is lent, between two statements, says so here; the next statement fails, and that is what counts (Q12).
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
