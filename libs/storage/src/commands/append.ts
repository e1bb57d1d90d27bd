import type { Appended, Backlog, CommandStore, KeptEvent, PositionFate, Waiting } from '@imart/event-service';
import { eventIdOf, withoutKey } from '@imart/event-service';
import type { SeqNo } from '@imart/core';
import { COMMAND_OBSERVER } from '@imart/event-service';
import { dataWithKey } from '../subject/dataWithKey';
import { CONTENT_HASH } from '../subject/eventLog';
import { lockAlone } from './aggregateLock';
import { LOG_AND_ARCHIVE } from './archive';
import { idDigits, keptEvent, keyOf, type CommandContext, type KeptRow } from './context';
import { executePrepared, type PreparedStatement } from './prepared';
import { onConnection, translated } from './session';

type AppendSide = Pick<CommandStore, 'append' | 'resolveConflict' | 'fateOf' | 'backlog'>;

/**
 * Moves the first messages into the log, as one change of the feed; the subject's row must be locked. What does not continue its aggregate's events stays, and is told. The
 * subject's row is locked: log, feed number and the order of commits are one.
 */
export const appendStatement = (subject: number | '$1', eventsMax: number | '$2'): string => `
  WITH batch AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY aggregate_hash, aggregate_id ORDER BY id) AS place FROM (
      SELECT * FROM command_outbox WHERE subject = ${subject} ORDER BY id LIMIT ${eventsMax}) o
  ), ends AS MATERIALIZED (
    SELECT k.aggregate_hash, k.aggregate_id, coalesce((SELECT e.version FROM event_log e WHERE e.subject = ${subject}
      AND e.aggregate_hash = k.aggregate_hash AND e.aggregate_type = k.aggregate_type AND e.aggregate_id = k.aggregate_id
      AND e.version IS NOT NULL ORDER BY e.version DESC LIMIT 1), 0) AS version
    FROM batch k WHERE k.place = 1
  ), checked AS (
    SELECT b.*, bool_and(b.version = ends.version + b.place) OVER (PARTITION BY b.aggregate_hash, b.aggregate_id ORDER BY b.id) AS fits
    FROM batch b JOIN ends USING (aggregate_hash, aggregate_id)
  ), fitting AS MATERIALIZED (
    SELECT subject, aggregate_hash, aggregate_type, aggregate_id, version, name, data, time_us, event_id AS tx_hash,
      ''::bytea AS block_hash, actor AS address, id, row_number() OVER (ORDER BY id) - 1 AS n FROM checked WHERE fits
  ), total AS (
    SELECT count(*) AS events, max(time_us) AS time_us FROM fitting
  ), s AS (
    SELECT next_position, last_feed_no, epoch FROM subjects WHERE id = ${subject}
  ), taken AS (
    DELETE FROM command_outbox WHERE subject = ${subject} AND id = ANY (ARRAY(SELECT id FROM fitting))
  ), appended AS (
    INSERT INTO event_log (subject, seq_no, aggregate_hash, aggregate_type, aggregate_id, name, data, time_us, tx_hash, block_hash,
      address, content_hash, feed_no, version)
    SELECT subject, s.next_position + n, aggregate_hash, aggregate_type, aggregate_id, name, data, time_us, tx_hash, block_hash,
      address, ${CONTENT_HASH}, s.last_feed_no + 1, version FROM fitting, s
  ), moved AS (
    UPDATE subjects SET next_position = next_position + events, ingested_seq_no = next_position + events - 1,
      last_feed_no = last_feed_no + 1, chain_time_us = greatest(chain_time_us, total.time_us)
    FROM total WHERE id = ${subject} AND events > 0
  ), told AS (
    INSERT INTO feed (subject, feed_no, kind, from_seq_no, to_seq_no, epoch)
    SELECT ${subject}, last_feed_no + 1, 'appended', next_position, next_position + events - 1, epoch FROM s, total WHERE events > 0
  )
  SELECT total.events, (SELECT count(*) FROM batch) AS read,
    (SELECT json_agg(DISTINCT aggregate_id) FROM checked WHERE NOT fits) AS conflicts FROM total`;

