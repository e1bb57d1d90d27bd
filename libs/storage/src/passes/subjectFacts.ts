import type { Pool } from 'pg';
import { toStorageError } from '../subject/pgErrors';

/** What a subject is bound to in the database. */
export interface SubjectFacts {
  /** Hash of the chain's first block. */
  readonly genesisHash: string;
  /** What whoever reads it follows, as one canonical text. */
  readonly followed: string;
}

/** @param subject the subject's number. */
export async function subjectFacts(pool: Pool, subject: number): Promise<SubjectFacts> {
  try {
    const { rows } = await pool.query('SELECT genesis_hash, followed FROM subjects WHERE id = $1', [subject]);
    const row = rows[0] as { genesis_hash: string; followed: string };
    return { genesisHash: row.genesis_hash, followed: row.followed };
  } catch (error) {
    throw toStorageError(error);
  }
}
