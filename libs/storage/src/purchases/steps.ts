import type { PurchaseStore, StepResult, Topic } from '@imart/purchase';
import { translated } from '../commands/session';
import type { PurchaseContext } from './context';
import { prepared } from './prepared';
import { PURCHASE_COLUMNS, purchaseOf, type PurchaseRow } from './rows';

/** SQL: the first messages of the topic in $1, at most $2, taken from it. What another process has in hand is passed over. */
export const TAKEN = `
  taken AS (
    DELETE FROM purchase_messages WHERE topic = $1 AND id = ANY (ARRAY(
      SELECT id FROM purchase_messages WHERE topic = $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING id, purchase_id
  )`;

/**
 * SQL: purchase `p` can pass the step of the topic in $1. One that has passed it, has come to its end, or is over its deadline does
 * not: its message was taken in vain, and what a late one says changes nothing (E16).
 */
export const PASSES = `p.status = 'pending' AND p.step = $1 AND p.deadline_at > clock_timestamp()`;

/** SQL for the moment until which a result is told; the time in ms is a parameter. */
export const expiryOf = (parameter: string): string => `clock_timestamp() + ${parameter} * interval '1 ms'`;

const NOTHING: Pick<StepResult, 'said' | 'ended'> = { said: [], ended: [] };

const REQUEST_CHECKS = `
  WITH ${TAKEN}, moved AS (
    UPDATE purchases p SET step = 'stock.check-requested', check_requested_at = clock_timestamp()
    FROM taken t WHERE p.id = t.purchase_id AND ${PASSES} RETURNING p.id, t.id AS n
  ), said AS (
    INSERT INTO purchase_messages (topic, purchase_id) SELECT 'stock.check-requested', id FROM moved ORDER BY n RETURNING 1
  )
  SELECT (SELECT count(*) FROM taken)::int AS taken, (SELECT count(*) FROM said)::int AS said`;

/** Parameter: how long the result is told, in ms. The order is made from what is confirmed, by the same statement (E18). */
const CREATE_ORDERS = `
  WITH ${TAKEN}, ended AS (
    UPDATE purchases p SET status = 'confirmed', order_id = gen_random_uuid(), finished_at = clock_timestamp(), expires_at = ${expiryOf('$3')}
    FROM taken t WHERE p.id = t.purchase_id AND ${PASSES} RETURNING p.*
  ), orders AS (
    INSERT INTO purchase_orders (id, purchase_id, product_id, quantity, wallet, price, total, currency, created_at)
    SELECT order_id, id, product_id, quantity, wallet, price, price * quantity, currency, finished_at FROM ended
  )
  SELECT (SELECT count(*) FROM taken)::int AS taken, ${PURCHASE_COLUMNS} FROM (SELECT) one LEFT JOIN ended p ON true`;

const REJECT_ORDERS = `
  WITH ${TAKEN}, ended AS (
    UPDATE purchases p SET status = 'rejected', finished_at = clock_timestamp(), expires_at = ${expiryOf('$3')}
    FROM taken t WHERE p.id = t.purchase_id AND ${PASSES} RETURNING p.*
  )
  SELECT (SELECT count(*) FROM taken)::int AS taken, ${PURCHASE_COLUMNS} FROM (SELECT) one LEFT JOIN ended p ON true`;

type EndedRow = { readonly taken: number } & (PurchaseRow | { readonly id: null });

/** The steps that are one statement each. */
export function createStepSide({
  pool,
  resultMs,
}: PurchaseContext): Pick<PurchaseStore, 'requestChecks' | 'createOrders' | 'rejectOrders' | 'setBack'> {
  const end = (statement: string, topic: Topic, limit: number): Promise<StepResult> =>
    translated(async () => {
      const rows = (await pool.query(prepared(statement, [topic, limit, resultMs])))
        .rows as readonly EndedRow[];
      const ended = rows.flatMap((row) => (row.id === null ? [] : [purchaseOf(row)]));
      return { ...NOTHING, taken: rows[0]?.taken ?? 0, ended };
    });

  return {
    requestChecks: (limit) =>
      translated(async () => {
        const { rows } = await pool.query(prepared(REQUEST_CHECKS, ['purchase.received', limit]));
        const { taken, said } = rows[0] as { taken: number; said: number };
        return { ...NOTHING, taken, said: said > 0 ? ['stock.check-requested'] : [] };
      }),

    createOrders: (limit) => end(CREATE_ORDERS, 'order.processed', limit),
    rejectOrders: (limit) => end(REJECT_ORDERS, 'stock.unavailable', limit),

    setBack: (topic) =>
      translated(async () => {
        await pool.query(
          `WITH ${TAKEN} INSERT INTO purchase_messages (topic, purchase_id) SELECT $1, purchase_id FROM taken`,
          [topic, 1],
        );
      }),
  };
}
