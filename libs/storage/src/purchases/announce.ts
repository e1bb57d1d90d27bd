import type { Pool } from 'pg';
import type { PurchaseStore, Topic } from '@imart/purchase';
import { CHANNEL } from './context';

/**
 * Tells other processes that something was said: by a statement of its own, after the commit. Within the step's transaction all commits
 * of the database would stand in line behind each other, as PostgreSQL has it for those that notify; and one that only notifies waits for no disk.
 * What comes while one is on its way goes with the next one.
 */
export function createAnnouncer(pool: Pool): PurchaseStore['announce'] {
  const waiting = new Set<Topic>();
  let working = false;

  const work = async (): Promise<void> => {
    while (waiting.size > 0) {
      const topics = [...waiting];
      waiting.clear();
      // Whoever listens looks by themselves as well: nothing is lost but time.
      await pool
        .query(`SELECT pg_notify('${CHANNEL}', topic) FROM unnest($1::text[]) topic`, [topics])
        .catch(() => undefined);
    }
    working = false;
  };

  return (topics) => {
    for (const topic of topics) waiting.add(topic);
    if (working || waiting.size === 0) return;
    working = true;
    void work();
  };
}
