import { messageOf, WorkerError } from '@imart/core';
import { toStorageError } from './subject/pgErrors';

/** The server answers, and does not let this program in: an unknown role or database, a wrong password. Waiting mends none of it. */
export class DatabaseRefusedError extends WorkerError {
  constructor(cause: unknown) {
    super(
      `the database does not let this program in: ${messageOf(cause)}. Correct DATABASE_URL, or make the role or database that it names`,
      { code: 'DATABASE_REFUSED', disposition: 'stop', cause },
    );
  }
}

/** Classes and codes of SQLSTATE: invalid authorization, and no such database. */
const REFUSED = [/^28/, /^3D000$/];

/** What went wrong when a program connected for the first time: as {@link toStorageError}, and who is not let in is told so. */
export function toConnectError(error: unknown): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  const refused = typeof code === 'string' && REFUSED.some((pattern) => pattern.test(code));
  return refused ? new DatabaseRefusedError(error) : toStorageError(error);
}
