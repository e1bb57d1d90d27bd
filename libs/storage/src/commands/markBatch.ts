import { aggregateHash } from '@imart/core';
import type { MarkRequest, MarkResult } from '@imart/event-service';
import type { PoolClient } from 'pg';
import { isArchived } from './archive';
import { idDigits, type CommandContext } from './context';
import { executePrepared, type PreparedStatement } from './prepared';
import { LAG_US, lagMsOf, NOW_US } from './requestReads';

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

/**
 * The one statement that checks markers, overwrites them, keeps the answers and writes the outgoing messages, of several aggregates, each of
 * them once. The marker is a hint: nothing is marked when the log has a later event than the one validated against, or when the outbox has
 * one of the version (a unique key) (E2). The id is given to a message after its marker is locked, so it rises with the version. Where a
 * person's key is gone, nothing is written.
 *
 * Markers are locked in the order of their ids, then answers in the order of their keys: whoever else marks does the same, and nobody waits
 * in a circle.
 */
const MARK: PreparedStatement = {
  name: 'imart_mark',
  types: [
    ...[
      'smallint',
      'bigint[]',
      'text',
      'text[]',
      'bigint[]',
      'text[]',
      'boolean[]',
      'text[]',
      'text[]',
      'text[]',
    ],
    ...['text[]', 'bigint[]', 'text[]', 'text[]', 'text[]', 'bigint[]'],
  ],
  text: `
  WITH asked AS MATERIALIZED (
    SELECT a.*, (SELECT true FROM command_answers k WHERE k.subject = $1 AND k.actor = a.actor AND k.idempotency_key = a.key LIMIT 1)
      IS NOT NULL AS answered
    FROM unnest($2, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) WITH ORDINALITY
      AS a(hash, id, version, validated_id, guessed, event_id, name, data, actor, expected_version, key, body_hash, answer, person_key, place)
  ), marked AS (
    INSERT INTO command_markers AS m (subject, aggregate_id, version, event_id, name, data, time_us, marked_at)
    SELECT $1, a.id, a.version + 1, decode(a.event_id, 'hex'), a.name, a.data, ${NOW_US}, clock_timestamp() FROM asked a
    WHERE NOT a.answered AND NOT ${isArchived('$1', 'a.hash', '$3', 'a.id')}
      AND coalesce((SELECT e.version FROM event_log e WHERE e.subject = $1 AND e.aggregate_hash = a.hash AND e.aggregate_type = $3
        AND e.aggregate_id = a.id AND e.version IS NOT NULL ORDER BY e.version DESC LIMIT 1), 0) <= a.version
      AND (NOT a.guessed OR (SELECT true FROM command_markers g WHERE g.subject = $1 AND g.aggregate_id = a.id LIMIT 1))
    ORDER BY a.id COLLATE "C"
    ON CONFLICT (subject, aggregate_id) DO UPDATE SET version = excluded.version, event_id = excluded.event_id,
      name = excluded.name, data = excluded.data, time_us = greatest(m.time_us + 1, excluded.time_us), marked_at = excluded.marked_at
    WHERE (SELECT CASE WHEN m.version = a.version THEN a.validated_id IS NULL OR m.event_id = decode(a.validated_id, 'hex')
      ELSE m.version < a.version AND NOT a.guessed END FROM asked a WHERE a.id = excluded.aggregate_id)
    RETURNING m.aggregate_id, m.version, m.event_id, m.name, m.data, m.time_us
  ), kept AS (
    INSERT INTO command_answers (subject, actor, idempotency_key, body_hash, answer)
    SELECT $1, a.actor, a.key, decode(a.body_hash, 'hex'), a.answer FROM marked m JOIN asked a ON a.id = m.aggregate_id
    WHERE a.key IS NOT NULL ORDER BY a.actor COLLATE "C", a.key COLLATE "C"
  ), used AS (
    INSERT INTO person_key_uses (key_id, subject, aggregate_hash, aggregate_type, aggregate_id)
    SELECT a.person_key, $1, a.hash, $3, a.id FROM marked m JOIN asked a ON a.id = m.aggregate_id
    WHERE a.person_key IS NOT NULL ORDER BY a.person_key, a.id COLLATE "C" ON CONFLICT DO NOTHING
  ), produced AS (
    INSERT INTO command_outbox (subject, aggregate_hash, aggregate_type, aggregate_id, version, expected_version, event_id, name, data,
      time_us, actor)
    SELECT $1, a.hash, $3, a.id, m.version, a.expected_version, m.event_id, m.name, m.data, m.time_us, a.actor
    FROM marked m JOIN asked a ON a.id = m.aggregate_id
  )
  SELECT a.place, m.time_us, a.answered, ${LAG_US} AS lag_us FROM asked a LEFT JOIN marked m ON m.aggregate_id = a.id`,
};

