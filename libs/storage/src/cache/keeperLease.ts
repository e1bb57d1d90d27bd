import type { Pool } from 'pg';
import type { IngestLeases } from '@imart/pipeline';
import { translated } from '../commands/session';
import { openSubscription } from '../commands/subscriptions';

/** The reader's name among the subject's subscriptions. Its cursor is not used: a new one begins at the end. */
const READER = 'cache';

/** Who drops what changes from the cache of a subject. */
export async function openCacheKeeping(pool: Pool, subject: number): Promise<IngestLeases> {
  return (await openSubscription({ pool, subject, name: READER, from: 'now' })).leases;
}

/** How many positions the log is behind the source's head; `null`: nobody has told of a head. */
export async function readBehindHead(pool: Pool, subject: number): Promise<bigint | null> {
  return translated(async () => {
    const { rows } = await pool.query(
      'SELECT head_position - next_position + 1 AS behind FROM subjects WHERE id = $1',
      [subject],
    );
    const { behind } = rows[0] as { behind: string | null };
    return behind === null ? null : BigInt(behind);
  });
}
