import type { Pool } from 'pg';
import type { OperatorDecision } from '@imart/pipeline';
import { toStorageError } from './pgErrors';

/** What an operator did, by `imart rewind`, `imart resume`, `imart parked` or `imart forget`, as it is shown. */
export interface OperatorRecord extends OperatorDecision {
  /** ISO 8601, by the database's clock. */
  readonly actedAt: string;
  readonly action: 'rewind' | 'resume' | 'retry' | 'skip' | 'forget';
  /** Of a rewind: the last position that was to stay, events taken back, where reading went on, and when it was done; `null`: not done. */
  readonly rewind: {
    readonly toPosition: bigint;
    readonly events: bigint;
    readonly nextPosition: bigint | null;
    readonly finishedAt: string | null;
  } | null;
  /** The halt under which the chain stood. */
  readonly halt: { readonly code: string; readonly message: string; readonly haltedAt: string } | null;
  /** Of a retry and a skip: the aggregate, and what came of it. */
  readonly parked: {
    readonly aggregateType: string;
    readonly aggregateId: string;
    readonly outcome: string;
  } | null;
}

const ISO = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/**
 * What operators did to a subject, the newest first: to the whole of it, and to what was set aside.
 * @param most at most so many. @throws {StorageUnavailableError} `retry`
 */
export async function readOperatorRecords(
  pool: Pool,
  subject: number,
  most: number,
): Promise<readonly OperatorRecord[]> {
  try {
    const { rows } = await pool.query(
      `SELECT told.*, ${ISO('told.acted_at')} AS at, ${ISO('told.finished_at')} AS finished, ${ISO('told.halted_at')} AS halted FROM (
         (SELECT acted_at, id, action, acted_by, reason, to_position, events, next_position, finished_at, halt_code, halt_message, halted_at,
            NULL AS aggregate_type, NULL AS aggregate_id, NULL AS outcome
          FROM operator_actions WHERE subject = $1 ORDER BY acted_at DESC, id DESC LIMIT $2)
         UNION ALL
         (SELECT acted_at, id, action, acted_by, reason, NULL, NULL, NULL, NULL, NULL, NULL, NULL, aggregate_type, aggregate_id, outcome
          FROM park_actions WHERE subject = $1 AND action IN ('retry', 'skip') ORDER BY acted_at DESC, id DESC LIMIT $2)
       ) told ORDER BY acted_at DESC, id DESC LIMIT $2`,
      [subject, most],
    );
    return (rows as Record<string, string | null>[]).map(readRecord);
  } catch (error) {
    throw toStorageError(error);
  }
}

function readRecord(row: Record<string, string | null>): OperatorRecord {
  const text = (column: string): string => row[column] as string;
  const position = row['next_position'] ?? null;
  return {
    actedAt: text('at'),
    actedBy: text('acted_by'),
    reason: row['reason'] ?? null,
    action: text('action') as OperatorRecord['action'],
    rewind:
      row['action'] === 'rewind'
        ? {
            toPosition: BigInt(text('to_position')),
            events: BigInt(text('events')),
            nextPosition: position === null ? null : BigInt(position),
            finishedAt: row['finished'] ?? null,
          }
        : null,
    halt:
      (row['halt_code'] ?? null) === null
        ? null
        : { code: text('halt_code'), message: text('halt_message'), haltedAt: text('halted') },
    parked:
      (row['aggregate_type'] ?? null) === null
        ? null
        : {
            aggregateType: text('aggregate_type'),
            aggregateId: text('aggregate_id'),
            outcome: text('outcome'),
          },
  };
}
