import { aggregateHash, type SeqNo, type SeqNoCodec } from '@imart/core';
import type { Pass, PassKind, PassStore } from '@imart/pipeline';
import { CONTENT_INTACT } from '../subject/eventLog';
import { toStorageError } from '../subject/pgErrors';
import { withSession } from '../replay/session';
import { registerFollowed, type RegisterContext } from './registerFollowed';

/** Unfinished passes of a subject, the oldest first. Parameter: subject. */
const SELECT_PASSES = `
  SELECT id, kind, reason, from_position, to_position, next_position, missing_events, different_events, extra_events
  FROM passes WHERE subject = $1 AND finished_at IS NULL ORDER BY id`;

function readPass(row: Readonly<Record<string, string | null>>): Pass {
  return {
    id: BigInt(row.id as string),
    kind: row.kind as PassKind,
    reason: row.reason as string,
    fromPosition: BigInt(row.from_position as string),
    toPosition: row.to_position === null ? null : BigInt(row.to_position as string),
    nextPosition: BigInt(row.next_position as string),
    findings: {
      missing: Number(row.missing_events),
      different: Number(row.different_events),
      extra: Number(row.extra_events),
    },
  };
}

/** Where passes are stored: a subject, and the lease under which whoever follows it reads. */
export type PassStoreOptions = RegisterContext & { readonly seqNos: SeqNoCodec };

/** What is stored of a subject's passes, and what only an audit asks of its log. */
export function createPassStore(options: PassStoreOptions): PassStore {
  const { pool, subject, seqNos } = options;
  const seqNosOf = (rows: readonly unknown[]): readonly SeqNo[] =>
    (rows as readonly { seq_no: string }[]).map((row) => BigInt(row.seq_no) as SeqNo);
  return {
    registerFollowed: (...what) => translated(() => registerFollowed(options, ...what)),

    unfinished: () =>
      translated(async () => {
        const { rows } = await pool.query(SELECT_PASSES, [subject]);
        return (rows as Record<string, string | null>[]).map(readPass);
      }),

    ensureSecondPass: () =>
      translated(() =>
        withSession(pool, async (client) => {
          await client.query('BEGIN');
          // One of several processes adds it: the others wait here, and see it then.
          await client.query('SELECT id FROM subjects WHERE id = $1 FOR UPDATE', [subject]);
          await client.query(
            `INSERT INTO passes (subject, kind, reason, from_position, next_position)
             SELECT id, 'second', 'everything final is read twice', start_position, start_position FROM subjects
             WHERE id = $1 AND NOT EXISTS (SELECT FROM passes WHERE subject = $1 AND kind = 'second')`,
            [subject],
          );
          await client.query('COMMIT');
        }),
      ),

    finish: (id) =>
      translated(async () => {
        await pool.query(
          `UPDATE passes p SET finished_at = now() FROM subjects s
           WHERE p.id = $1 AND p.subject = $2 AND s.id = p.subject AND p.finished_at IS NULL
             AND p.next_position > least(p.to_position, s.next_position - 1)`,
          [id.toString(), subject],
        );
      }),

    eventsAt: (addresses) =>
      translated(async () => {
        const { rows } = await pool.query(
          'SELECT seq_no FROM event_log WHERE subject = $1 AND address = ANY($2) ORDER BY seq_no',
          [subject, addresses],
        );
        return seqNosOf(rows);
      }),

    tamperedEvents: ({ fromPosition, toPosition }) =>
      translated(async () => {
        const { rows } = await pool.query(
          `SELECT seq_no, aggregate_hash, aggregate_type, aggregate_id, ${CONTENT_INTACT} AS intact FROM event_log
           WHERE subject = $1 AND seq_no BETWEEN $2 AND $3 ORDER BY seq_no`,
          [subject, seqNos.first(fromPosition).toString(), seqNos.last(toPosition).toString()],
        );
        return seqNosOf(
          (rows as Checked[]).filter(
            (row) =>
              !row.intact ||
              BigInt(row.aggregate_hash) !== aggregateHash(row.aggregate_type, row.aggregate_id),
          ),
        );
      }),
  };
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStorageError(error);
  }
}

interface Checked {
  readonly seq_no: string;
  readonly aggregate_hash: string;
  readonly aggregate_type: string;
  readonly aggregate_id: string;
  readonly intact: boolean;
}
