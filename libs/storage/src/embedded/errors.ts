import { WorkerError } from '@imart/core';

/** There is no embedded PostgreSQL for this machine. The message says how to go on without it. */
export class EmbeddedPostgresUnavailableError extends WorkerError {
  constructor(reason: string, cause?: unknown) {
    super(
      `the embedded PostgreSQL is not available: ${reason}. Set DATABASE_URL to use a PostgreSQL server of your own.`,
      { code: 'EMBEDDED_POSTGRES_UNAVAILABLE', disposition: 'stop', cause },
    );
  }
}

/** The embedded PostgreSQL did not initialise, start or stop. `fields` names the data directory. */
export class EmbeddedPostgresError extends WorkerError {
  constructor(message: string, fields: Readonly<Record<string, unknown>>, cause?: unknown) {
    super(message, { code: 'EMBEDDED_POSTGRES', disposition: 'stop', cause, fields });
  }
}
