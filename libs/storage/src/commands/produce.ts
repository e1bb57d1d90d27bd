import { escapeLiteral } from 'pg';
import type { CommandProducer, KeptEvent, MarkRequest, Produced } from '@imart/event-service';
import { runScript, type ScriptStep } from '../subject/script';
import { lockShared } from './aggregateLock';
import { isArchived } from './archive';
import { idDigits, keyOf, type CommandContext } from './context';
import { markFailure } from './markBatch';
import { NOW_US } from './requestReads';
import { onConnection, translated } from './session';

/** SQL: a value in a statement without parameters. */
const literal = (value: string | number | null): string =>
  value === null ? 'NULL' : escapeLiteral(String(value));

/** SQL: an event id. */
const idOf = (eventId: KeptEvent['eventId'] | null): string =>
  `decode(${literal(eventId === null ? '' : idDigits(eventId))}, 'hex')`;

/**
 * What a message is written with. Each statement sees what was committed before it: the message first, and then whether it may stay. From
 * then on nobody else can write one of its version, and nobody archives its aggregate, so what is seen stays so until it is committed.
 */
function produceScript(context: CommandContext, request: MarkRequest): readonly ScriptStep[] {
  const { aggregateId, validatedVersion, validatedEventId, expectedVersion, event } = request;
  const { actor, idempotency, personKey } = request;
  const subject = literal(context.log.subject);
  const [hash, type, id] = keyOf(context, aggregateId).map(literal) as [string, string, string];
  const validated = literal(validatedVersion);
  const ofAggregate = `subject = ${subject} AND aggregate_hash = ${hash} AND aggregate_type = ${type} AND aggregate_id = ${id}`;
  const ownMessage =
    `subject = ${subject} AND aggregate_id = ${id} AND version = ${event.version} ` +
    `AND event_id = ${idOf(event.eventId)}`;
  // The event that was validated against, waiting or in the log: its time is before this one's.
  const before =
    validatedVersion === 0
      ? '(SELECT -1::bigint AS time_us)'
      : `(SELECT time_us FROM command_outbox WHERE subject = ${subject} AND aggregate_id = ${id} AND version = ${validated}
           AND event_id = ${idOf(validatedEventId)}
         UNION ALL SELECT time_us FROM event_log WHERE ${ofAggregate} AND version = ${validated}
           AND tx_hash = ${idOf(validatedEventId)} LIMIT 1)`;
  const answered =
    idempotency === null
      ? ''
      : `, answered AS (
          INSERT INTO command_answers (subject, actor, idempotency_key, body_hash, answer)
          SELECT ${subject}, ${literal(actor)}, ${literal(idempotency.key)}, decode(${literal(idempotency.bodyHash)}, 'hex'),
            ${literal(JSON.stringify(idempotency.answer))} FROM own)`;
  const used =
    personKey === null
      ? ''
      : `, used AS (
          INSERT INTO person_key_uses (key_id, subject, aggregate_hash, aggregate_type, aggregate_id)
          SELECT ${literal(personKey.id)}::bigint, ${subject}, ${hash}, ${type}, ${id} FROM own ON CONFLICT DO NOTHING)`;
  return [
    { statement: 'BEGIN' },
    { statement: lockShared(context, aggregateId) },
    {
      statement: `INSERT INTO command_outbox (subject, aggregate_hash, aggregate_type, aggregate_id, version, expected_version, event_id,
          name, data, time_us, actor)
        SELECT ${subject}, ${hash}, ${type}, ${id}, ${event.version}, ${literal(expectedVersion)}::bigint, ${idOf(event.eventId)},
          ${literal(event.name)}, ${literal(event.data)}, greatest(before.time_us + 1, ${NOW_US}), ${literal(actor)}
        FROM ${before} before
        WHERE NOT EXISTS (SELECT FROM event_log WHERE ${ofAggregate} AND version > ${validated})
        ON CONFLICT (subject, aggregate_id, version) DO NOTHING`,
    },
    {
      statement: `DELETE FROM command_outbox WHERE ${ownMessage} AND (${isArchived(subject, hash, type, id)}
        OR EXISTS (SELECT FROM event_log WHERE ${ofAggregate} AND version > ${validated}))`,
    },
    {
      // Whoever keeps markers in the database finds none that is behind.
      statement: `WITH own AS (SELECT time_us FROM command_outbox WHERE ${ownMessage})${answered}${used}, unmarked AS (
          DELETE FROM command_markers WHERE subject = ${subject} AND aggregate_id = ${id} AND EXISTS (SELECT FROM own))
        SELECT time_us FROM own`,
    },
    { statement: 'COMMIT' },
  ];
}

/** Writes messages of commands whose markers are not in the database. */
export function createProducer(context: CommandContext): CommandProducer {
  const { pool, log } = context;
  const { subject } = log;
  return {
    produce: (request) =>
      onConnection(pool, async (client): Promise<Produced> => {
        try {
          const timeUs = (await runScript(client, produceScript(context, request)))[4]?.[0]?.['time_us'];
          return typeof timeUs === 'string'
            ? { result: 'marked', timeUs: BigInt(timeUs) }
            : { result: 'moved' };
        } catch (error) {
          const result = markFailure(error);
          if (result === null) throw error;
          await client.query('ROLLBACK');
          return { result };
        }
      }),

    producedAt: (aggregateId, version, eventId) =>
      translated(async () => {
        const { rows } = await pool.query(
          `SELECT time_us FROM command_outbox WHERE subject = $1 AND aggregate_id = $4 AND version = $5 AND event_id = decode($6, 'hex')
           UNION ALL SELECT time_us FROM event_log WHERE subject = $1 AND aggregate_hash = $2 AND aggregate_type = $3
             AND aggregate_id = $4 AND version = $5 AND tx_hash = decode($6, 'hex') LIMIT 1`,
          [subject, ...keyOf(context, aggregateId), version, idDigits(eventId)],
        );
        const [row] = rows as { time_us: string }[];
        return row === undefined ? null : BigInt(row.time_us);
      }),

    lagMs: () =>
      translated(async () => {
        const { rows } = await pool.query(
          `SELECT ${NOW_US} - time_us AS lag_us FROM command_outbox WHERE subject = $1 ORDER BY id LIMIT 1`,
          [subject],
        );
        const [row] = rows as { lag_us: string }[];
        return Math.max(0, Number(row?.lag_us ?? 0) / 1000);
      }),
  };
}
