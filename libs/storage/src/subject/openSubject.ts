import type { Pool } from 'pg';
import type { SubjectId, SubjectIdentity } from '@imart/core';
import { LanesChangedError, OtherChainError } from './errors';
import { toStorageError } from './pgErrors';

/** Advisory lock: shared by who registers a subject, exclusive by who must know that no subject is added meanwhile. */
export const SUBJECTS_LOCK = 72707372;

/** A subject of a database, and what whoever read it last has followed. */
export interface FollowedSubject {
  readonly subjectId: SubjectId;
  readonly followed: string;
}

export interface OpenSubjectOptions {
  readonly identity: SubjectIdentity;
  readonly observer: string;
  readonly lanes: number;
  /** Where a subject that is new to the database starts. */
  readonly startPosition: bigint;
  /** What a subject that is new to the database follows, as one canonical text. */
  readonly followed: string;
  /**
   * Why the subject may not be read into a database that has these, itself among them where it is there already; `null`: it may.
   * @defaultValue it always may
   */
  readonly refused?: (registered: readonly FollowedSubject[]) => Error | null;
}

export interface OpenedSubject {
  /** The subject's number in the tables. */
  readonly subject: number;
  readonly startPosition: bigint;
  /** What whoever read it last has followed; `null` of a new subject. */
  readonly followedBefore: string | null;
  /** Nothing of this subject has been ingested yet. */
  readonly empty: boolean;
}

/**
 * Registers a subject, or finds it again, and makes its checkpoints.
 * @throws {OtherChainError} when the database knows this id with another first block.
 * @throws {LanesChangedError} when it was started with another number of lanes.
 * @throws what `refused` gives.
 */
export async function openSubject(pool: Pool, options: OpenSubjectOptions): Promise<OpenedSubject> {
  const { identity, observer, lanes, startPosition, followed } = options;
  const client = await pool.connect().catch((error: unknown) => {
    throw toStorageError(error);
  });
  // A connection that dies between two statements says so here; the next statement fails, and that is what counts.
  const onError = (): void => undefined;
  client.on('error', onError);
  try {
    await client.query('BEGIN');
    await client.query(`SELECT pg_advisory_xact_lock_shared(${SUBJECTS_LOCK})`);
    const select = (): Promise<{ rows: unknown[] }> =>
      client.query(
        `SELECT id, genesis_hash, lanes, start_position, followed, ingested_seq_no FROM subjects WHERE subject_id = $1 FOR UPDATE`,
        [identity.subjectId],
      );
    const refuse = async (): Promise<void> => {
      if (options.refused === undefined) return;
      const { rows } = await client.query<FollowedSubject>(
        'SELECT subject_id AS "subjectId", followed FROM subjects ORDER BY id',
      );
      const refused = options.refused(rows);
      if (refused !== null) throw refused;
    };
    let [row] = (await select()).rows as Record<string, string>[];
    let isNew = false;
    if (row === undefined) {
      // Two that may not stand beside each other may come at the same moment: nobody else registers while this is looked at.
      if (options.refused !== undefined)
        await client.query('LOCK TABLE subjects IN SHARE ROW EXCLUSIVE MODE');
      await refuse();
      // Another process may register it at the same moment: then its row is waited for, and read.
      const made = await client.query(
        `INSERT INTO subjects (subject_id, genesis_hash, lanes, start_position, next_position, followed)
         VALUES ($1, $2, $3, $4, $4, $5) ON CONFLICT (subject_id) DO NOTHING`,
        [identity.subjectId, identity.genesisHash, lanes, startPosition, followed],
      );
      isNew = made.rowCount === 1;
      [row] = (await select()).rows as Record<string, string>[];
    } else await refuse();
    const stored = row as { [column: string]: string };
    if (stored.genesis_hash !== identity.genesisHash) {
      throw new OtherChainError(identity.subjectId, String(stored.genesis_hash), identity.genesisHash);
    }
    if (Number(stored.lanes) !== lanes)
      throw new LanesChangedError(identity.subjectId, Number(stored.lanes), lanes);
    const subject = Number(stored.id);
    await client.query(
      `INSERT INTO checkpoints (observer, subject, lane) SELECT $1, $2, g FROM generate_series(0, $3 - 1) g ON CONFLICT DO NOTHING`,
      [observer, subject, lanes],
    );
    await client.query('COMMIT');
    return {
      subject,
      startPosition: BigInt(stored.start_position as string),
      followedBefore: isNew ? null : (stored.followed as string),
      empty: BigInt(stored.ingested_seq_no as string) < 0n,
    };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw toStorageError(error);
  } finally {
    client.off('error', onError);
    client.release();
  }
}
