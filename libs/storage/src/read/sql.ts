import { COMMAND_SUBJECT_PREFIX } from '@imart/core';
import { Prisma } from '../generated/client';

/** Conditions joined with AND; all rows when there are none. */
export function where(conditions: readonly Prisma.Sql[]): Prisma.Sql {
  return conditions.length === 0 ? Prisma.empty : Prisma.sql`WHERE ${Prisma.join([...conditions], ' AND ')}`;
}

/** Condition: the subject `s` is a chain. Commands have no head, no queue and no rows of the market. */
export const IS_CHAIN = Prisma.sql`NOT starts_with(s.subject_id, ${COMMAND_SUBJECT_PREFIX})`;

/** Condition: the event `e` is of the lane of checkpoint `c`; `s` is its subject. */
export const IS_OF_LANE = Prisma.sql`(s.lanes = 1 OR (e.aggregate_hash & 9223372036854775807) % s.lanes = c.lane)`;

/** A moment as ISO 8601 in UTC with microseconds; NULL for "never". `column` is ours, never a caller's text. */
export function isoTime(column: string): string {
  return `NULLIF(to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '')`;
}

/** `column = ANY(values)`. `column` is ours, never a caller's text. */
export function oneOf(column: string, values: readonly string[]): Prisma.Sql {
  return Prisma.sql`${Prisma.raw(column)} = ANY(${[...values]}::text[])`;
}
