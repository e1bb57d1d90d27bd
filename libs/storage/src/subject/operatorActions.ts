import type { ClientBase, Pool } from 'pg';
import type { ChangeTransaction, OperatorDecision } from '@imart/pipeline';
import { CLEAR_HALT } from './halt';

/** Text as PostgreSQL can hold it. */
const clean = (text: string | null): string | null => text?.replaceAll('\0', '\ufffd') ?? null;

/** The steps of a transaction that record what an operator does to a whole chain. */
export function createOperatorSteps(
  client: ClientBase,
  subject: number,
): Pick<ChangeTransaction, 'recordRewind' | 'recordRewound'> {
  return {
    async recordRewind(toPosition, { actedBy, reason }) {
      // The subject is locked: its halt is the one that was looked at.
      const { rows } = await client.query(
        `INSERT INTO operator_actions (subject, action, acted_by, reason, to_position, halt_code, halt_message, halted_at)
         SELECT id, 'rewind', $2, $3, $4, halt_code, halt_message, halted_at FROM subjects WHERE id = $1 RETURNING id`,
        [subject, clean(actedBy), clean(reason), toPosition.toString()],
      );
      return BigInt((rows[0] as { id: string }).id);
    },
    async recordRewound(rewind, { events, nextPosition, isLast }) {
      await client.query(
        `UPDATE operator_actions SET events = events + $2, next_position = $3,
           finished_at = CASE WHEN $4::boolean THEN clock_timestamp() END WHERE id = $1`,
        [rewind.toString(), events, nextPosition.toString(), isLast],
      );
      if (isLast) await client.query(CLEAR_HALT, [subject]);
    },
  };
}

/** Clears the halt of this code and records who did it, in one statement. @returns whether there was one. */
export async function resume(
  pool: Pool,
  subject: number,
  code: string,
  { actedBy, reason }: OperatorDecision,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `WITH halted AS (
       SELECT id, halt_code, halt_message, halted_at FROM subjects WHERE id = $1 AND halt_code = $2 FOR UPDATE
     ), cleared AS (
       ${CLEAR_HALT} AND id IN (SELECT id FROM halted)
     )
     INSERT INTO operator_actions (subject, action, acted_by, reason, halt_code, halt_message, halted_at, finished_at)
     SELECT id, 'resume', $3, $4, halt_code, halt_message, halted_at, clock_timestamp() FROM halted`,
    [subject, code, clean(actedBy), clean(reason)],
  );
  return rowCount === 1;
}
