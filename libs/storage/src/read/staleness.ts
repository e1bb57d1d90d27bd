import { Prisma } from '../generated/client';
import type { Reads } from './database';
import { IS_CHAIN, IS_OF_LANE } from './sql';

/** @defaultValue how old states may be before they are flagged, in ms */
export const STALE_AFTER_MS_DEFAULT = 60_000;

/**
 * Why the states of a subject are not those of its source. `halted`: it stands still until an operator mends it. `silent`: for some time
 * nobody has told of the source's head. `lagging`: the log, or a lane, is behind by more than some time.
 */
export type StaleReason = 'halted' | 'silent' | 'lagging';

/** A subject whose states are not to be relied on as those of now. */
export interface StaleSubject {
  readonly subject: string;
  readonly reason: StaleReason;
}

/**
 * The reason as SQL, or NULL; `s` is the row of `subjects`. By the database's clock and by the chain's, never by a host's (D11). A lane
 * is behind by the time since the first event of its own that it has not executed was committed: those of other lanes are nothing to it.
 */
export function staleReason(staleAfterMs: number): Prisma.Sql {
  const age = Prisma.sql`${staleAfterMs}::float8 * INTERVAL '1 millisecond'`;
  return Prisma.sql`CASE
    WHEN s.halt_code IS NOT NULL THEN 'halted'
    WHEN s.head_seen_at IS NULL OR s.head_seen_at < now() - ${age} THEN 'silent'
    WHEN s.head_time_us - COALESCE(s.chain_time_us, 0) > ${staleAfterMs}::float8 * 1000 THEN 'lagging'
    WHEN EXISTS (
      SELECT FROM checkpoints c CROSS JOIN LATERAL (
        SELECT f.committed_at FROM event_log e JOIN feed f ON f.subject = e.subject AND f.feed_no = e.feed_no
        WHERE e.subject = s.id AND e.seq_no > c.seq_no AND e.seq_no <= s.ingested_seq_no AND ${IS_OF_LANE}
        ORDER BY e.seq_no LIMIT 1
      ) first WHERE c.subject = s.id AND first.committed_at < now() - ${age}
    ) THEN 'lagging'
  END`;
}

/** The subjects that are stale now, by id. @throws {DatabaseUnavailableError} @throws {DatabaseNotPreparedError} */
export async function readStaleSubjects(db: Reads, staleAfterMs: number): Promise<readonly StaleSubject[]> {
  return db.query<StaleSubject>(Prisma.sql`
    SELECT * FROM (SELECT s.subject_id AS "subject", ${staleReason(staleAfterMs)} AS "reason" FROM subjects s WHERE ${IS_CHAIN}) told
    WHERE "reason" IS NOT NULL ORDER BY "subject"`);
}
