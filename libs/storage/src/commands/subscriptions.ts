import type { Pool } from 'pg';
import type { SeqNo } from '@imart/core';
import type { SubscriptionStore } from '@imart/event-service';
import type { LeaseAnswer } from '@imart/pipeline';
import { translated } from './session';

export interface OpenSubscriptionOptions {
  readonly pool: Pool;
  /** The number of the subject whose feed is read. */
  readonly subject: number;
  readonly name: string;
  /** Where a subscription that is new starts. */
  readonly from: 'beginning' | 'now';
  /**
   * What a new one is told of nothing before, in chain time as microseconds since 1970; `now`: by the database's clock. Kept with it.
   * @defaultValue it is told of everything
   */
  readonly sinceUs?: bigint | 'now';
}

/** Registers a named subscription, or finds it again at its cursor. */
export async function openSubscription({
  pool,
  subject,
  name,
  from,
  sinceUs,
}: OpenSubscriptionOptions): Promise<SubscriptionStore> {
  const key = [subject, name];
  await translated(() =>
    pool.query(
      `INSERT INTO subscriptions (subject, name, feed_no, since_us)
       SELECT id, $2, CASE WHEN $3 THEN last_feed_no ELSE 0 END,
         CASE WHEN $4 THEN (extract(epoch FROM clock_timestamp()) * 1000000)::bigint ELSE $5::bigint END
       FROM subjects WHERE id = $1 ON CONFLICT DO NOTHING`,
      [...key, from === 'now', sinceUs === 'now', typeof sinceUs === 'bigint' ? sinceUs.toString() : null],
    ),
  );
  return {
    cursor: () =>
      translated(async () => {
        const { rows } = await pool.query(
          'SELECT feed_no, part_seq_no FROM subscriptions WHERE subject = $1 AND name = $2',
          key,
        );
        const row = rows[0] as { feed_no: string; part_seq_no: string | null };
        return {
          afterFeedNo: BigInt(row.feed_no),
          partSeqNo: row.part_seq_no === null ? null : (BigInt(row.part_seq_no) as SeqNo),
        };
      }),

    commit: (fencing, { afterFeedNo, partSeqNo }) =>
      translated(async () => {
        const { rowCount } = await pool.query(
          'UPDATE subscriptions SET feed_no = $4, part_seq_no = $5 WHERE subject = $1 AND name = $2 AND fencing = $3',
          [...key, fencing.toString(), afterFeedNo.toString(), partSeqNo?.toString() ?? null],
        );
        return rowCount === 1;
      }),

    leases: {
      acquire: (holder, durationMs) =>
        translated(async (): Promise<LeaseAnswer> => {
          const { rows } = await pool.query(
            `WITH taken AS (
               UPDATE subscriptions SET fencing = fencing + 1, holder = $3, expires_at = clock_timestamp() + $4 * interval '1 ms'
               WHERE subject = $1 AND name = $2 AND expires_at <= clock_timestamp() RETURNING fencing
             )
             SELECT (SELECT fencing FROM taken) AS fencing, holder, extract(epoch FROM greatest(expires_at, clock_timestamp()) - clock_timestamp()) * 1000 AS ms
             FROM subscriptions WHERE subject = $1 AND name = $2`,
            [...key, holder, durationMs],
          );
          const row = rows[0] as { fencing: string | null; holder: string; ms: string };
          return row.fencing === null
            ? { kind: 'held', holder: row.holder, expiresInMs: Math.ceil(Number(row.ms)) }
            : { kind: 'acquired', fencing: BigInt(row.fencing) };
        }),

      renew: (fencing, durationMs) =>
        translated(async () => {
          const { rowCount } = await pool.query(
            `UPDATE subscriptions SET expires_at = clock_timestamp() + $4 * interval '1 ms'
             WHERE subject = $1 AND name = $2 AND fencing = $3`,
            [...key, fencing.toString(), durationMs],
          );
          return rowCount === 1;
        }),

      release: (fencing) =>
        translated(async () => {
          await pool.query(
            `UPDATE subscriptions SET expires_at = clock_timestamp() WHERE subject = $1 AND name = $2 AND fencing = $3`,
            [...key, fencing.toString()],
          );
        }),
    },
  };
}

/** The number of the last change that is told of a subject: a reader of what comes next begins after it. */
export async function readLastFeedNo(pool: Pool, subject: number): Promise<bigint> {
  return translated(async () => {
    const { rows } = await pool.query('SELECT last_feed_no FROM subjects WHERE id = $1', [subject]);
    return BigInt((rows[0] as { last_feed_no: string }).last_feed_no);
  });
}
