import type { Pool } from 'pg';
import type { SubjectId } from '@imart/core';
import { toStorageError } from './pgErrors';

/** A subject that some process has registered with `openSubject`. */
export interface RegisteredSubject {
  /** The subject's number in the tables. */
  readonly subject: number;
  readonly subjectId: SubjectId;
  readonly lanes: number;
  readonly startPosition: bigint;
}

/** The subjects of the database that this observer has lanes on, by id. */
export async function registeredSubjects(
  pool: Pool,
  observer: string,
): Promise<readonly RegisteredSubject[]> {
  try {
    const { rows } = await pool.query(
      `SELECT s.id, s.subject_id, s.lanes, s.start_position FROM subjects s
       WHERE EXISTS (SELECT FROM checkpoints c WHERE c.observer = $1 AND c.subject = s.id) ORDER BY s.subject_id`,
      [observer],
    );
    return (rows as Record<string, string>[]).map((row) => ({
      subject: Number(row['id']),
      subjectId: row['subject_id'] as SubjectId,
      lanes: Number(row['lanes']),
      startPosition: BigInt(row['start_position'] as string),
    }));
  } catch (error) {
    throw toStorageError(error);
  }
}
