import type { PoolClient } from 'pg';
import { aggregateHash } from '@imart/core';
import { SaleLogError, type SaleChange } from '@imart/purchase';
import { idDigits, type CommandContext } from '../commands/context';
import { NOW_US } from '../commands/requestReads';

const UNIQUE_VIOLATION = '23505';
/** Who changes sales here, as their events tell. */
const ACTOR = 'purchases';

/**
 * Marks of several aggregates by one statement, each as a command's own: the marker is checked and overwritten and the message is written,
 * or neither. Parameters: subject, type, hashes, ids, versions, event ids, names, data, actor.
 */
const MARK_ALL = `
  WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[])
      AS a(hash, id, version, event_id, name, data)
  ), marked AS (
    INSERT INTO command_markers AS m (subject, aggregate_id, version, event_id, name, data, time_us, marked_at)
    SELECT $1, a.id, a.version, decode(a.event_id, 'hex'), a.name, a.data, ${NOW_US}, clock_timestamp() FROM asked a
    WHERE NOT EXISTS (SELECT FROM event_log e WHERE e.subject = $1 AND e.aggregate_hash = a.hash AND e.aggregate_type = $2
        AND e.aggregate_id = a.id AND e.version >= a.version)
    ON CONFLICT (subject, aggregate_id) DO UPDATE SET version = excluded.version, event_id = excluded.event_id,
      name = excluded.name, data = excluded.data, time_us = greatest(m.time_us + 1, excluded.time_us), marked_at = excluded.marked_at
    WHERE m.version < excluded.version
    RETURNING m.aggregate_id, m.version, m.event_id, m.name, m.data, m.time_us
  )
  INSERT INTO command_outbox (subject, aggregate_hash, aggregate_type, aggregate_id, version, expected_version, event_id, name, data,
    time_us, actor)
  SELECT $1, a.hash, $2, m.aggregate_id, m.version, m.version - 1, m.event_id, m.name, m.data, m.time_us, $9
  FROM marked m JOIN asked a ON a.id = m.aggregate_id`;

/** @throws {SaleLogError} a command of one of the sales was accepted meanwhile: the transaction is to be undone. */
export async function markSales(
  client: PoolClient,
  { log, aggregateType }: CommandContext,
  changes: readonly SaleChange[],
): Promise<void> {
  const lost = (cause?: unknown): SaleLogError =>
    new SaleLogError(
      changes.map(({ saleId }) => saleId),
      cause,
    );
  const marking = client.query(MARK_ALL, [
    log.subject,
    aggregateType,
    changes.map(({ saleId }) => aggregateHash(aggregateType, saleId).toString()),
    changes.map(({ saleId }) => saleId),
    changes.map(({ event }) => event.version),
    changes.map(({ event }) => idDigits(event.eventId)),
    changes.map(({ event }) => event.name),
    changes.map(({ event }) => event.data),
    ACTOR,
  ]);
  const { rowCount } = await marking.catch((error: unknown) => {
    throw (error as { code?: unknown } | null)?.code === UNIQUE_VIOLATION ? lost(error) : error;
  });
  if (rowCount !== changes.length) throw lost();
}
