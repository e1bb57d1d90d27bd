import type { FoldState, SeqNo } from '@imart/core';
import {
  COMMAND_OBSERVER,
  type AggregateState,
  type Archivable,
  type ArchiveStore,
} from '@imart/event-service';
import { encodeState } from '@imart/pipeline';
import { EVENT_LOG_COLUMNS } from '../subject/eventLog';
import { lockAlone } from './aggregateLock';
import { keyOf, type CommandContext } from './context';
import { onConnection, translated } from './session';

const COLUMNS = `${EVENT_LOG_COLUMNS}, "version"`;

/** SQL: the log and the archive, as one. What looks for single aggregates finds them by the index of either. */
export const LOG_AND_ARCHIVE = `(SELECT ${COLUMNS} FROM event_log UNION ALL SELECT ${COLUMNS} FROM archived_events)`;

/** SQL: the aggregate of these four expressions is archived. */
export const isArchived = (subject: string, hash: string, type: string, id: string): string =>
  `((SELECT true FROM archived_aggregates x WHERE x.subject = ${subject} AND x.aggregate_hash = ${hash} ` +
  `AND x.aggregate_type = ${type} AND x.aggregate_id = ${id} LIMIT 1) IS NOT NULL)`;

/** A version that no command was validated against: whoever marks at the same moment finds the aggregate moved on. */
const BEYOND_ALL = '9223372036854775807';

/**
 * Parameters: subject, after, events, age in ms. The page ends before the first event that is too young: by the database's clock, as the
 * events' own times are.
 */
const SELECT_ARCHIVABLE = `
  WITH page AS MATERIALIZED (
    SELECT seq_no, aggregate_hash, aggregate_type, aggregate_id, version, time_us FROM event_log
    WHERE subject = $1 AND seq_no > $2 ORDER BY seq_no LIMIT $3
  ), young AS (
    SELECT min(seq_no) AS seq_no FROM page WHERE time_us > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - $4 * 1000::bigint
  ), old AS MATERIALIZED (
    SELECT p.* FROM page p, young WHERE young.seq_no IS NULL OR p.seq_no < young.seq_no
  )
  SELECT (SELECT max(seq_no) FROM old) AS up_to, (SELECT count(*) FROM old) = $3 AS more,
    (SELECT json_agg(json_build_array(o.aggregate_id, o.seq_no::text) ORDER BY o.seq_no) FROM old o
      WHERE o.version IS NOT NULL AND NOT EXISTS (SELECT FROM event_log l WHERE l.subject = $1 AND l.aggregate_hash = o.aggregate_hash
        AND l.aggregate_type = o.aggregate_type AND l.aggregate_id = o.aggregate_id AND l.version > o.version)) AS candidates`;

/**
 * The last event of an aggregate, what stands against archiving it, and who is not there yet. Parameters: subject, hash, type, id, age in ms.
 */
const selectLast = (lanes: number): string => `
  SELECT e.seq_no, e.time_us <= (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - $5 * 1000::bigint AS old,
    EXISTS (SELECT FROM command_outbox o WHERE o.subject = $1 AND o.aggregate_id = $4)
      OR EXISTS (SELECT FROM park_markers p WHERE p.subject = $1 AND p.aggregate_type = $3 AND p.aggregate_id = $4) AS busy,
    EXISTS (SELECT FROM subscriptions r WHERE r.subject = $1 AND r.feed_no < e.feed_no)
      OR EXISTS (SELECT FROM checkpoints c WHERE c.observer = '${COMMAND_OBSERVER}' AND c.subject = $1
        AND c.lane = ($2::bigint & 9223372036854775807) % ${lanes} AND c.seq_no < e.seq_no) AS behind
  FROM event_log e WHERE e.subject = $1 AND e.aggregate_hash = $2 AND e.aggregate_type = $3 AND e.aggregate_id = $4
    AND e.version IS NOT NULL ORDER BY e.version DESC LIMIT 1`;

export function createArchive(context: CommandContext): ArchiveStore {
  const { pool, log, reducerVersion, lanes } = context;
  const { subject } = log;
  return {
    archivable: (after, events, afterMs) =>
      translated(async (): Promise<Archivable> => {
        const { rows } = await pool.query(SELECT_ARCHIVABLE, [subject, after.toString(), events, afterMs]);
        const row = rows[0] as {
          up_to: string | null;
          more: boolean;
          candidates: readonly [string, string][] | null;
        };
        return {
          candidates: (row.candidates ?? []).map(([aggregateId, seqNo]) => ({
            aggregateId,
            seqNo: BigInt(seqNo) as SeqNo,
          })),
          upTo: row.up_to === null ? after : (BigInt(row.up_to) as SeqNo),
          more: row.more,
        };
      }),

    archive: (aggregateId, state: FoldState, afterMs) =>
      onConnection(pool, async (client) => {
        const key = keyOf(context, aggregateId);
        await client.query('BEGIN');
        // Nobody appends, and nobody marks: a command that was validated before this finds a later marker, asks again, and is refused.
        await client.query('SELECT id FROM subjects WHERE id = $1 FOR UPDATE', [subject]);
        await client.query(lockAlone(context, aggregateId));
        await client.query(
          `INSERT INTO command_markers (subject, aggregate_id, version, event_id, name, data, time_us, marked_at)
           VALUES ($1, $2, ${BEYOND_ALL}, '', '', '', 0, clock_timestamp())
           ON CONFLICT (subject, aggregate_id) DO UPDATE SET version = excluded.version, data = '', marked_at = excluded.marked_at`,
          [subject, aggregateId],
        );
        const last = (await client.query(selectLast(lanes), [subject, ...key, afterMs])).rows[0] as
          { seq_no: string; old: boolean; busy: boolean; behind: boolean } | undefined;
        const result =
          last === undefined || last.seq_no !== state.seqNo.toString() || last.busy || !last.old
            ? 'changed'
            : last.behind
              ? 'behind'
              : 'archived';
        if (result !== 'archived') {
          await client.query('ROLLBACK');
          return result;
        }
        await client.query(
          `WITH moved AS (DELETE FROM event_log WHERE subject = $1 AND aggregate_hash = $2 AND aggregate_type = $3 AND aggregate_id = $4
             RETURNING ${COLUMNS})
           INSERT INTO archived_events (${COLUMNS}) SELECT ${COLUMNS} FROM moved`,
          [subject, ...key],
        );
        await client.query(
          `INSERT INTO archived_aggregates (subject, aggregate_hash, aggregate_type, aggregate_id, version) VALUES ($1, $2, $3, $4, $5)`,
          [subject, ...key, state.version],
        );
        const { personKeys = [] } = state as AggregateState;
        await client.query(
          `WITH keys AS (SELECT id FROM person_keys WHERE id = ANY ($9::bigint[]) FOR KEY SHARE)
           INSERT INTO snapshots (subject, aggregate_hash, aggregate_type, aggregate_id, seq_no, reducer_version, version, state)
           SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE (SELECT count(*) FROM keys) = cardinality($9::bigint[])
           ON CONFLICT DO NOTHING`,
          [
            subject,
            ...key,
            state.seqNo.toString(),
            reducerVersion,
            state.version,
            encodeState(state),
            personKeys,
          ],
        );
        await client.query('COMMIT');
        return result;
      }),
  };
}
