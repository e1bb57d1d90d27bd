import type { ReplayOptions } from './options';
import { allDone, endedBy, withSession, type Session } from './session';

/** Two at a time: that is what a small machine has, and one large table does not wait for the many small ones. */
export async function twoAtATime<T>(
  { pool, signal }: ReplayOptions,
  control: Session,
  work: readonly T[],
  one: (client: Session, item: T) => Promise<void>,
): Promise<void> {
  const left = [...work];
  const take = (): Promise<void> =>
    withSession(pool, async (client) => {
      await client.query(
        `SET maintenance_work_mem = '256MB'; SET work_mem = '128MB'; SET max_parallel_maintenance_workers = 0;
         SET max_parallel_workers_per_gather = 0`,
      );
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const item = next;
        await endedBy(signal, control, client, () => one(client, item));
      }
      await client.query(
        `RESET maintenance_work_mem; RESET work_mem; RESET max_parallel_maintenance_workers;
         RESET max_parallel_workers_per_gather`,
      );
    });
  await allDone([take(), take()]);
}

/**
 * Statements that may wait for locks of others: for a lane's run, for a reader of a table that is to go. Whoever waits for the end of this
 * one has no time for theirs.
 */
export function waitingFor(
  { pool, signal }: ReplayOptions,
  control: Session,
  work: () => Promise<void>,
): Promise<void> {
  return withSession(pool, (other) => endedBy(signal, other, control, work));
}
