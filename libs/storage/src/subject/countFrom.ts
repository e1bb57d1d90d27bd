import type { Pool } from 'pg';
import type { SeqNo } from '@imart/core';
import { toStorageError } from './pgErrors';

/** What is stored of a subject from one place of its log on, by kind. */
export interface StoredFrom {
  /** Events by the type of their aggregate. */
  readonly events: Readonly<Record<string, bigint>>;
  /** Activities by their type. */
  readonly activities: Readonly<Record<string, bigint>>;
  /** Aggregates that are set aside at such an event, by the code of what failed. */
  readonly markers: Readonly<Record<string, bigint>>;
  readonly skippedEvents: bigint;
}

/** @param fromSeqNo inclusive. @throws {StorageUnavailableError} `retry` */
export async function countFrom(pool: Pool, subject: number, fromSeqNo: SeqNo): Promise<StoredFrom> {
  const counts = async (table: string, kind: string, place: string): Promise<Record<string, bigint>> => {
    const { rows } = await pool.query(
      `SELECT ${kind} AS kind, count(*)::text AS n FROM ${table} WHERE subject = $1 AND ${place} >= $2 GROUP BY 1 ORDER BY 1`,
      [subject, fromSeqNo.toString()],
    );
    return Object.fromEntries(
      (rows as { kind: string; n: string }[]).map(({ kind, n }) => [kind, BigInt(n)]),
    );
  };
  try {
    const skipped = await counts('skipped_events', `'all'`, 'seq_no');
    return {
      events: await counts('event_log', 'aggregate_type', 'seq_no'),
      activities: await counts('activities', 'kind', 'seq_no'),
      markers: await counts('park_markers', 'code', 'from_seq_no'),
      skippedEvents: skipped['all'] ?? 0n,
    };
  } catch (error) {
    throw toStorageError(error);
  }
}
