import type { ClientBase } from 'pg';
import { BEFORE_FIRST, type BlockRef, type KnownBlock, type Observer, type SeqNo } from '@imart/core';
import type { ChangeTransaction, LogEnd, TouchedAggregate } from '@imart/pipeline';
import { EVENT_LOG_COLUMNS, type LogContext } from './eventLog';
import { readBlockRef } from './resumePoint';

export interface TouchedRow {
  readonly type: string;
  readonly id: string;
  readonly first: string;
}

export const readTouched = (row: TouchedRow): TouchedAggregate => ({
  aggregateType: row.type,
  aggregateId: row.id,
  fromSeqNo: BigInt(row.first) as SeqNo,
});

/** `event_log`'s columns, in the order of `retracted_events` after its feed number. */
const RETRACTED_COLUMNS = EVENT_LOG_COLUMNS.replace('"subject", ', '');

/**
 * SQL: events that are deleted from the log (a CTE `gone`) go to the retracted ones. Parameters: subject, feed number.
 * The log's primary key leads to them, however large it is (R13).
 */
export const moveToRetracted = (gone: string): string =>
  `WITH gone AS (DELETE FROM event_log WHERE subject = $1 AND ${gone} RETURNING ${EVENT_LOG_COLUMNS}),
   moved AS (INSERT INTO retracted_events ("subject", "retracted_feed_no", ${RETRACTED_COLUMNS})
     SELECT "subject", $2, ${RETRACTED_COLUMNS} FROM gone)
   SELECT aggregate_type AS type, aggregate_id AS id, min(seq_no) AS first, count(*)::int AS events
   FROM gone GROUP BY aggregate_type, aggregate_id`;

/** The steps of a transaction that end the log earlier. */
export type LogEndSteps = Pick<
  ChangeTransaction,
  'recordChange' | 'cutLog' | 'endAt' | 'positionBefore' | 'countAbove' | 'lowerFinality' | 'knownBlocks'
>;

