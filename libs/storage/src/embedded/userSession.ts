import { Client } from 'pg';

/**
 * A session that stands for one user of the embedded server, for as long as it lives. The server itself counts its users
 * this way: each holds a shared advisory lock, and who can take it alone is the last one. A user that dies, of kill -9 too,
 * is forgotten together with its connection.
 */
export interface UserSession {
  /** Resolves when the connection is lost or closed. */
  readonly ended: Promise<void>;
  /**
   * Stops being a user. `true`: there is no other, and none can come until this session has ended, so the caller must stop the
   * server. `false`: others go on using it.
   */
  leave(): Promise<boolean>;
  /** From now on until `leave`, the session alone does not keep this process alive. */
  rest(): void;
  /** Closes the connection. */
  close(): Promise<void>;
  readonly client: Client;
}

/** Class and object of the advisory lock; in the database `postgres`, which nobody else has a reason to lock in. */
const LOCK = '1229799762, 1';

/**
 * Connects and becomes a user. Waits while a last user is stopping the server, and then fails with the lost connection:
 * the caller starts the server anew.
 */
export async function openUserSession(url: string): Promise<UserSession> {
  const client = new Client({
    connectionString: url,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    application_name: 'imart embedded user',
  });
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
  // Losing the connection is told by `ended`; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(`SELECT pg_advisory_lock_shared(${LOCK})`);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  // The types of pg do not know these two.
  const handle = client as unknown as { ref(): void; unref(): void };
  return {
    client,
    ended,
    rest: () => handle.unref(),
    async leave() {
      handle.ref();
      await client.query(`SELECT pg_advisory_unlock_shared(${LOCK})`);
      const { rows } = await client.query<{ last: boolean }>(`SELECT pg_try_advisory_lock(${LOCK}) AS last`);
      return rows[0]?.last === true;
    },
    close: () => client.end(),
  };
}
