import type { Pool } from 'pg';
import { aggregateHash, type AggregateKey, type SeqNo } from '@imart/core';
import type { ParkAction, ParkMarker } from '@imart/pipeline';
import { toStorageError } from './pgErrors';

/** More waiting events than this are not told one by one. */
export const WAITING_EVENTS_MAX = 1_000;

/** An aggregate that is set aside, and what waits behind it. */
export interface ParkedReading extends ParkMarker {
  /** ISO 8601, by the database's clock. */
  readonly parkedAt: string;
  /** Its events in the log from `fromSeqNo` on, without those that were skipped. */
  readonly waitingEvents: number;
}

/** An event of a parked aggregate, as it is stored. */
export interface WaitingEvent {
  readonly seqNo: SeqNo;
  readonly name: string;
  /** The event's data as JSON text. */
  readonly data: string;
  readonly txHash: string;
  readonly address: string;
}

/** An event that was taken out of its aggregate's story, and by whom. */
export interface SkippedEvent {
  readonly seqNo: SeqNo;
  readonly skippedBy: string;
  readonly reason: string;
  readonly skippedAt: string;
}

/** Everything that is known of an aggregate that is, or was, set aside. */
export interface ParkedAggregate {
  /** `null`: it is not set aside now. */
  readonly marker: ParkedReading | null;
  /** From the marker on, ascending; the first {@link WAITING_EVENTS_MAX}. */
  readonly waiting: readonly WaitingEvent[];
  /** Ascending. */
  readonly skipped: readonly SkippedEvent[];
  /** Oldest first. */
  readonly actions: readonly (ParkAction & { readonly actedAt: string })[];
}

const ISO = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Of one aggregate, from its marker on; the index of the log is by its hash. */
const WAITING = `e.subject = $1 AND e.aggregate_hash = $2 AND e.aggregate_type = $3 AND e.aggregate_id = $4`;
const NOT_SKIPPED =
  'NOT EXISTS (SELECT FROM skipped_events k WHERE k.subject = e.subject AND k.seq_no = e.seq_no)';

/** Every aggregate of a subject that is set aside, the one that is so for longest first. @throws {StorageUnavailableError} `retry` */
export async function readParked(pool: Pool, subject: number): Promise<readonly ParkedReading[]> {
  try {
    const { rows } = await pool.query(
      `SELECT p.*, p.from_seq_no::text AS seq_no, ${ISO('p.parked_at')} AS since FROM park_markers p
       WHERE p.subject = $1 ORDER BY p.parked_at, p.from_seq_no`,
      [subject],
    );
    const readings: ParkedReading[] = [];
    for (const row of rows as Record<string, string>[]) readings.push(await readingOf(pool, subject, row));
    return readings;
  } catch (error) {
    throw toStorageError(error);
  }
}

/** One aggregate, whether it is set aside or was once. @throws {StorageUnavailableError} `retry` */
export async function readParkedAggregate(
  pool: Pool,
  subject: number,
  key: AggregateKey,
): Promise<ParkedAggregate> {
  try {
    const named = [subject, key.aggregateType, key.aggregateId];
    const markers = await pool.query(
      `SELECT p.*, p.from_seq_no::text AS seq_no, ${ISO('p.parked_at')} AS since FROM park_markers p
       WHERE p.subject = $1 AND p.aggregate_type = $2 AND p.aggregate_id = $3`,
      named,
    );
    const row = markers.rows[0] as Record<string, string> | undefined;
    const marker = row === undefined ? null : await readingOf(pool, subject, row);
    const indexed = [subject, hashOf(key), key.aggregateType, key.aggregateId];
    const waiting =
      marker === null
        ? []
        : (
            await pool.query(
              `SELECT e.seq_no::text, e.name, e.data, '0x' || encode(e.tx_hash, 'hex') AS tx_hash, e.address FROM event_log e
               WHERE ${WAITING} AND e.seq_no >= $5 AND ${NOT_SKIPPED} ORDER BY e.seq_no LIMIT ${WAITING_EVENTS_MAX}`,
              [...indexed, marker.fromSeqNo.toString()],
            )
          ).rows;
    const skipped = await pool.query(
      `SELECT k.seq_no::text, k.skipped_by, k.reason, ${ISO('k.skipped_at')} AS skipped_at
       FROM event_log e JOIN skipped_events k ON k.subject = e.subject AND k.seq_no = e.seq_no
       WHERE ${WAITING} ORDER BY k.seq_no`,
      indexed,
    );
    const actions = await pool.query(
      `SELECT a.*, a.from_seq_no::text AS seq_no, ${ISO('a.acted_at')} AS at FROM park_actions a
       WHERE a.subject = $1 AND a.aggregate_type = $2 AND a.aggregate_id = $3 ORDER BY a.id`,
      named,
    );
    return {
      marker,
      waiting: (waiting as Record<string, string>[]).map((event) => ({
        seqNo: seqNoOf(event['seq_no']),
        name: event['name'] as string,
        data: event['data'] as string,
        txHash: event['tx_hash'] as string,
        address: event['address'] as string,
      })),
      skipped: (skipped.rows as Record<string, string>[]).map((event) => ({
        seqNo: seqNoOf(event['seq_no']),
        skippedBy: event['skipped_by'] as string,
        reason: event['reason'] as string,
        skippedAt: event['skipped_at'] as string,
      })),
      actions: (actions.rows as Record<string, string | null>[]).map((action) => ({
        ...key,
        fromSeqNo: seqNoOf(action['seq_no'] ?? undefined),
        action: action['action'] as ParkAction['action'],
        outcome: action['outcome'] as ParkAction['outcome'],
        actedBy: action['acted_by'] as string,
        reason: action['reason'] ?? null,
        actedAt: action['at'] as string,
      })),
    };
  } catch (error) {
    throw toStorageError(error);
  }
}

async function readingOf(pool: Pool, subject: number, row: Record<string, string>): Promise<ParkedReading> {
  const key = { aggregateType: row['aggregate_type'] as string, aggregateId: row['aggregate_id'] as string };
  const counted = await pool.query(
    `SELECT count(*)::int AS events FROM event_log e WHERE ${WAITING} AND e.seq_no >= $5 AND ${NOT_SKIPPED}`,
    [subject, hashOf(key), key.aggregateType, key.aggregateId, row['seq_no']],
  );
  return {
    ...key,
    fromSeqNo: seqNoOf(row['seq_no']),
    code: row['code'] as string,
    message: row['message'] as string,
    parkedAt: row['since'] as string,
    waitingEvents: (counted.rows[0] as { events: number }).events,
  };
}

const hashOf = ({ aggregateType, aggregateId }: AggregateKey): string =>
  aggregateHash(aggregateType, aggregateId).toString();
const seqNoOf = (text: string | undefined): SeqNo => BigInt(text as string) as SeqNo;
