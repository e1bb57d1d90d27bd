import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';

/** Sees from outside, by a connection of its own, when purchases have come to their end. */
export interface EndWatch {
  /** When it was seen, by this process's clock: too late by {@link LOOK_MS} and a look at most. By id. */
  readonly ends: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

/** Between two looks. */
const LOOK_MS = 4;
/** A look goes back so far: what commits later than another one may have an earlier moment. */
const OVERLAP = '2 seconds';

export async function createEndWatch(pool: Pool): Promise<EndWatch> {
  const client = await pool.connect();
  const ends = new Map<string, number>();
  const { rows } = await client.query(
    `SELECT coalesce(max(expires_at), 'epoch')::text AS newest FROM purchases`,
  );
  const start = (rows[0] as { newest: string }).newest;
  let newest = start;
  let over = false;
  const watching = (async () => {
    while (!over) {
      const found = await client.query(
        `SELECT id, expires_at::text AS at FROM purchases
         WHERE expires_at > greatest($1::timestamptz, $2::timestamptz - interval '${OVERLAP}') ORDER BY expires_at`,
        [start, newest],
      );
      const seenMs = performance.now();
      for (const row of found.rows as { id: string; at: string }[]) {
        if (!ends.has(row.id)) ends.set(row.id, seenMs);
        newest = row.at;
      }
      await delay(LOOK_MS);
    }
  })();
  return {
    ends,
    async stop() {
      over = true;
      await watching;
      client.release();
    },
  };
}