/** Parameters: subject, most events. */
const APPEND: PreparedStatement = {
  name: 'imart_append',
  types: ['smallint', 'bigint'],
  text: appendStatement('$1', '$2'),
};

/** Parameters: subject, hash, type, id. */
const SELECT_LAST =
  `SELECT version, encode(tx_hash, 'hex') AS event_id, name, ${dataWithKey('e')} AS data, time_us FROM event_log e WHERE subject = $1 AND aggregate_hash = $2 ` +
  `AND aggregate_type = $3 AND aggregate_id = $4 AND version IS NOT NULL ORDER BY version DESC LIMIT 1`;

export function createAppendSide(context: CommandContext): AppendSide {
  const { pool, log, aggregateType, lanes } = context;
  const { subject } = log;
  return {
    append: (eventsMax) =>
      onConnection(pool, async (client): Promise<Appended> => {
        // One way to the server and back. The second statement sees what was committed while the first waited.
        const [row] = (await executePrepared(client, APPEND, [subject, eventsMax], {
          first: [`SELECT id FROM subjects WHERE id = ${subject} FOR UPDATE`],
        })) as unknown as readonly [{ events: string; read: string; conflicts: string | null }];
        return {
          events: Number(row.events),
          conflicts: row.conflicts === null ? [] : (JSON.parse(row.conflicts) as string[]),
          more: Number(row.read) === eventsMax,
        };
      }),

    resolveConflict: (aggregateId, resolve) =>
      onConnection(pool, async (client) => {
        const key = keyOf(context, aggregateId);
        await client.query('BEGIN');
        // Nobody appends, and nobody marks this aggregate: where it has no marker, one is put there to wait for.
        await client.query('SELECT id FROM subjects WHERE id = $1 FOR UPDATE', [subject]);
        await client.query(lockAlone(context, aggregateId));
        await client.query(
          `INSERT INTO command_markers (subject, aggregate_id, version, event_id, name, data, time_us, marked_at)
           VALUES ($1, $2, 0, '', '', '', 0, clock_timestamp())
           ON CONFLICT (subject, aggregate_id) DO UPDATE SET marked_at = excluded.marked_at`,
          [subject, aggregateId],
        );
        const last = (await client.query(SELECT_LAST, [subject, ...key])).rows[0] as KeptRow | undefined;
        const { rows } = await client.query(
          `DELETE FROM command_outbox o WHERE subject = $1 AND aggregate_id = $2
           RETURNING id, version, encode(event_id, 'hex') AS event_id, name, ${dataWithKey('o')} AS data, time_us, actor, expected_version`,
          [subject, aggregateId],
        );
        const waiting = (rows as (KeptRow & { id: string; actor: string; expected_version: string | null })[])
          .sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1))
          .map((row): Waiting => ({
            ...keptEvent(row),
            actor: row.actor,
            expectedVersion: row.expected_version === null ? null : Number(row.expected_version),
          }));
        const resolution = resolve(last === undefined ? null : keptEvent(last), waiting);
        for (const message of resolution.kept) {
          await client.query(
            `INSERT INTO command_outbox (subject, aggregate_hash, aggregate_type, aggregate_id, version, expected_version, event_id,
               name, data, time_us, actor) VALUES ($1, $2, $3, $4, $5, $6, decode($7, 'hex'), $8, $9, $10, $11)`,
            [
              subject,
              ...key,
              message.version,
              message.expectedVersion,
              idDigits(message.eventId),
              message.name,
              withoutKey(message.data),
              message.timeUs.toString(),
              message.actor,
            ],
          );
        }
        for (const { eventId, version, name, data, rule, reason } of resolution.rejected) {
          await client.query(
            `INSERT INTO rejected_commands (subject, event_id, aggregate_id, version, name, data, rule, reason)
             VALUES ($1, decode($2, 'hex'), $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
            [subject, idDigits(eventId), aggregateId, version, name, withoutKey(data), rule, reason],
          );
        }
        const latest: KeptEvent | undefined =
          resolution.kept.at(-1) ?? (last === undefined ? undefined : keptEvent(last));
        if (latest === undefined) {
          await client.query('DELETE FROM command_markers WHERE subject = $1 AND aggregate_id = $2', [
            subject,
            aggregateId,
          ]);
        } else {
          await client.query(
            `UPDATE command_markers SET version = $3, event_id = decode($4, 'hex'), name = $5, data = $6, time_us = $7
             WHERE subject = $1 AND aggregate_id = $2`,
            [
              subject,
              aggregateId,
              latest.version,
              idDigits(latest.eventId),
              latest.name,
              withoutKey(latest.data),
              latest.timeUs.toString(),
            ],
          );
        }
        await client.query('COMMIT');
        return resolution;
      }),

    fateOf: (aggregateId, version) =>
      translated(async (): Promise<PositionFate> => {
        const { rows } = await pool.query(
          `SELECT e.seq_no, encode(e.tx_hash, 'hex') AS event_id,
             e.seq_no <= (SELECT c.seq_no FROM checkpoints c WHERE c.observer = '${COMMAND_OBSERVER}' AND c.subject = $1
               AND c.lane = ($2::bigint & 9223372036854775807) % ${lanes}) AS scanned,
             EXISTS (SELECT FROM park_markers p WHERE p.subject = $1 AND p.aggregate_type = $3 AND p.aggregate_id = $4
               AND p.from_seq_no <= e.seq_no) AS parked,
             EXISTS (SELECT FROM command_outbox o WHERE o.subject = $1 AND o.aggregate_id = $4 AND o.version = $5) AS waiting,
             r.rule, r.reason
           FROM (SELECT) one
           LEFT JOIN ${LOG_AND_ARCHIVE} e ON e.subject = $1 AND e.aggregate_hash = $2 AND e.aggregate_type = $3 AND e.aggregate_id = $4
             AND e.version = $5
           LEFT JOIN LATERAL (SELECT rule, reason FROM rejected_commands WHERE subject = $1 AND aggregate_id = $4 AND version = $5
             ORDER BY rejected_at DESC LIMIT 1) r ON true`,
          [subject, ...keyOf(context, aggregateId), version],
        );
        const row = rows[0] as {
          seq_no: string | null;
          event_id: string | null;
          scanned: boolean | null;
          parked: boolean;
          waiting: boolean;
          rule: string | null;
          reason: string | null;
        };
        if (row.seq_no !== null && row.event_id !== null) {
          if (row.scanned !== true) return { kind: 'pending' };
          const seqNo = BigInt(row.seq_no) as SeqNo;
          return { kind: row.parked ? 'parked' : 'executed', seqNo, eventId: eventIdOf(row.event_id) };
        }
        if (row.waiting) return { kind: 'pending' };
        if (row.rule !== null) return { kind: 'rejected', rule: row.rule, reason: row.reason ?? '' };
        return { kind: 'unknown' };
      }),

    backlog: () =>
      translated(async (): Promise<Backlog> => {
        const { rows } = await pool.query(
          `SELECT (SELECT count(*) FROM command_outbox WHERE subject = $1) AS pending,
             coalesce((SELECT extract(epoch FROM clock_timestamp()) * 1000 - time_us / 1000 FROM command_outbox
               WHERE subject = $1 ORDER BY id LIMIT 1), 0)::float8 AS oldest_ms,
             (SELECT count(*) FROM park_markers WHERE subject = $1 AND aggregate_type = $2) AS parked,
             ARRAY(SELECT DISTINCT unnest(pg_blocking_pids(a.pid)) FROM pg_stat_activity a
               WHERE a.datname = current_database() AND a.wait_event_type = 'Lock') AS blocking`,
          [subject, aggregateType],
        );
        const row = rows[0] as { pending: string; oldest_ms: number; parked: string; blocking: number[] };
        return {
          pending: Number(row.pending),
          oldestPendingMs: Math.max(0, row.oldest_ms),
          parkedAggregates: Number(row.parked),
          blockingPids: row.blocking,
        };
      }),
  };
}
