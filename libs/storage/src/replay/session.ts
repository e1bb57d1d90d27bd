import type { Pool, PoolClient } from 'pg';
import { StorageUnavailableError } from '@imart/pipeline';

/** A connection that is held for a while. */
export type Session = PoolClient & {
  /** @throws {StorageUnavailableError} when the connection is known to be lost. */
  mustBeThere(): void;
};

/**
 * Lends a connection. After a failure it is not used again: it may be inside a transaction or a COPY. A connection that is
 * lost while nothing is asked of it says so at its next use, and does not end the process.
 */
export async function withSession<T>(pool: Pool, work: (session: Session) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let lost: Error | undefined;
  const onError = (error: Error): void => {
    lost ??= error;
  };
  client.on('error', onError);
  const session = Object.assign(client, {
    mustBeThere() {
      if (lost !== undefined) throw new StorageUnavailableError(lost.message, lost);
    },
  });
  let failed = true;
  try {
    const result = await work(session);
    failed = false;
    return result;
  } finally {
    client.release(failed || lost !== undefined);
    // What is thrown away may still say that it ends.
    if (!failed && lost === undefined) client.off('error', onError);
  }
}

/**
 * Does work on a session, whose statement is cancelled when the signal aborts: an index may take longer to build than whoever waits has
 * time for. The cancelling goes over another session, which must have nothing to do meanwhile.
 * @throws the signal's reason when it had aborted before the work began.
 */
export async function endedBy<T>(
  signal: AbortSignal | undefined,
  control: Session,
  session: Session,
  work: () => Promise<T>,
): Promise<T> {
  if (signal === undefined) return work();
  const { rows } = await session.query('SELECT pg_backend_pid() AS pid');
  const { pid } = rows[0] as { pid: number };
  signal.throwIfAborted();
  let cancelling: Promise<unknown> = Promise.resolve();
  const cancel = (): void => {
    cancelling = control.query('SELECT pg_cancel_backend($1)', [pid]).catch(() => undefined);
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener('abort', cancel);
    await cancelling;
  }
}

/** Waits for all, also when one fails: nothing goes on behind the caller's back. @throws what the first of them threw. */
export async function allDone(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}
