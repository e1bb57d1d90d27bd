import type { PoolClient } from 'pg';
import { aggregateHash } from '@imart/core';
import { APPEND_EVENTS_MAX_DEFAULT } from '@imart/event-service';
import { SaleLogError, type SaleChange, type SaleChanges } from '@imart/purchase';
import { appendStatement } from '../commands/append';
import { idDigits, onClient, type CommandContext } from '../commands/context';
import { NOW_US } from '../commands/requestReads';
import { createReads } from '../commands/reads';
import type { TextRow } from '../subject/script';
import { preparing } from './prepared';
import { runRoundTrip, type Step } from './roundTrip';

const UNIQUE_VIOLATION = '23505';
/** Who changes sales here, as their events tell. */
const ACTOR = 'purchases';

/** The second one gives the {@link LockedMoment}: it sees what was committed while the first waited. Parameter: subject. */
const LOCK_SALES = [
  'SELECT id FROM subjects WHERE id = $1 FOR UPDATE',
  `SELECT ${NOW_US} AS now_us, EXISTS (SELECT FROM command_outbox WHERE subject = $1) AS waits`,
];

/** What {@link lockSales} gives last. */
export type LockedMoment = TextRow | undefined;

/**
 * Steps that lock the sales' log. Where purchases are locked before it, they are overdue: no step waits for these with the log in hand.
 */
export function lockSales({ log }: CommandContext): readonly Step[] {
  return LOCK_SALES.map((statement) => ({ statement, values: [log.subject] }));
}

/**
 * The sales under the lock of their log: what waits is appended before, so that the log says all, and what is accepted, after.
 * @param moment of {@link lockSales}
 */
export async function lockedSales(
  client: PoolClient,
  sales: CommandContext,
  moment: LockedMoment,
): Promise<SaleChanges> {
  // Messages that do not continue the log stay behind, and the worker of sales validates them anew. Only what is appended below must not.
  if (moment?.waits !== 'f') await appendAfter(client, sales, []);
  return {
    nowUs: BigInt(moment?.now_us ?? 0),
    sources: createReads(onClient(sales, preparing(client))).readStateSources,
    async append(changes) {
      if (changes.length === 0) return;
      const lost = (ids: readonly string[], cause?: unknown): SaleLogError => new SaleLogError(ids, cause);
      const all = changes.map(({ saleId }) => saleId);
      const { marked, left } = await markAndAppend(client, sales, changes).catch((error: unknown) => {
        throw (error as { code?: unknown } | null)?.code === UNIQUE_VIOLATION ? lost(all, error) : error;
      });
      if (marked !== changes.length) throw lost(all);
      const behind = all.filter((id) => left.includes(id));
      if (behind.length > 0) throw lost(behind);
    },
  };
}

/**
 * Marks of several aggregates by one statement, each as a command's own: the marker is checked and overwritten and the message is written,
 * or neither. Markers are locked in the order of their ids, as commands lock them: nobody waits in a circle. Parameters: subject, type, hashes, ids, versions, event ids, names, data, actor.
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
    ORDER BY a.id COLLATE "C"
    ON CONFLICT (subject, aggregate_id) DO UPDATE SET version = excluded.version, event_id = excluded.event_id,
      name = excluded.name, data = excluded.data, time_us = greatest(m.time_us + 1, excluded.time_us), marked_at = excluded.marked_at
    WHERE m.version < excluded.version
    RETURNING m.aggregate_id, m.version, m.event_id, m.name, m.data, m.time_us
  )
  INSERT INTO command_outbox (subject, aggregate_hash, aggregate_type, aggregate_id, version, expected_version, event_id, name, data,
    time_us, actor)
  SELECT $1, a.hash, $2, m.aggregate_id, m.version, m.version - 1, m.event_id, m.name, m.data, m.time_us, $9
  FROM marked m JOIN asked a ON a.id = m.aggregate_id
  RETURNING aggregate_id`;

async function markAndAppend(
  client: PoolClient,
  sales: CommandContext,
  changes: readonly SaleChange[],
): Promise<{ readonly marked: number; readonly left: readonly string[] }> {
  const { log, aggregateType } = sales;
  const values = [
    log.subject,
    aggregateType,
    changes.map(({ saleId }) => aggregateHash(aggregateType, saleId).toString()),
    changes.map(({ saleId }) => saleId),
    changes.map(({ event }) => event.version),
    changes.map(({ event }) => idDigits(event.eventId)),
    changes.map(({ event }) => event.name),
    changes.map(({ event }) => event.data),
    ACTOR,
  ];
  const { before, left } = await appendAfter(client, sales, [{ statement: MARK_ALL, values }]);
  return { marked: before[0]?.length ?? 0, left };
}

/**
 * Runs steps, and appends everything that waits then.
 * @returns the steps' rows, and the aggregates of what does not continue the log
 */
async function appendAfter(
  client: PoolClient,
  { log }: CommandContext,
  steps: readonly Step[],
): Promise<{ readonly before: readonly (readonly TextRow[])[]; readonly left: readonly string[] }> {
  const append: Step = { statement: appendStatement(log.subject, APPEND_EVENTS_MAX_DEFAULT) };
  const before = await runRoundTrip(client, [...steps, append]);
  for (let row = before.at(-1)?.[0]; ; row = (await runRoundTrip(client, [append]))[0]?.[0]) {
    if (Number(row?.read) < APPEND_EVENTS_MAX_DEFAULT || Number(row?.events) === 0) {
      const conflicts = row?.conflicts ?? null;
      return { before, left: conflicts === null ? [] : (JSON.parse(conflicts) as string[]) };
    }
  }
}
