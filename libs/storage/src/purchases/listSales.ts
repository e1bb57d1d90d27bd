import type { DatabasePool } from '../createPool';
import { translated } from '../commands/session';

/**
 * Ids of sales, at most `limit`, in an order of their own that does not change.
 * @param subject number of the sales' subject
 */
export function listSaleIds(pool: DatabasePool, subject: number, limit: number): Promise<readonly string[]> {
  return translated(async () => {
    // From each sale's first event to the next one's: a sale with a million events is passed over by one look at the index.
    const { rows } = await pool.query(
      `WITH RECURSIVE found AS (
         (SELECT aggregate_hash, aggregate_type, aggregate_id, 1 AS n FROM event_log
           WHERE subject = $1 AND version IS NOT NULL ORDER BY aggregate_hash, aggregate_type, aggregate_id LIMIT 1)
         UNION ALL
         SELECT next.*, found.n + 1 FROM found CROSS JOIN LATERAL (
           SELECT e.aggregate_hash, e.aggregate_type, e.aggregate_id FROM event_log e
           WHERE e.subject = $1 AND e.version IS NOT NULL
             AND (e.aggregate_hash, e.aggregate_type, e.aggregate_id) > (found.aggregate_hash, found.aggregate_type, found.aggregate_id)
           ORDER BY e.aggregate_hash, e.aggregate_type, e.aggregate_id LIMIT 1) next
         WHERE found.n < $2
       ) SELECT aggregate_id FROM found`,
      [subject, limit],
    );
    return (rows as { aggregate_id: string }[]).map((row) => row.aggregate_id);
  });
}
