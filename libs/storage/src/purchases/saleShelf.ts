import type { Pool } from 'pg';
import { readSale, saleStatus, type SaleShelf, type ShelfSale } from '@imart/purchase';
import { translated } from '../commands/session';
import type { OpenedCommands } from '../commands/openCommands';

/** From each sale's first event to the next one's: a sale with a million events is passed over by one look at the index. */
const SALE_IDS = `
  WITH RECURSIVE found AS (
    (SELECT aggregate_hash, aggregate_type, aggregate_id, 1 AS n FROM event_log
      WHERE subject = $1 AND version IS NOT NULL ORDER BY aggregate_hash, aggregate_type, aggregate_id LIMIT 1)
    UNION ALL
    SELECT next.*, found.n + 1 FROM found CROSS JOIN LATERAL (
      SELECT e.aggregate_hash, e.aggregate_type, e.aggregate_id FROM event_log e
      WHERE e.subject = $1 AND e.version IS NOT NULL
        AND (e.aggregate_hash, e.aggregate_type, e.aggregate_id) > (found.aggregate_hash, found.aggregate_type, found.aggregate_id)
      ORDER BY e.aggregate_hash, e.aggregate_type, e.aggregate_id LIMIT 1) next
    WHERE found.n < $2
  ) SELECT aggregate_id FROM found`;

export function createSaleShelf(pool: Pool, { subject, reads }: OpenedCommands): SaleShelf {
  const nowUs = async (): Promise<bigint> => {
    const { rows } = await pool.query(
      `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us`,
    );
    return BigInt((rows[0] as { now_us: string }).now_us);
  };
  const look = async (id: string, now: bigint): Promise<ShelfSale | null> => {
    const { version, state } = await readSale(reads, id);
    return state?.terms ? { id, version, state, status: saleStatus(state, now) } : null;
  };
  return {
    find: (id) => translated(async () => look(id, await nowUs())),
    list: (limit) =>
      translated(async () => {
        const { rows } = await pool.query(SALE_IDS, [subject, limit]);
        const now = await nowUs();
        const found: ShelfSale[] = [];
        for (const { aggregate_id: id } of rows as { aggregate_id: string }[]) {
          const one = await look(id, now);
          if (one !== null) found.push(one);
        }
        return found;
      }),
  };
}
