import { Prisma } from '../generated/client';
import { subjectNumber, type Reads } from './database';

/** How far a subject is in the database that is read. What is read in the same snapshot is of this moment. */
export interface ReadCursor {
  readonly lastFeedNo: bigint;
  readonly epoch: bigint;
  /** Every event up to here is executed. */
  readonly executed: bigint;
  /** Chain time in microseconds since 1970; 0 before the first block. */
  readonly chainTimeUs: bigint;
}

/** @throws {UnknownSubjectError} */
export async function readCursor(db: Reads, subjectId: string): Promise<ReadCursor> {
  const subject = await subjectNumber(db, subjectId);
  const [row] = await db.query<Record<keyof ReadCursor, string>>(Prisma.sql`
    SELECT s.last_feed_no::text AS "lastFeedNo", s.epoch::text AS "epoch", COALESCE(s.chain_time_us, 0)::text AS "chainTimeUs",
      COALESCE((SELECT min(c.seq_no) FROM checkpoints c WHERE c.subject = s.id), -1)::text AS "executed"
    FROM subjects s WHERE s.id = ${subject}`);
  const cells = row as Record<keyof ReadCursor, string>;
  return {
    lastFeedNo: BigInt(cells.lastFeedNo),
    epoch: BigInt(cells.epoch),
    executed: BigInt(cells.executed),
    chainTimeUs: BigInt(cells.chainTimeUs),
  };
}

/**
 * The next chain time, in microseconds since 1970, at which an open listing or offer of a collection begins or expires: then what is read of
 * it is something else, without any event. `null`: there is none.
 * @param afterUs a chain time that was read before.
 */
export async function nextTurnOfCollection(
  db: Reads,
  subjectId: string,
  collection: string,
  afterUs: bigint,
): Promise<bigint | null> {
  const subject = await subjectNumber(db, subjectId);
  const [row] = await db.query<{ us: string | null }>(Prisma.sql`
    SELECT (extract(epoch FROM min(turn)) * 1000000)::bigint::text AS us FROM (
      SELECT o.starts_at, o.expires_at FROM orders o
      WHERE o.subject = ${subject} AND o.collection = ${collection} AND o.status = 'LISTING'
      UNION ALL
      SELECT o.starts_at, o.expires_at FROM offers o
      WHERE o.subject = ${subject} AND o.collection = ${collection} AND o.status = 'CREATED'
    ) open CROSS JOIN LATERAL (VALUES (starts_at), (expires_at)) AS times(turn)
    WHERE isfinite(turn) AND turn > TIMESTAMPTZ 'epoch' + ${afterUs.toString()}::bigint * INTERVAL '1 microsecond'`);
  return row?.us === null || row?.us === undefined ? null : BigInt(row.us);
}
