import type { IdempotencyKey, KeptAnswer, RequestReading } from '@imart/event-service';
import { aggregateHash } from '@imart/core';
import type { PoolClient } from 'pg';
import { dataWithKey } from '../subject/dataWithKey';
import type { TextRow } from '../subject/script';
import { isArchived } from './archive';
import { keptEvent, type CommandContext, type KeptRow } from './context';
import { executePrepared, type PreparedStatement } from './prepared';

/** Now, in microseconds since 1970. */
export const NOW_US = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`;

/** SQL: how long the first message of the subject $1 waits, in microseconds. NULL: there is none. */
export const LAG_US = `(SELECT ${NOW_US} - o.time_us FROM command_outbox o WHERE o.subject = $1 ORDER BY o.id LIMIT 1)`;

/**
 * Answers, markers and lag of one moment, of several aggregates. Where a marker is gone or old, what waits and the log tell the latest event,
 * waiting messages first: an old marker is never missed (E3). Each is looked up by itself: a plan that joins whole tables would be one for
 * the tables as they were when it was made.
 */
const READ_FOR_REQUESTS: PreparedStatement = {
  name: 'imart_read_for_requests',
  types: ['smallint', 'bigint[]', 'text', 'text[]', 'text[]', 'text[]', 'double precision'],
  text: `
  SELECT a.place, c.version, encode(c.event_id, 'hex') AS event_id, c.name, ${dataWithKey('c')} AS data, c.time_us,
    ${isArchived('$1', 'a.hash', '$3', 'a.id')} AS archived, encode(k.body_hash, 'hex') AS body_hash, k.answer, ${LAG_US} AS lag_us
  FROM unnest($2, $4, $5, $6) WITH ORDINALITY AS a(hash, id, actor, key, place)
  LEFT JOIN LATERAL (
    SELECT m.version, m.event_id, m.name, m.data, m.time_us FROM command_markers m
    WHERE m.subject = $1 AND m.aggregate_id = a.id AND m.marked_at > clock_timestamp() - $7 * interval '1 ms' LIMIT 1) fresh ON true
  LEFT JOIN LATERAL (
    SELECT * FROM (
      (SELECT o.version, o.event_id, o.name, o.data, o.time_us FROM command_outbox o
        WHERE o.subject = $1 AND o.aggregate_id = a.id ORDER BY o.version DESC LIMIT 1)
      UNION ALL
      (SELECT e.version, e.tx_hash, e.name, e.data, e.time_us FROM event_log e
        WHERE e.subject = $1 AND e.aggregate_hash = a.hash AND e.aggregate_type = $3 AND e.aggregate_id = a.id
          AND e.version IS NOT NULL ORDER BY e.version DESC LIMIT 1)
    ) known WHERE fresh.version IS NULL ORDER BY version DESC LIMIT 1) late ON true
  CROSS JOIN LATERAL (
    SELECT coalesce(fresh.version, late.version) AS version, coalesce(fresh.event_id, late.event_id) AS event_id,
      coalesce(fresh.name, late.name) AS name, coalesce(fresh.data, late.data) AS data, coalesce(fresh.time_us, late.time_us) AS time_us) c
  LEFT JOIN LATERAL (
    SELECT k.body_hash, k.answer FROM command_answers k
    WHERE k.subject = $1 AND k.actor = a.actor AND k.idempotency_key = a.key LIMIT 1) k ON true`,
};

export interface AskedReading {
  readonly aggregateId: string;
  readonly idempotency: IdempotencyKey | null;
}

/** Reads all of them by one statement. @returns one for each, in its place. */
export async function readForRequests(
  client: PoolClient,
  { log, aggregateType, markerTtlMs }: CommandContext,
  asked: readonly AskedReading[],
): Promise<readonly RequestReading[]> {
  const ids = asked.map(({ aggregateId }) => aggregateId);
  const rows = await executePrepared(client, READ_FOR_REQUESTS, [
    log.subject,
    ids.map((id) => aggregateHash(aggregateType, id)),
    aggregateType,
    ids,
    asked.map(({ idempotency }) => idempotency?.actor ?? null),
    asked.map(({ idempotency }) => idempotency?.key ?? null),
    markerTtlMs,
  ]);
  const readings: RequestReading[] = [];
  for (const row of rows) readings[Number(row['place']) - 1] = readingOf(row);
  return readings;
}

function readingOf(row: TextRow): RequestReading {
  const archived = row['archived'] === 't';
  return {
    kept: keptAnswer(row['body_hash'] ?? null, row['answer'] ?? null),
    marked: (row['version'] ?? null) === null || archived ? null : keptEvent(row as unknown as KeptRow),
    archived,
    lagMs: lagMsOf(row),
  };
}

/** Of a row with `lag_us`. */
export const lagMsOf = (row: TextRow): number => Math.max(0, Number(row['lag_us'] ?? 0) / 1000);

const keptAnswer = (bodyHash: string | null, answer: string | null): KeptAnswer | null =>
  bodyHash === null || answer === null
    ? null
    : { bodyHash, answer: JSON.parse(answer) as KeptAnswer['answer'] };
