import type { Pool } from 'pg';
import type { SubjectId } from '@imart/core';
import type { PassStore, RegisteredFollowed } from '@imart/pipeline';
import { checkFencing } from '../subject/lease';
import { withSession, type Session } from '../replay/session';

/** Of which subject, and under which number of the lease; `null`: it is not looked at. */
export interface RegisterContext {
  readonly pool: Pool;
  /** The subject's number. */
  readonly subject: number;
  readonly subjectId: SubjectId;
  readonly fencing: bigint | null;
}

/** As the port says. Errors are the driver's own, or `FencedError`. */
export function registerFollowed(
  context: RegisterContext,
  ...[followed, added]: Parameters<PassStore['registerFollowed']>
): Promise<RegisteredFollowed> {
  const { pool, subject, fencing } = context;
  return withSession(pool, async (client) => {
    await client.query('BEGIN');
    const { rows } = await client.query(
      'SELECT followed, start_position, next_position FROM subjects WHERE id = $1 FOR UPDATE',
      [subject],
    );
    if (fencing !== null) await checkFencing(client, context, fencing);
    const stored = rows[0] as { followed: string; start_position: string; next_position: string };
    const isNew = stored.followed !== followed;
    const what = isNew ? added(stored.followed, followed) : [];
    if (isNew) await client.query('UPDATE subjects SET followed = $2 WHERE id = $1', [subject, followed]);
    const range = {
      fromPosition: BigInt(stored.start_position),
      toPosition: BigInt(stored.next_position) - 1n,
    };
    const backfill = what.length > 0 && range.toPosition >= range.fromPosition ? range : null;
    if (backfill !== null) await replaceBackfill(client, subject, `new: ${what.join(', ')}`, backfill);
    await client.query('COMMIT');
    return { before: stored.followed, added: what, backfill };
  });
}

async function replaceBackfill(
  client: Session,
  subject: number,
  reason: string,
  { fromPosition, toPosition }: NonNullable<RegisteredFollowed['backfill']>,
): Promise<void> {
  await client.query(
    `UPDATE passes SET finished_at = now(), reason = reason || ' (goes on in a later one)'
     WHERE subject = $1 AND kind = 'backfill' AND finished_at IS NULL`,
    [subject],
  );
  await client.query(
    `INSERT INTO passes (subject, kind, reason, from_position, to_position, next_position) VALUES ($1, 'backfill', $2, $3, $4, $3)`,
    [subject, reason, fromPosition.toString(), toPosition.toString()],
  );
  await client.query(
    `UPDATE passes SET next_position = from_position WHERE subject = $1 AND kind = 'second' AND finished_at IS NULL`,
    [subject],
  );
}
