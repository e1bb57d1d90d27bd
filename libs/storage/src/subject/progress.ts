import type { ClientBase, Pool } from 'pg';
import { BEFORE_FIRST, type SeqNo } from '@imart/core';
import type { SubjectProgress } from '@imart/pipeline';

/** How far a subject is, in one statement and so from one moment (E7, E10). */
export async function readProgress(
  client: ClientBase | Pool,
  subject: number,
  observer: string,
): Promise<SubjectProgress> {
  const { rows } = await client.query(
    `SELECT s.epoch, s.ingested_seq_no, s.next_position, s.last_feed_no, s.finalized_seq_no, s.chain_time_us,
       (SELECT array_agg(c.seq_no::text ORDER BY c.lane) FROM checkpoints c WHERE c.observer = $2 AND c.subject = s.id) AS lanes
     FROM subjects s WHERE s.id = $1`,
    [subject, observer],
  );
  const row = rows[0] as {
    epoch: string;
    ingested_seq_no: string;
    next_position: string;
    last_feed_no: string;
    finalized_seq_no: string;
    chain_time_us: string | null;
    lanes: string[];
  };
  const lanes = row.lanes.map((seqNo) => BigInt(seqNo) as SeqNo);
  return {
    epoch: BigInt(row.epoch),
    ingested: BigInt(row.ingested_seq_no) as SeqNo,
    nextPosition: BigInt(row.next_position),
    lastFeedNo: BigInt(row.last_feed_no),
    finalized: BigInt(row.finalized_seq_no) as SeqNo,
    chainTimeUs: row.chain_time_us === null ? null : BigInt(row.chain_time_us),
    lanes,
    executed: lanes.reduce((least, seqNo) => (seqNo < least ? seqNo : least), lanes[0] ?? BEFORE_FIRST),
  };
}
