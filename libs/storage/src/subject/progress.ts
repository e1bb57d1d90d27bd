import { escapeLiteral, type ClientBase, type Pool } from 'pg';
import { BEFORE_FIRST, type SeqNo } from '@imart/core';
import type { SubjectProgress } from '@imart/pipeline';
import { HALT_COLUMNS, haltOf, type HaltCells } from './halt';

/** How far a subject is, in one statement and so from one moment (E7, E10). */
export async function readProgress(
  client: ClientBase | Pool,
  subject: number,
  observer: string,
): Promise<SubjectProgress> {
  const { rows } = await client.query(selectProgress(subject, observer));
  return progressOf(rows[0]);
}

/** What {@link progressOf} reads, as a statement without parameters. */
export function selectProgress(subject: number, observer: string): string {
  return `SELECT s.epoch, s.ingested_seq_no, s.next_position, s.last_feed_no, s.finalized_seq_no, s.finalized_position,
      s.chain_time_us, ${HALT_COLUMNS},
      (SELECT string_agg(c.seq_no::text, ' ' ORDER BY c.lane) FROM checkpoints c
        WHERE c.observer = ${escapeLiteral(observer)} AND c.subject = s.id) AS lanes
    FROM subjects s WHERE s.id = ${subject}`;
}

export function progressOf(found: unknown): SubjectProgress {
  const row = found as {
    epoch: string;
    ingested_seq_no: string;
    next_position: string;
    last_feed_no: string;
    finalized_seq_no: string;
    finalized_position: string | null;
    chain_time_us: string | null;
    lanes: string;
  } & HaltCells;
  const lanes = row.lanes.split(' ').map((seqNo) => BigInt(seqNo) as SeqNo);
  return {
    epoch: BigInt(row.epoch),
    ingested: BigInt(row.ingested_seq_no) as SeqNo,
    nextPosition: BigInt(row.next_position),
    lastFeedNo: BigInt(row.last_feed_no),
    finalized: BigInt(row.finalized_seq_no) as SeqNo,
    finalizedPosition: row.finalized_position === null ? null : BigInt(row.finalized_position),
    chainTimeUs: row.chain_time_us === null ? null : BigInt(row.chain_time_us),
    halt: haltOf(row),
    lanes,
    executed: lanes.reduce((least, seqNo) => (seqNo < least ? seqNo : least), lanes[0] ?? BEFORE_FIRST),
  };
}
