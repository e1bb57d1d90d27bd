import type { ClientBase, Pool } from 'pg';

/** Several statements that see the database of one moment (E7, E10). They write nothing. */
export async function consistentRead<T>(pool: Pool, work: (client: ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: unknown;
  // A connection that dies between two statements says so here; the next statement fails, and that is what counts.
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((cause: unknown) => {
      broken = cause;
    });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken !== undefined);
  }
}
