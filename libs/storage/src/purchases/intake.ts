import type { PurchaseId, PurchaseStore } from '@imart/purchase';
import { translated } from '../commands/session';
import { CHANNEL, type PurchaseContext } from './context';
import { prepared } from './prepared';
import { PURCHASE_COLUMNS, purchaseOf, type PurchaseRow } from './rows';

/** Parameters: ids, products, quantities, wallets, times in ms. */
const RECEIVE = `
  WITH asked AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::float8[]) WITH ORDINALITY
      AS a(id, product_id, quantity, wallet, deadline_ms, n)
  ), kept AS (
    INSERT INTO purchases (id, product_id, quantity, wallet, received_at, deadline_at)
    SELECT a.id, a.product_id, a.quantity, a.wallet, t.now, t.now + a.deadline_ms * interval '1 ms'
    FROM asked a, (SELECT clock_timestamp() AS now) t ORDER BY a.n ON CONFLICT (id) DO NOTHING RETURNING id
  ), said AS (
    INSERT INTO purchase_messages (topic, purchase_id)
    SELECT 'purchase.received', id FROM kept JOIN asked USING (id) ORDER BY n RETURNING 1
  )
  SELECT id, (SELECT pg_notify('${CHANNEL}', 'purchase.received') FROM (SELECT FROM said LIMIT 1) any_said) FROM kept`;

/** Taking purchases in, and looking at them. */
export function createIntakeSide({
  pool,
  keptMs,
}: PurchaseContext): Pick<PurchaseStore, 'receive' | 'find' | 'forget'> {
  const find: PurchaseStore['find'] = (ids) =>
    translated(async () => {
      const { rows } = await pool.query(
        prepared(`SELECT ${PURCHASE_COLUMNS} FROM purchases p WHERE p.id = ANY($1::uuid[])`, [ids]),
      );
      return new Map((rows as PurchaseRow[]).map((row) => [row.id as PurchaseId, purchaseOf(row)]));
    });

  return {
    find,
    receive: (asked) =>
      translated(async () => {
        const { rows } = await pool.query(
          prepared(RECEIVE, [
            asked.map(({ id }) => id),
            asked.map(({ productId }) => productId),
            asked.map(({ quantity }) => quantity),
            asked.map(({ wallet }) => wallet),
            asked.map(({ deadlineMs }) => deadlineMs),
          ]),
        );
        if (rows.length === asked.length) return [];
        const kept = new Set((rows as { id: string }[]).map(({ id }) => id));
        // A statement of its own: it sees what others have committed while the first one waited for them.
        const before = await find(asked.flatMap(({ id }) => (kept.has(id) ? [] : [id])));
        return [...before.values()];
      }),

    forget: (limit) =>
      translated(async () => {
        const { rowCount } = await pool.query(
          `DELETE FROM purchases WHERE id IN (SELECT id FROM purchases
             WHERE expires_at <= clock_timestamp() - $1 * interval '1 ms' ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
          [keptMs, limit],
        );
        return rowCount ?? 0;
      }),
  };
}
