import type { SeqNo, SeqNosOf, SubjectId } from '@imart/core';
import { Prisma } from '../generated/client';
import {
  SECONDARY_INDEXES_STATE,
  toSecondaryIndexesState,
  type SecondaryIndexesState,
} from '../secondaryIndexes';
import type { Reads } from './database';
import { IS_CHAIN, IS_OF_LANE, isoTime } from './sql';
import { STALE_AFTER_MS_DEFAULT, staleReason, type StaleReason } from './staleness';

/** How far one subject is. Positions are numbers of blocks or versions of a ledger, as decimal text. */
export interface SubjectStatus {
  readonly subject: string;
  /** What the source said last of its head; null before it was asked. */
  readonly head: {
    readonly position: string;
    readonly time: string | null;
    readonly seenAt: string | null;
  } | null;
  readonly finalized: string | null;
  /** The last position whose events are all in the log; null before the first. */
  readonly ingested: string | null;
  readonly ingestedSeqNo: string;
  /** The last position whose events are all folded into states, by every lane; null before the first. */
  readonly executed: string | null;
  readonly executedSeqNo: string;
  /** Time of the newest block that has been read: what decides whether an order is expired. */
  readonly chainTime: string | null;
  /** Head minus executed, in blocks. */
  readonly lagBlocks: string | null;
  /** Time of the head minus the newest read block's, in seconds. */
  readonly lagSeconds: number | null;
  /** Time of the head minus that of the first event that is not folded yet, or the newest read block's when all are, in seconds. */
  readonly executedLagSeconds: number | null;
  /** Raised by every reorg and every late change. */
  readonly epoch: string;
  /** Aggregates set aside after a failure. */
  readonly parkedCount: string;
  /** Why it stands still until an operator mends it; null: it does not. */
  readonly halted: { readonly code: string; readonly message: string; readonly since: string } | null;
  /** Why its states are not to be relied on as those of now; null: they are. */
  readonly stale: StaleReason | null;
}

/** Of the whole database. */
export interface DatabaseStatus {
  readonly subjects: readonly SubjectStatus[];
  readonly secondaryIndexes: SecondaryIndexesState;
}

interface StatusDbRow {
  readonly subject: string;
  readonly epoch: string;
  readonly startPosition: string;
  readonly nextPosition: string;
  readonly ingestedSeqNo: string;
  readonly executedSeqNo: string;
  readonly finalized: string | null;
  readonly headPosition: string | null;
  readonly headTimeUs: string | null;
  readonly chainTimeUs: string | null;
  readonly unappliedTimeUs: string | null;
  readonly headTime: string | null;
  readonly headSeenAt: string | null;
  readonly chainTime: string | null;
  readonly parkedCount: string;
  readonly haltCode: string | null;
  readonly haltMessage: string | null;
  readonly haltedAt: string | null;
  readonly stale: StaleReason | null;
}

/** When the first event was made that its lane has not executed, by the chain's clock; `s` is the row of `subjects`. */
const FIRST_UNAPPLIED_TIME = Prisma.sql`
  SELECT min(u.time_us) FROM checkpoints c CROSS JOIN LATERAL (
    SELECT e.time_us FROM event_log e
    WHERE e.subject = c.subject AND e.seq_no > c.seq_no AND e.seq_no <= s.ingested_seq_no AND ${IS_OF_LANE}
    ORDER BY e.seq_no LIMIT 1
  ) u WHERE c.subject = s.id`;

