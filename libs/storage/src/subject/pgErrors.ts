import { WorkerError, messageOf } from '@imart/core';
import { StorageUnavailableError } from '@imart/pipeline';

/** Classes and codes of SQLSTATE that pass: connection lost, resources, operator intervention, conflicts of transactions. */
const PASSING = [/^08/, /^53/, /^57P0/, /^40/, /^55P03$/, /^25P03$/, /^58/];

/** ECONNREFUSED, EAI_AGAIN and the like; not the codes of Node's own errors, which tell of wrong calls. */
const SYSTEM_CALL = /^E(?!RR_)[A-Z_]+$/;

/** What went wrong in the driver or the server as one of ours. What is not known to pass stays as it is. */
export function toStorageError(error: unknown): unknown {
  if (error instanceof WorkerError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  const text = messageOf(error);
  const lost =
    (typeof code === 'string' && (PASSING.some((pattern) => pattern.test(code)) || SYSTEM_CALL.test(code))) ||
    /Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|not queryable|server closed the connection/i.test(
      text,
    );
  return lost ? new StorageUnavailableError(text, error) : error;
}