export function createLogEndSteps(client: ClientBase, log: LogContext, observer: Observer): LogEndSteps {
  const { subject, seqNos } = log;

  /** The last position at or before one of which the block is known by the log alone. */
  const lastEventBlock = async (position: bigint): Promise<BlockRef | null> => {
    const { rows } = await client.query(
      `SELECT seq_no, encode(block_hash, 'hex') AS hash, time_us FROM event_log
       WHERE subject = $1 AND seq_no <= $2 ORDER BY seq_no DESC LIMIT 1`,
      [subject, seqNos.last(position).toString()],
    );
    const row = rows[0] as { seq_no: string; hash: string; time_us: string } | undefined;
    if (row === undefined) return null;
    return {
      position: seqNos.decode(BigInt(row.seq_no) as SeqNo).position,
      hash: `0x${row.hash}`,
      parentHash: '',
      timeUs: BigInt(row.time_us),
    };
  };

  return {
    async recordChange({ kind, fromSeqNo, toSeqNo, aggregate }) {
      const { rows } = await client.query(
        `WITH raised AS (
           UPDATE subjects SET epoch = epoch + 1, last_feed_no = last_feed_no + 1 WHERE id = $1 RETURNING epoch, last_feed_no
         )
         INSERT INTO feed (subject, feed_no, kind, from_seq_no, to_seq_no, epoch, aggregate_type, aggregate_id)
         SELECT $1, last_feed_no, $2, $3, $4, epoch, $5, $6 FROM raised RETURNING feed_no, epoch`,
        [
          subject,
          kind,
          fromSeqNo.toString(),
          toSeqNo.toString(),
          aggregate?.aggregateType ?? null,
          aggregate?.aggregateId ?? null,
        ],
      );
      const row = rows[0] as { feed_no: string; epoch: string };
      return { feedNo: BigInt(row.feed_no), epoch: BigInt(row.epoch) };
    },

    async cutLog({ block, nextPosition, ingested }, feedNo) {
      if (block !== null && seqNos.decode((ingested + 1n) as SeqNo).position <= block.position)
        throw new RangeError(`block ${block.position} cannot stay when the log ends at ${ingested}`);
      const { rows } = await client.query(moveToRetracted('seq_no > $3'), [
        subject,
        feedNo.toString(),
        ingested.toString(),
      ]);
      await client.query(
        `WITH history AS (DELETE FROM activities WHERE subject = $1 AND seq_no > $2),
         skips AS (DELETE FROM skipped_events WHERE subject = $1 AND seq_no > $2),
         contracts AS (DELETE FROM discovered_contracts WHERE subject = $1 AND discovered_seq_no > $2),
         lanes AS (UPDATE checkpoints SET seq_no = $2 WHERE observer = $3 AND subject = $1 AND seq_no > $2),
         forgotten AS (DELETE FROM blocks WHERE subject = $1 AND position > $4)
         UPDATE subjects SET ingested_seq_no = $2, next_position = $5, chain_time_us = $6 WHERE id = $1`,
        [
          subject,
          ingested.toString(),
          observer.name,
          (block?.position ?? -1n).toString(),
          nextPosition.toString(),
          block?.timeUs.toString() ?? null,
        ],
      );
      if (block !== null) {
        await client.query(
          `INSERT INTO blocks (subject, position, hash, parent_hash, time_us) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
          [subject, block.position.toString(), block.hash, block.parentHash, block.timeUs.toString()],
        );
      }
      const gone = rows as (TouchedRow & { events: number })[];
      return {
        events: gone.reduce((sum, { events }) => sum + events, 0),
        aggregates: gone.map(readTouched),
      };
    },

    async endAt(position): Promise<LogEnd> {
      const { rows: subjects } = await client.query(
        'SELECT start_position, next_position, ingested_seq_no FROM subjects WHERE id = $1',
        [subject],
      );
      const at = subjects[0] as { start_position: string; next_position: string; ingested_seq_no: string };
      const last = BigInt(at.next_position) - 1n;
      const { rows } = await client.query(
        'SELECT position, hash, parent_hash, time_us FROM blocks WHERE subject = $1 AND position = $2',
        [subject, (position < last ? position : last).toString()],
      );
      const [known] = rows as Record<string, string>[];
      const block =
        known === undefined ? await lastEventBlock(position < last ? position : last) : readBlockRef(known);
      if (block === null)
        return { block: null, nextPosition: BigInt(at.start_position), ingested: BEFORE_FIRST };
      const ingested =
        block.position === last
          ? (BigInt(at.ingested_seq_no) as SeqNo)
          : (seqNos.last(block.position) satisfies SeqNo);
      return { block, nextPosition: block.position + 1n, ingested };
    },

    async positionBefore(events) {
      const { rows } = await client.query(
        'SELECT seq_no FROM event_log WHERE subject = $1 ORDER BY seq_no DESC OFFSET $2 LIMIT 1',
        [subject, events],
      );
      const row = rows[0] as { seq_no: string } | undefined;
      return row === undefined ? null : seqNos.decode(BigInt(row.seq_no) as SeqNo).position;
    },

    async countAbove({ ingested }) {
      const { rows } = await client.query(
        `SELECT count(*) AS events, count(DISTINCT (aggregate_type, aggregate_id)) AS aggregates,
           (SELECT count(*) FROM discovered_contracts WHERE subject = $1 AND discovered_seq_no > $2) AS discovered
         FROM event_log WHERE subject = $1 AND seq_no > $2`,
        [subject, ingested.toString()],
      );
      const row = rows[0] as { events: string; aggregates: string; discovered: string };
      return {
        events: BigInt(row.events),
        aggregates: BigInt(row.aggregates),
        discovered: BigInt(row.discovered),
      };
    },

    async lowerFinality({ block, ingested }) {
      await client.query(
        `UPDATE subjects SET finalized_position = $2, finalized_seq_no = $3 WHERE id = $1 AND finalized_seq_no > $3`,
        [subject, block?.position.toString() ?? null, ingested.toString()],
      );
      // What is read again from there on has been read once: the second pass follows it.
      await client.query(
        `UPDATE passes SET next_position = greatest(from_position, $2::bigint)
         WHERE subject = $1 AND kind = 'second' AND finished_at IS NULL AND next_position > $2::bigint`,
        [subject, ((block?.position ?? -1n) + 1n).toString()],
      );
    },

    async knownBlocks(positions) {
      if (positions.length === 0) return [];
      const { rows } = await client.query(
        `SELECT p.position, coalesce(b.hash, '0x' || encode(e.block_hash, 'hex')) AS hash
         FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS p(position, first, last)
         LEFT JOIN blocks b ON b.subject = $1 AND b.position = p.position
         LEFT JOIN LATERAL (SELECT block_hash FROM event_log WHERE subject = $1 AND seq_no BETWEEN p.first AND p.last
           ORDER BY seq_no LIMIT 1) e ON true
         WHERE b.hash IS NOT NULL OR e.block_hash IS NOT NULL`,
        [
          subject,
          positions.map(String),
          positions.map((position) => seqNos.first(position).toString()),
          positions.map((position) => seqNos.last(position).toString()),
        ],
      );
      return (rows as { position: string; hash: string }[]).map(({ position, hash }): KnownBlock => ({
        position: BigInt(position),
        hash,
      }));
    },
  };
}
