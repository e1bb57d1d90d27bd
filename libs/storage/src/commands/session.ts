import type { Pool, PoolClient } from 'pg';
import { toStorageError } from '../subject/pgErrors';
import { WRITER_SESSION } from '../subject/writerSession';

/** Connections that have what every connection that writes needs. */
const prepared = new WeakSet<object>();

/** What the driver or the server throws as one of ours. */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStorageError(error);
  }
}

/** Works on one connection; after a failure it is rolled back, and a connection that does not answer any more is closed. */
export function onConnection<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return translated(async () => {
    const client = await pool.connect();
    let broken = false;
    // A connection that dies between two statements says so here; the next statement fails, and that is what counts.
    const onError = (): void => {
      broken = true;
    };
    client.on('error', onError);
    try {
      if (!prepared.has(client)) {
        await client.query(WRITER_SESSION);
        prepared.add(client);
      }
      return await work(client);
    } catch (error) {
      await client.query('ROLLBACK').catch(onError);
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  });
}
