import type { ClientBase } from 'pg';
import { EventConflictError, type ChangeTransaction } from '@imart/pipeline';
import { copyInto } from './script';
import { COPY_EVENT_LOG, eventLogText, type LogContext } from './eventLog';
import { moveToRetracted, readTouched, type TouchedRow } from './logEnd';

/** The steps of a transaction that change single events of the log. */
export type LateEventSteps = Pick<ChangeTransaction, 'retractEvents' | 'insertEvents' | 'discover'>;

export function createLateEventSteps(client: ClientBase, log: LogContext): LateEventSteps {
  const { subject, subjectId } = log;

  const stored = async (seqNos: readonly bigint[]): Promise<ReadonlySet<bigint>> => {
    const { rows } = await client.query(
      'SELECT seq_no FROM event_log WHERE subject = $1 AND seq_no = ANY($2::bigint[])',
      [subject, seqNos.map(String)],
    );
    return new Set((rows as { seq_no: string }[]).map(({ seq_no }) => BigInt(seq_no)));
  };

  return {
    async retractEvents(seqNos, feedNo) {
      if (seqNos.length === 0) return [];
      const known = await stored(seqNos);
      const missing = seqNos.find((seqNo) => !known.has(seqNo));
      if (missing !== undefined)
        throw new EventConflictError(subjectId, missing, 'it is to be taken back, but is not there');
      const list = seqNos.map(String);
      const { rows } = await client.query(moveToRetracted('seq_no = ANY($3::bigint[])'), [
        subject,
        feedNo.toString(),
        list,
      ]);
      await client.query(
        `WITH history AS (DELETE FROM activities WHERE subject = $1 AND seq_no = ANY($2::bigint[])),
         skips AS (DELETE FROM skipped_events WHERE subject = $1 AND seq_no = ANY($2::bigint[]))
         DELETE FROM discovered_contracts WHERE subject = $1 AND discovered_seq_no = ANY($2::bigint[])`,
        [subject, list],
      );
      return (rows as TouchedRow[]).map(readTouched);
    },

    async insertEvents(events, feedNo) {
      if (events.length === 0) return;
      const [taken] = await stored(events.map(({ seqNo }) => seqNo));
      if (taken !== undefined)
        throw new EventConflictError(subjectId, taken, 'another one is to be added at its place');
      await copyInto(client, COPY_EVENT_LOG, [Buffer.from(eventLogText(log, events, feedNo))]);
    },

    async discover(contracts) {
      if (contracts.length === 0) return;
      await client.query(
        `INSERT INTO discovered_contracts AS c (subject, address, kind, discovered_seq_no)
         SELECT DISTINCT ON (address) $1::smallint, address, kind, seq_no
         FROM unnest($2::text[], $3::text[], $4::bigint[]) AS t(address, kind, seq_no) ORDER BY address, seq_no
         ON CONFLICT (subject, address) DO UPDATE SET kind = excluded.kind, discovered_seq_no = excluded.discovered_seq_no
         WHERE excluded.discovered_seq_no < c.discovered_seq_no`,
        [
          subject,
          contracts.map(({ address }) => address),
          contracts.map(({ kind }) => kind),
          contracts.map(({ discoveredAt }) => discoveredAt.toString()),
        ],
      );
    },
  };
}
