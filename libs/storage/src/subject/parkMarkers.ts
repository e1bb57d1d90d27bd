import type { ClientBase } from 'pg';
import type { AggregateKey, SeqNo } from '@imart/core';
import type { ChangeTransaction, ParkMarker } from '@imart/pipeline';
import { keyTextOf } from './marketTables';

/** Text as PostgreSQL can hold it. */
const clean = (text: string): string => text.replaceAll('\0', '\ufffd');

/**
 * Sets an aggregate aside; one that is set aside already stays so from where it was.
 * @param parkedAt since when it counts as set aside. @defaultValue now
 */
export async function insertParkMarker(
  client: ClientBase,
  subject: number,
  marker: ParkMarker,
  parkedAt: string | null = null,
): Promise<void> {
  await client.query(
    `INSERT INTO park_markers (subject, aggregate_type, aggregate_id, from_seq_no, code, message, parked_at)
     VALUES ($1, $2, $3, $4, $5, $6, coalesce($7::timestamptz, now())) ON CONFLICT DO NOTHING`,
    [
      subject,
      marker.aggregateType,
      marker.aggregateId,
      marker.fromSeqNo.toString(),
      marker.code,
      clean(marker.message),
      parkedAt,
    ],
  );
}

interface MarkerRow {
  readonly aggregate_type: string;
  readonly aggregate_id: string;
  readonly from_seq_no: string;
  readonly code: string;
  readonly message: string;
}

export const SELECT_MARKERS =
  'SELECT aggregate_type, aggregate_id, from_seq_no, code, message FROM park_markers';

export const readMarker = (row: unknown): ParkMarker => {
  const { aggregate_type, aggregate_id, from_seq_no, code, message } = row as MarkerRow;
  return {
    aggregateType: aggregate_type,
    aggregateId: aggregate_id,
    fromSeqNo: BigInt(from_seq_no) as SeqNo,
    code,
    message,
  };
};

/** The steps of a transaction that concern aggregates that are set aside. */
export interface ParkSteps extends Pick<
  ChangeTransaction,
  'parkedAmong' | 'unpark' | 'skipEvent' | 'recordParkActions'
> {
  /** Sets an aggregate aside: since now, or since when it was at this event before this transaction. */
  park(marker: ParkMarker): Promise<void>;
}

export function createParkSteps(client: ClientBase, subject: number): ParkSteps {
  /** Markers that this transaction removed. */
  const removed = new Map<string, { readonly fromSeqNo: bigint; readonly parkedAt: string }>();

  const amongKeys = `subject = $1 AND (aggregate_type, aggregate_id) IN (SELECT * FROM unnest($2::text[], $3::text[]))`;
  const parametersOf = (keys: readonly AggregateKey[]) => [
    subject,
    keys.map((key) => key.aggregateType),
    keys.map((key) => key.aggregateId),
  ];

  return {
    async park(marker) {
      const before = removed.get(keyTextOf(marker));
      const since = before?.fromSeqNo === marker.fromSeqNo ? before.parkedAt : null;
      await insertParkMarker(client, subject, marker, since);
    },
    async parkedAmong(keys) {
      if (keys.length === 0) return [];
      const { rows } = await client.query(`${SELECT_MARKERS} WHERE ${amongKeys}`, parametersOf(keys));
      return rows.map(readMarker);
    },
    async unpark(keys) {
      if (keys.length === 0) return;
      const { rows } = await client.query(
        `DELETE FROM park_markers WHERE ${amongKeys} RETURNING aggregate_type, aggregate_id, from_seq_no, parked_at::text AS parked_at`,
        parametersOf(keys),
      );
      for (const row of rows as (MarkerRow & { parked_at: string })[]) {
        const key = { aggregateType: row.aggregate_type, aggregateId: row.aggregate_id };
        removed.set(keyTextOf(key), { fromSeqNo: BigInt(row.from_seq_no), parkedAt: row.parked_at });
      }
    },
    async skipEvent(seqNo, by, reason) {
      await client.query(
        `INSERT INTO skipped_events (subject, seq_no, skipped_by, reason) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
        [subject, seqNo.toString(), clean(by), clean(reason)],
      );
    },
    async recordParkActions(actions) {
      if (actions.length === 0) return;
      await client.query(
        `INSERT INTO park_actions (subject, aggregate_type, aggregate_id, from_seq_no, action, outcome, acted_by, reason)
         SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])`,
        [
          ...parametersOf(actions),
          actions.map(({ fromSeqNo }) => fromSeqNo.toString()),
          actions.map(({ action }) => action),
          actions.map(({ outcome }) => outcome),
          actions.map(({ actedBy }) => clean(actedBy)),
          actions.map(({ reason }) => (reason === null ? null : clean(reason))),
        ],
      );
    },
  };
}
