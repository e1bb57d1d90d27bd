import { messageOf, WorkerError } from '@imart/core';

/** The database does not answer, or not in time to connect. Nothing was read; ask again later. */
export class DatabaseUnavailableError extends WorkerError {
  constructor(cause: unknown) {
    super('the database is not available: check that it runs and that DATABASE_URL is right', {
      code: 'DATABASE_UNAVAILABLE',
      disposition: 'retry',
      cause,
    });
  }
}

/** The database has no tables or views to read: the worker has not prepared it yet. */
export class DatabaseNotPreparedError extends WorkerError {
  constructor(cause: unknown) {
    super('the database is not prepared: start a worker on it once, which makes its tables and views', {
      code: 'DATABASE_NOT_PREPARED',
      disposition: 'retry',
      cause,
    });
  }
}

/** A query took longer than it may. A narrower filter, or indexes that are still being built, make it faster. */
export class QueryTimeoutError extends WorkerError {
  constructor(cause: unknown) {
    super('the query took too long: use a narrower filter, or try again once the indexes are built', {
      code: 'QUERY_TIMEOUT',
      disposition: 'retry',
      cause,
    });
  }
}

/** No subject of this id is followed. */
export class UnknownSubjectError extends WorkerError {
  constructor(subject: string, known: readonly string[]) {
    super(
      `unknown subject "${subject}": ${known.length === 0 ? 'none is followed yet' : `followed are ${known.join(', ')}`}`,
      { code: 'UNKNOWN_SUBJECT', disposition: 'stop', fields: { subject } },
    );
  }
}

/** A cursor that this query did not give. */
export class CursorError extends WorkerError {
  constructor() {
    super('not a cursor of this list: use `next` of the previous page, with the same parameters', {
      code: 'CURSOR',
      disposition: 'stop',
    });
  }
}

const UNAVAILABLE_SQLSTATES = /^(08...|57P0[1-3]|53300|3D000|28...)$/;
const UNAVAILABLE_ADAPTER_KINDS = new Set([
  'DatabaseNotReachable',
  'DatabaseDoesNotExist',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
  'AuthenticationFailed',
  'DatabaseAccessDenied',
  'TlsConnectionError',
]);

/** What Prisma says about an error of the database, as far as we read it. */
interface PrismaErrorLike {
  readonly name?: string;
  readonly code?: string;
  readonly meta?: {
    readonly driverAdapterError?: {
      readonly cause?: { readonly kind?: string; readonly originalCode?: string; readonly code?: string };
    };
  };
}

/** Turns whatever a read threw into an error of ours; what we do not know comes back as it is. */
export function toReadError(error: unknown): unknown {
  if (error instanceof WorkerError || typeof error !== 'object' || error === null) return error;
  const { name, code, meta } = error as PrismaErrorLike;
  const adapter = meta?.driverAdapterError?.cause;
  const state = adapter?.originalCode ?? adapter?.code;
  if (state === '57014') return new QueryTimeoutError(error);
  if (state === '42P01' || adapter?.kind === 'TableDoesNotExist') return new DatabaseNotPreparedError(error);
  const unavailable =
    name === 'PrismaClientInitializationError' ||
    /^P1\d\d\d$|^P20(24|28)$|^E(CONN|PIPE|HOST|NET|AI_)/.test(code ?? '') ||
    UNAVAILABLE_ADAPTER_KINDS.has(adapter?.kind ?? '') ||
    UNAVAILABLE_SQLSTATES.test(state ?? '') ||
    /connection terminated|timeout exceeded when trying to connect|ECONNREFUSED|ECONNRESET/i.test(
      messageOf(error),
    );
  return unavailable ? new DatabaseUnavailableError(error) : error;
}