/** @param staleAfterMs how old states may be before they count as stale. */
export async function readStatus(db: Reads, staleAfterMs = STALE_AFTER_MS_DEFAULT): Promise<DatabaseStatus> {
  const time = (us: string): Prisma.Sql =>
    Prisma.raw(isoTime(`(TIMESTAMPTZ 'epoch' + ${us} * INTERVAL '1 microsecond')`));
  const [subjects, indexes] = await Promise.all([
    db.query<StatusDbRow>(Prisma.sql`
      SELECT s.subject_id AS "subject", s.epoch::text AS "epoch", s.start_position::text AS "startPosition",
        s.next_position::text AS "nextPosition", s.ingested_seq_no::text AS "ingestedSeqNo",
        COALESCE((SELECT min(c.seq_no) FROM checkpoints c WHERE c.subject = s.id), -1)::text AS "executedSeqNo",
        s.finalized_position::text AS "finalized", s.head_position::text AS "headPosition",
        s.head_time_us::text AS "headTimeUs", s.chain_time_us::text AS "chainTimeUs",
        (${FIRST_UNAPPLIED_TIME})::text AS "unappliedTimeUs",
        ${time('s.head_time_us')} AS "headTime", ${Prisma.raw(isoTime('s.head_seen_at'))} AS "headSeenAt",
        ${time('s.chain_time_us')} AS "chainTime",
        (SELECT count(*)::text FROM park_markers p WHERE p.subject = s.id) AS "parkedCount",
        s.halt_code AS "haltCode", s.halt_message AS "haltMessage", ${Prisma.raw(isoTime('s.halted_at'))} AS "haltedAt",
        ${staleReason(staleAfterMs)} AS "stale"
      FROM subjects s WHERE ${IS_CHAIN} ORDER BY s.subject_id`),
    db.query<{ value: string }>(
      Prisma.sql`SELECT value FROM worker_state WHERE key = ${SECONDARY_INDEXES_STATE}`,
    ),
  ]);
  return {
    subjects: subjects.map((row) => toStatus(row, db.seqNosOf)),
    secondaryIndexes: toSecondaryIndexesState(indexes[0]?.value),
  };
}

/** Whether the tables and views are there to be read. @throws {DatabaseUnavailableError} @throws {DatabaseNotPreparedError} */
export async function checkReadable(db: Reads): Promise<void> {
  await db.query(
    Prisma.sql`SELECT 1 FROM collection_view, token_view, order_view, offer_view, sale_view LIMIT 0`,
  );
}

function toStatus(row: StatusDbRow, seqNosOf: SeqNosOf): SubjectStatus {
  const next = BigInt(row.nextPosition);
  const ingested = next > BigInt(row.startPosition) ? next - 1n : null;
  const executed = executedPosition(row, ingested, seqNosOf);
  const head = row.headPosition === null ? null : BigInt(row.headPosition);
  const done = executed ?? BigInt(row.startPosition) - 1n;
  return {
    subject: row.subject,
    head: head === null ? null : { position: head.toString(), time: row.headTime, seenAt: row.headSeenAt },
    finalized: row.finalized,
    ingested: ingested?.toString() ?? null,
    ingestedSeqNo: row.ingestedSeqNo,
    executed: executed?.toString() ?? null,
    executedSeqNo: row.executedSeqNo,
    chainTime: row.chainTime,
    lagBlocks: head === null ? null : (head > done ? head - done : 0n).toString(),
    lagSeconds: secondsBetween(row.chainTimeUs, row.headTimeUs),
    executedLagSeconds: secondsBetween(row.unappliedTimeUs ?? row.chainTimeUs, row.headTimeUs),
    epoch: row.epoch,
    parkedCount: row.parkedCount,
    halted:
      row.haltCode === null
        ? null
        : { code: row.haltCode, message: row.haltMessage ?? '', since: row.haltedAt ?? '' },
    stale: row.stale,
  };
}

function secondsBetween(fromUs: string | null, toUs: string | null): number | null {
  return fromUs === null || toUs === null ? null : Math.max(0, Number(BigInt(toUs) - BigInt(fromUs)) / 1e6);
}

/** The last position that is executed whole: a checkpoint inside a position leaves that position unfinished. */
function executedPosition(row: StatusDbRow, ingested: bigint | null, seqNosOf: SeqNosOf): bigint | null {
  const seqNo = BigInt(row.executedSeqNo);
  if (ingested === null || seqNo < 0n) return null;
  if (seqNo >= BigInt(row.ingestedSeqNo)) return ingested;
  const codec = seqNosOf(row.subject as SubjectId);
  const { position } = codec.decode(seqNo as SeqNo);
  const whole = codec.last(position) === seqNo ? position : position - 1n;
  return whole < BigInt(row.startPosition) ? null : whole;
}
