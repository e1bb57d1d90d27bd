import { aggregateHash, aggregateKeyText } from '@imart/core';
import { marketTables, type MarketTable } from '../subject/marketTables';
import type { Counts } from './counts';
import { executedCondition } from './foldLog';
import { freshName } from './freshTables';
import type { ReplayOptions } from './options';
import type { ReplayedSubject } from './replayedSubjects';
import type { Session } from './session';

/**
 * Aggregates that have been given events since, and those of which a change of what had been told took events, added some below what was
 * folded, or changed which of them count. After a reorg the new branch's events, too, lie below what was folded. Parameters: subject,
 * least lane before, last feed number before, whether the epoch is another.
 */
const selectTouched = (lanes: readonly bigint[], before: readonly bigint[]): string => `
  SELECT aggregate_hash AS hash, aggregate_type AS type, aggregate_id AS id FROM event_log
    WHERE subject = $1 AND seq_no > $2 AND ${executedCondition(lanes)} AND NOT (${executedCondition(before)})
  UNION SELECT e.aggregate_hash, e.aggregate_type, e.aggregate_id FROM feed f JOIN event_log e ON e.subject = f.subject
    AND e.seq_no BETWEEN f.from_seq_no AND f.to_seq_no AND e.feed_no = f.feed_no
    WHERE $4 AND f.subject = $1 AND f.feed_no > $3
  UNION SELECT aggregate_hash, aggregate_type, aggregate_id FROM retracted_events
    WHERE $4 AND subject = $1 AND retracted_feed_no > $3
  UNION SELECT NULL, aggregate_type, aggregate_id FROM feed
    WHERE $4 AND subject = $1 AND feed_no > $3 AND aggregate_id IS NOT NULL`;

/** Removes from the fresh tables whatever aggregates have been touched since. @returns their hashes. */
export async function eraseTouched(
  options: ReplayOptions,
  control: Session,
  before: ReplayedSubject,
  { subject, subjectId, lanes, epoch }: ReplayedSubject,
  counts: Counts,
): Promise<readonly bigint[]> {
  const least = before.lanes.reduce((a, b) => (b < a ? b : a));
  const touched = await control.query(selectTouched(lanes, before.lanes), [
    subject,
    least.toString(),
    before.lastFeedNo.toString(),
    epoch !== before.epoch,
  ]);
  const found = touched.rows as { hash: string | null; type: string; id: string }[];
  const hashes = [...new Set(found.map(({ hash, type, id }) => hash ?? aggregateHash(type, id).toString()))];
  if (hashes.length === 0) return [];
  // Others share a hash: they are folded again with these.
  const ids = await control.query(
    `SELECT aggregate_type AS type, aggregate_id AS id FROM event_log WHERE subject = $1 AND aggregate_hash = ANY($2::bigint[])
     UNION SELECT aggregate_type, aggregate_id FROM retracted_events WHERE subject = $1 AND retracted_feed_no > $3
       AND aggregate_hash = ANY($2::bigint[])`,
    [subject, hashes, before.lastFeedNo.toString()],
  );
  await control.query(
    `DELETE FROM "${freshName('activities')}" a USING event_log e WHERE a.subject = $1 AND e.subject = $1 AND e.seq_no = a.seq_no
     AND e.aggregate_hash = ANY($2::bigint[])`,
    [subject, hashes],
  );
  await control.query(
    `DELETE FROM "${freshName('activities')}" a USING retracted_events e WHERE a.subject = $1 AND e.subject = $1
     AND e.seq_no = a.seq_no AND e.retracted_feed_no > $2`,
    [subject, before.lastFeedNo.toString()],
  );
  for (const { type, id } of ids.rows as { type: string; id: string }[]) {
    counts.parked.delete(`${subject}/${aggregateKeyText(type, id)}`);
  }
  const observer = options.observerOf(subjectId);
  for (const { type, id } of ids.rows as { type: string; id: string }[]) {
    for (const name of observer.reducers.get(type)?.tables ?? []) {
      const table = marketTables.get(name) as MarketTable;
      const match = table.idColumns.map(
        (column, i) =>
          `"${column}" = ($2::text[])[${i + 1}]${table.idTypes[i] === 'numeric[]' ? '::numeric' : ''}`,
      );
      await control.query(
        `DELETE FROM "${freshName(name)}" WHERE subject = $1 AND ${match.join(' AND ')}${table.sharedByTypes ? ' AND aggregate_type = $3' : ''}`,
        table.sharedByTypes ? [subject, table.idValues(id), type] : [subject, table.idValues(id)],
      );
    }
  }
  return hashes.map(BigInt);
}
