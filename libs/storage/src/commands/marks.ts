import type { CommandStore, KeptAnswer, MarkResult, RequestReading } from '@imart/event-service';
import { isArchived } from './archive';
import { idDigits, keptEvent, keyOf, type CommandContext, type KeptRow } from './context';
import { dataWithKey } from '../subject/dataWithKey';
import { translated } from './session';

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

/** Now, in microseconds since 1970. */
export const NOW_US = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`;

/**
 * Answer, marker and lag of one moment. Where the marker is gone or old, what waits and the log tell the latest event, waiting messages
 * first: an old marker is never missed (E3). Parameters: subject, hash, type, id, actor, key, time to live in ms.
 */
const READ_FOR_REQUEST = `
  WITH fresh AS (
    SELECT m.version, m.event_id, m.name, m.data, m.time_us FROM command_markers m
    WHERE m.subject = $1 AND m.aggregate_id = $4 AND m.marked_at > clock_timestamp() - $7 * interval '1 ms'
  ), latest AS (
    SELECT * FROM fresh UNION ALL (
      SELECT * FROM (
        (SELECT o.version, o.event_id, o.name, o.data, o.time_us FROM command_outbox o
          WHERE o.subject = $1 AND o.aggregate_id = $4 ORDER BY o.version DESC LIMIT 1)
        UNION ALL
        (SELECT e.version, e.tx_hash, e.name, e.data, e.time_us FROM event_log e
          WHERE e.subject = $1 AND e.aggregate_hash = $2 AND e.aggregate_type = $3 AND e.aggregate_id = $4
            AND e.version IS NOT NULL ORDER BY e.version DESC LIMIT 1)
      ) known WHERE NOT EXISTS (SELECT FROM fresh) ORDER BY version DESC LIMIT 1)
  )
  SELECT l.version, encode(l.event_id, 'hex') AS event_id, l.name, ${dataWithKey('l')} AS data, l.time_us,
    ${isArchived('$1', '$2', '$3', '$4')} AS archived, encode(a.body_hash, 'hex') AS body_hash, a.answer,
    (SELECT ${NOW_US} - o.time_us FROM command_outbox o WHERE o.subject = $1 ORDER BY o.id LIMIT 1) AS lag_us
  FROM (SELECT) one LEFT JOIN latest l ON true
    LEFT JOIN command_answers a ON a.subject = $1 AND a.actor = $5 AND a.idempotency_key = $6`;

/**
 * The one statement that checks the marker, overwrites it, keeps the answer and writes the outgoing message. The marker is a hint: nothing
 * is marked when the log has a later event than the one validated against, or when the outbox has one of the version (a unique key) (E2). The id is given to the message after the
 * marker is locked, so it rises with the version. Parameters: subject, hash, type, id, validated version, event id, name, data, actor,
 * expected version, idempotency key, body hash, answer, key of a person. Where that is gone, nothing is written.
 */
const MARK = `
  WITH marked AS (
    INSERT INTO command_markers AS m (subject, aggregate_id, version, event_id, name, data, time_us, marked_at)
    SELECT $1, $4, $5::bigint + 1, decode($6, 'hex'), $7, $8, ${NOW_US}, clock_timestamp()
    WHERE NOT EXISTS (SELECT FROM event_log e WHERE e.subject = $1 AND e.aggregate_hash = $2 AND e.aggregate_type = $3
        AND e.aggregate_id = $4 AND e.version > $5)
      AND NOT ${isArchived('$1', '$2', '$3', '$4')}
    ON CONFLICT (subject, aggregate_id) DO UPDATE SET version = excluded.version, event_id = excluded.event_id,
      name = excluded.name, data = excluded.data, time_us = greatest(m.time_us + 1, excluded.time_us), marked_at = excluded.marked_at
    WHERE m.version <= $5
    RETURNING m.version, m.event_id, m.name, m.data, m.time_us
  ), answered AS (
    INSERT INTO command_answers (subject, actor, idempotency_key, body_hash, answer)
    SELECT $1, $9, $11, decode($12, 'hex'), $13 FROM marked WHERE $11::text IS NOT NULL
  ), used AS (
    INSERT INTO person_key_uses (key_id, subject, aggregate_hash, aggregate_type, aggregate_id)
    SELECT $14::bigint, $1, $2, $3, $4 FROM marked WHERE $14 IS NOT NULL ON CONFLICT DO NOTHING
  )
  INSERT INTO command_outbox (subject, aggregate_hash, aggregate_type, aggregate_id, version, expected_version, event_id, name, data,
    time_us, actor)
  SELECT $1, $2, $3, $4, version, $10, event_id, name, data, time_us, $9 FROM marked`;

/** What a failed statement says about who was faster in the moment between; all of it is undone. `null`: it failed otherwise. */
export function markFailure(error: unknown): Exclude<MarkResult, 'marked'> | null {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  if (code === FOREIGN_KEY_VIOLATION && constraint === 'person_key_uses_key_fkey') return 'moved';
  if (code !== UNIQUE_VIOLATION) return null;
  if (constraint === 'command_answers_pkey') return 'answered';
  return constraint === 'command_outbox_version_key' ? 'moved' : null;
}

type Marks = Pick<CommandStore, 'readForRequest' | 'mark' | 'keepRefusal' | 'sweep'>;

export function createMarks(context: CommandContext): Marks {
  const { pool, log, markerTtlMs, keptMs } = context;
  const { subject } = log;
  return {
    readForRequest: (aggregateId, idempotency) =>
      translated(async (): Promise<RequestReading> => {
        const { rows } = await pool.query(READ_FOR_REQUEST, [
          subject,
          ...keyOf(context, aggregateId),
          idempotency?.actor ?? null,
          idempotency?.key ?? null,
          markerTtlMs,
        ]);
        const row = rows[0] as Partial<KeptRow> & {
          version: string | null;
          body_hash: string | null;
          answer: string | null;
          archived: boolean;
          lag_us: string | null;
        };
        const { body_hash: bodyHash, answer } = row;
        return {
          kept:
            bodyHash === null || answer === null
              ? null
              : { bodyHash, answer: JSON.parse(answer) as KeptAnswer['answer'] },
          marked: row.version === null || row.archived ? null : keptEvent(row as KeptRow),
          archived: row.archived,
          lagMs: Math.max(0, Number(row.lag_us ?? 0) / 1000),
        };
      }),

    mark: (request) =>
      translated(async (): Promise<MarkResult> => {
        const { aggregateId, validatedVersion, expectedVersion, event, actor, idempotency, personKey } =
          request;
        try {
          const { rowCount } = await pool.query(MARK, [
            subject,
            ...keyOf(context, aggregateId),
            validatedVersion,
            idDigits(event.eventId),
            event.name,
            event.data,
            actor,
            expectedVersion,
            idempotency?.key ?? null,
            idempotency?.bodyHash ?? null,
            idempotency === null ? null : JSON.stringify(idempotency.answer),
            personKey?.id ?? null,
          ]);
          return rowCount === 1 ? 'marked' : 'moved';
        } catch (error) {
          const failure = markFailure(error);
          if (failure === null) throw error;
          return failure;
        }
      }),

    keepRefusal: ({ actor, key, bodyHash, answer }) =>
      translated(async () => {
        await pool.query(
          `INSERT INTO command_answers (subject, actor, idempotency_key, body_hash, answer)
           VALUES ($1, $2, $3, decode($4, 'hex'), $5) ON CONFLICT DO NOTHING`,
          [subject, actor, key, bodyHash, JSON.stringify(answer)],
        );
      }),

    sweep: () =>
      translated(async () => {
        // A marker that is overwritten meanwhile is looked at again under its lock, and stays.
        const { rows } = await pool.query(
          `WITH markers AS (
             DELETE FROM command_markers m WHERE m.subject = $1 AND m.marked_at <= clock_timestamp() - $2 * interval '1 ms'
               AND NOT EXISTS (SELECT FROM command_outbox o WHERE o.subject = $1 AND o.aggregate_id = m.aggregate_id) RETURNING 1
           ), answers AS (
             DELETE FROM command_answers WHERE subject = $1 AND answered_at <= clock_timestamp() - $3 * interval '1 ms' RETURNING 1
           ), rejected AS (
             DELETE FROM rejected_commands WHERE subject = $1 AND rejected_at <= clock_timestamp() - $3 * interval '1 ms' RETURNING 1
           )
           SELECT (SELECT count(*) FROM markers) + (SELECT count(*) FROM answers) + (SELECT count(*) FROM rejected) AS removed`,
          [subject, markerTtlMs, keptMs],
        );
        return Number((rows[0] as { removed: string }).removed);
      }),
  };
}
