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
/** Purchases in one look, those that wait the longest first: looking costs the server little beside what is measured. */
const LOOKED_AT_MAX = 100;

/** @param asked grows while it is watched; by id */
export async function createEndWatch(pool: Pool, asked: ReadonlyMap<string, unknown>): Promise<EndWatch> {
  const client = await pool.connect();
  const ends = new Map<string, number>();
  const open = new Set<string>();
  let known = 0;
  let over = false;

  const look = async (): Promise<number> => {
    if (asked.size > known) {
      // A map keeps its order: what is new is behind what was there.
      let place = 0;
      for (const id of asked.keys()) if (place++ >= known) open.add(id);
      known = asked.size;
    }
    if (open.size === 0) return 0;
    const ids: string[] = [];
    for (const id of open) {
      if (ids.length === LOOKED_AT_MAX) break;
      ids.push(id);
    }
    const { rows } = await client.query({
      name: 'ended',
      text: `SELECT id FROM purchases WHERE id = ANY($1::uuid[]) AND status <> 'pending'`,
      values: [ids],
    });
    const seenMs = performance.now();
    for (const { id } of rows as { id: string }[]) {
      ends.set(id, seenMs);
      open.delete(id);
    }
    return rows.length;
  };

  const watching = (async () => {
    while (!over) {
      // What hides behind a look that was full is looked at soon.
      if ((await look()) < LOOKED_AT_MAX) await delay(LOOK_MS);
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