/** What became of one of a batch; `timeUs`: when it was marked, by the database. */
export type Marked =
  { readonly result: Exclude<MarkResult, 'marked'> } | { readonly result: 'marked'; readonly timeUs: bigint };

export interface MarkedBatch {
  /** One for each, in its place. */
  readonly results: readonly Marked[];
  readonly lagMs: number;
}

/**
 * Marks commands of different aggregates by one statement: what becomes of one does not depend on the others, and what is marked commits
 * together. When the server says that it failed ({@link isUndone}), nothing was marked.
 */
export async function markBatch(
  client: PoolClient,
  { log, aggregateType }: CommandContext,
  requests: readonly MarkRequest[],
  lockTimeoutMs?: number,
): Promise<MarkedBatch> {
  const column = <T>(of: (request: MarkRequest) => T): readonly T[] => requests.map(of);
  const rows = await executePrepared(
    client,
    MARK,
    [
      log.subject,
      column(({ aggregateId }) => aggregateHash(aggregateType, aggregateId)),
      aggregateType,
      column(({ aggregateId }) => aggregateId),
      column(({ validatedVersion }) => validatedVersion),
      column(({ validatedEventId: id }) => (id === null ? null : idDigits(id))),
      column(({ hint }) => hint === true),
      column(({ event }) => idDigits(event.eventId)),
      column(({ event }) => event.name),
      column(({ event }) => event.data),
      column(({ actor }) => actor),
      column(({ expectedVersion }) => expectedVersion),
      column(({ idempotency }) => idempotency?.key ?? null),
      column(({ idempotency }) => idempotency?.bodyHash ?? null),
      column(({ idempotency }) => (idempotency === null ? null : JSON.stringify(idempotency.answer))),
      column(({ personKey }) => personKey?.id ?? null),
    ],
    lockTimeoutMs === undefined ? {} : { lockTimeoutMs },
  );
  const results: Marked[] = [];
  for (const row of rows) {
    const timeUs = row['time_us'] ?? null;
    results[Number(row['place']) - 1] =
      timeUs === null
        ? { result: row['answered'] === 't' ? 'answered' : 'moved' }
        : { result: 'marked', timeUs: BigInt(timeUs) };
  }
  return { results, lagMs: rows[0] === undefined ? 0 : lagMsOf(rows[0]) };
}

/** What a failed statement says about who was faster in the moment between; all of it is undone. `null`: it failed otherwise. */
export function markFailure(error: unknown): Exclude<MarkResult, 'marked'> | null {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  if (code === FOREIGN_KEY_VIOLATION && constraint === 'person_key_uses_key_fkey') return 'moved';
  if (code !== UNIQUE_VIOLATION) return null;
  if (constraint === 'command_answers_pkey') return 'answered';
  return constraint === 'command_outbox_version_key' ? 'moved' : null;
}

/** Classes of SQLSTATE of a statement that failed and was undone, on a connection that goes on. */
const UNDONE = [/^2[0-9]/, /^40/, /^42/, /^53/, /^54/, /^55/, /^57014$/, /^P0/];

/** The server says that nothing of the statement is left, and goes on: whatever was in it may be tried again. */
export function isUndone(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && UNDONE.some((pattern) => pattern.test(code));
}
