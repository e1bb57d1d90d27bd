import type { ClientBase, Pool } from 'pg';
import type { Halt } from '@imart/pipeline';

/** The columns that {@link haltOf} reads. */
export const HALT_COLUMNS =
  'halt_code, halt_message, (extract(epoch FROM halted_at) * 1000)::bigint AS halted_at_ms';

export interface HaltCells {
  readonly halt_code: string | null;
  readonly halt_message: string | null;
  readonly halted_at_ms: string | null;
}

export function haltOf({ halt_code, halt_message, halted_at_ms }: HaltCells): Halt | null {
  if (halt_code === null) return null;
  return { code: halt_code, message: halt_message ?? '', haltedAtMs: Number(halted_at_ms) };
}

export async function readHalt(client: ClientBase | Pool, subject: number): Promise<Halt | null> {
  const { rows } = await client.query(`SELECT ${HALT_COLUMNS} FROM subjects WHERE id = $1`, [subject]);
  return haltOf(rows[0] as HaltCells);
}

/** The first reason stays: what follows from it would hide it. */
export async function writeHalt(pool: Pool, subject: number, code: string, message: string): Promise<Halt> {
  const { rows } = await pool.query(
    `UPDATE subjects SET halt_code = coalesce(halt_code, $2), halt_message = CASE WHEN halt_code IS NULL THEN $3 ELSE halt_message END,
       halted_at = coalesce(halted_at, now()) WHERE id = $1 RETURNING ${HALT_COLUMNS}`,
    [subject, code, message.replaceAll('\0', '\ufffd')],
  );
  return haltOf(rows[0] as HaltCells) as Halt;
}

/** SQL: the halt of a subject, `$1`, is no more. */
export const CLEAR_HALT =
  'UPDATE subjects SET halt_code = NULL, halt_message = NULL, halted_at = NULL WHERE id = $1';
