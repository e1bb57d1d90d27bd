import { BEFORE_FIRST, COMMAND_SUBJECT_PREFIX, type SubjectId } from '@imart/core';
import type { ParkMarker } from '@imart/pipeline';
import {
  compareReducers,
  ReducersChangedError,
  reducerVersionsText,
  SELECT_REDUCER_VERSIONS,
} from '../passes/reducerVersions';
import type { ReplayOptions } from './options';
import type { Session } from './session';

/** A chain, and how far it was when it was looked at. */
export interface ReplayedSubject {
  readonly subject: number;
  readonly subjectId: SubjectId;
  /** How far each lane is, by its number. */
  readonly lanes: readonly bigint[];
  /** Raised by every change of what had been told. */
  readonly epoch: bigint;
  readonly lastFeedNo: bigint;
  readonly parked: readonly ParkMarker[];
}

/** The chains. States of commands are no tables: nothing of them is made anew. */
export async function readSubjects(
  options: ReplayOptions,
  client: Session,
): Promise<readonly ReplayedSubject[]> {
  const { rows } = await client.query(
    `SELECT s.id, s.subject_id, s.epoch, s.last_feed_no,
       coalesce((SELECT json_agg(json_build_object('observer', c.observer, 'seqNo', c.seq_no::text) ORDER BY c.lane)
         FROM checkpoints c WHERE c.subject = s.id), '[]') AS lanes,
       coalesce((SELECT json_agg(json_build_object('aggregateType', p.aggregate_type, 'aggregateId', p.aggregate_id,
         'fromSeqNo', p.from_seq_no::text, 'code', p.code, 'message', p.message)) FROM park_markers p WHERE p.subject = s.id), '[]') AS parked
     FROM subjects s WHERE NOT starts_with(s.subject_id, $1) ORDER BY s.id`,
    [COMMAND_SUBJECT_PREFIX],
  );
  return (
    rows as {
      id: number;
      subject_id: string;
      epoch: string;
      last_feed_no: string;
      lanes: { observer: string; seqNo: string }[];
      parked: Record<string, string>[];
    }[]
  ).map((row) => {
    const subjectId = row.subject_id as SubjectId;
    const observer = options.observerOf(subjectId).name;
    return {
      subject: row.id,
      subjectId,
      epoch: BigInt(row.epoch),
      lastFeedNo: BigInt(row.last_feed_no),
      lanes: row.lanes.filter((lane) => lane.observer === observer).map(({ seqNo }) => BigInt(seqNo)),
      parked: row.parked.map(
        (p) => ({ ...p, fromSeqNo: BigInt(p.fromSeqNo as string) }) as unknown as ParkMarker,
      ),
    };
  });
}

/** States of newer reducers are not replaced by those of older ones. */
export async function refuseOlderReducers(
  options: ReplayOptions,
  control: Session,
  [one]: readonly ReplayedSubject[],
): Promise<void> {
  if (one === undefined) return;
  const { rows } = await control.query(`SELECT ${SELECT_REDUCER_VERSIONS} AS text`);
  const { text } = rows[0] as { text: string | null };
  const own = reducerVersionsText(options.observerOf(one.subjectId));
  if (text !== null && compareReducers(text, own) === 'older') throw new ReducersChangedError(text, own);
}

/** How far a subject was folded; one that is new is not folded at all. */
export const foldedBefore = (folded: readonly ReplayedSubject[], now: ReplayedSubject): ReplayedSubject =>
  folded.find((one) => one.subject === now.subject) ?? {
    ...now,
    lanes: now.lanes.map(() => BEFORE_FIRST),
    epoch: now.epoch,
    lastFeedNo: 0n,
  };
