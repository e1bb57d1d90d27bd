import type { Pool } from 'pg';
import {
  PersonalDataKeyError,
  type AggregateDefinition,
  type PersonalData,
  type PersonKey,
} from '@imart/event-service';
import type { OperatorDecision } from '@imart/pipeline';
import type { CommandContext } from './context';
import { onConnection, translated } from './session';

/**
 * That personal data of a type can be sealed, and opened again.
 * @throws {PersonalDataKeyError}
 */
export async function checkPersonalData(
  pool: Pool,
  { type, events }: AggregateDefinition,
  personalData: PersonalData | null,
): Promise<void> {
  if (Object.values(events).every(({ personal }) => personal === undefined)) return;
  if (personalData === null)
    throw new PersonalDataKeyError(`${type} has personal data, and there is no master key`);
  // All keys are sealed with the same master key: any one tells.
  const { rows } = await translated(() =>
    pool.query(`SELECT encode(sealed_key, 'hex') AS sealed_key FROM person_keys ORDER BY id LIMIT 1`),
  );
  const [row] = rows as { sealed_key: string }[];
  if (row !== undefined) personalData.check(row.sealed_key);
}

/** The key of a person: the one that is there, or a new one. */
export async function personKeyOf(
  { pool, aggregateType, personalData }: CommandContext,
  person: string,
): Promise<PersonKey> {
  if (personalData === null)
    throw new PersonalDataKeyError(`${aggregateType} has personal data, and there is no master key`);
  const find = async (): Promise<PersonKey | undefined> => {
    const { rows } = await pool.query(
      `SELECT id, encode(sealed_key, 'hex') AS "sealedKey" FROM person_keys WHERE person = $1`,
      [person],
    );
    return rows[0] as PersonKey | undefined;
  };
  return translated(async () => {
    for (;;) {
      const found = await find();
      if (found !== undefined) return found;
      await pool.query(
        `INSERT INTO person_keys (person, sealed_key) VALUES ($1, decode($2, 'hex')) ON CONFLICT (person) DO NOTHING`,
        [person, personalData.newKey()],
      );
    }
  });
}

/** What forgetting a person has made unreadable. */
export interface ForgottenPerson {
  /** Aggregates with data of the person, by subject. */
  readonly aggregates: readonly { readonly subjectId: string; readonly count: number }[];
  /** Snapshots that had the data, and were removed. */
  readonly snapshots: number;
}

/**
 * Deletes a person's key, and the snapshots that hold what it opened, in one transaction: what was sealed with it cannot be read from then
 * on, by readings that begin after it. Kept with who and why, for each subject; the person is not named in it.
 * @returns `null`: there is nothing of this person (any more). Nothing was written.
 * @throws {StorageUnavailableError} `retry`: asking again is harmless.
 */
export function forgetPerson(
  pool: Pool,
  person: string,
  { actedBy, reason }: OperatorDecision,
): Promise<ForgottenPerson | null> {
  return onConnection(pool, async (client) => {
    await client.query('BEGIN');
    // The subjects first, as whoever decides anew about waiting commands locks them: nobody waits in a circle.
    await client.query(
      `SELECT id FROM subjects WHERE id IN (SELECT u.subject FROM person_keys k JOIN person_key_uses u ON u.key_id = k.id
         WHERE k.person = $1) ORDER BY id FOR UPDATE`,
      [person],
    );
    // Waits for commands and snapshots that use the key; those that come later find it gone.
    const { rows } = await client.query('SELECT id FROM person_keys WHERE person = $1 FOR UPDATE', [person]);
    const [key] = rows as { id: string }[];
    if (key === undefined) {
      await client.query('ROLLBACK');
      return null;
    }
    const removed = await client.query(
      `DELETE FROM snapshots s USING person_key_uses u WHERE u.key_id = $1 AND s.subject = u.subject
         AND s.aggregate_hash = u.aggregate_hash AND s.aggregate_type = u.aggregate_type AND s.aggregate_id = u.aggregate_id`,
      [key.id],
    );
    // Lanes forget the states that they keep in memory: they were folded under another epoch.
    const told = await client.query(
      `WITH uses AS (SELECT subject, count(*) AS aggregates FROM person_key_uses WHERE key_id = $1 GROUP BY subject),
       raised AS (UPDATE subjects SET epoch = epoch + 1 FROM uses WHERE id = uses.subject RETURNING id, subject_id, aggregates),
       recorded AS (INSERT INTO operator_actions (subject, action, acted_by, reason, events, finished_at)
         SELECT id, 'forget', $2, $3, aggregates, clock_timestamp() FROM raised)
       SELECT subject_id, aggregates FROM raised ORDER BY subject_id`,
      [key.id, clean(actedBy), reason === null ? null : clean(reason)],
    );
    await client.query('DELETE FROM person_keys WHERE id = $1', [key.id]);
    await client.query('COMMIT');
    return {
      aggregates: (told.rows as { subject_id: string; aggregates: string }[]).map((row) => ({
        subjectId: row.subject_id,
        count: Number(row.aggregates),
      })),
      snapshots: removed.rowCount ?? 0,
    };
  });
}

/** Text as PostgreSQL can hold it. */
const clean = (text: string): string => text.replaceAll('\0', '\ufffd');
