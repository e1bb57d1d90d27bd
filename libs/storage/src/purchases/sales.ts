import type { PoolClient } from 'pg';
import { APPEND_EVENTS_MAX_DEFAULT } from '@imart/event-service';
import {
  SaleLogError,
  type AskedPurchase,
  type PurchaseId,
  type PurchaseStore,
  type SaleChanges,
  type StepResult,
  type Topic,
  type Verdict,
} from '@imart/purchase';
import { appendStatement } from '../commands/append';
import { onClient, type CommandContext } from '../commands/context';
import { NOW_US } from '../commands/requestReads';
import { createReads } from '../commands/reads';
import { onConnection } from '../commands/session';
import { CHANNEL, type PurchaseContext } from './context';
import { markSales } from './markSales';
import { PURCHASE_COLUMNS, purchaseOf, type PurchaseRow } from './rows';
import { expiryOf, PASSES, TAKEN } from './steps';

const NOW = `${NOW_US} AS now_us`;

/** Taken messages whose purchases can pass the step, in the order in which they were said; these purchases are locked. */
async function take(
  client: PoolClient,
  topic: Topic,
  limit: number,
): Promise<{ readonly taken: number; readonly asked: readonly AskedPurchase[] }> {
  const { rows: messages } = await client.query(`WITH ${TAKEN} SELECT purchase_id FROM taken ORDER BY id`, [
    topic,
    limit,
  ]);
  if (messages.length === 0) return { taken: 0, asked: [] };
  const ids = (messages as { purchase_id: string }[]).map((message) => message.purchase_id);
  const { rows } = await client.query(
    `SELECT p.id, p.product_id, p.quantity, p.wallet FROM purchases p WHERE p.id = ANY($2::uuid[]) AND ${PASSES}
     ORDER BY array_position($2::uuid[], p.id) FOR UPDATE`,
    [topic, ids],
  );
  return { taken: ids.length, asked: (rows as AskedRow[]).map(askedOf) };
}

interface AskedRow {
  readonly id: string;
  readonly product_id: string;
  readonly quantity: number;
  readonly wallet: string | null;
}

const askedOf = (row: AskedRow): AskedPurchase => ({
  id: row.id as PurchaseId,
  productId: row.product_id,
  quantity: row.quantity,
  wallet: row.wallet,
});

/** Keeps what was decided about purchases that are locked, and says it. @returns the topics on which something was said. */
async function say(
  client: PoolClient,
  verdicts: readonly Verdict[],
  fine: Topic,
  column: 'checked_at' | 'processed_at',
): Promise<readonly Topic[]> {
  if (verdicts.length === 0) return [];
  const topics = verdicts.map(({ refused }): Topic => (refused === null ? fine : 'stock.unavailable'));
  await client.query(
    `WITH verdicts AS (
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::numeric[], $5::text[]) WITH ORDINALITY AS v(id, step, error, price, currency, n)
     ), moved AS (
       UPDATE purchases p SET step = v.step, error = v.error, price = v.price, currency = v.currency, ${column} = clock_timestamp()
       FROM verdicts v WHERE p.id = v.id RETURNING p.id, v.step, v.n
     ), said AS (
       INSERT INTO purchase_messages (topic, purchase_id) SELECT step, id FROM moved ORDER BY n RETURNING topic
     )
     SELECT pg_notify('${CHANNEL}', topic) FROM (SELECT DISTINCT topic FROM said) topics`,
    [
      verdicts.map(({ id }) => id),
      topics,
      verdicts.map(({ refused }) => refused),
      verdicts.map(({ price }) => price),
      verdicts.map(({ currency }) => currency),
    ],
  );
  return [...new Set(topics)];
}

/** Works on the sales under the lock of their log: what waits is appended before, so that the log says all, and what is accepted, after. */
async function onSales<T>(
  client: PoolClient,
  sales: CommandContext,
  work: (changes: SaleChanges) => Promise<T>,
): Promise<T> {
  const { subject } = sales.log;
  const { rows } = await client.query(`SELECT id, ${NOW} FROM subjects WHERE id = $1 FOR UPDATE`, [subject]);
  // Messages that do not continue the log stay behind, and the worker of sales validates them anew. Only what is appended below must not.
  await appendAll(client, subject);
  const { readStateSources } = createReads(onClient(sales, client));
  return work({
    nowUs: BigInt((rows[0] as { now_us: string }).now_us),
    sources: readStateSources,
    async append(changes) {
      if (changes.length === 0) return;
      await markSales(client, sales, changes);
      const left = await appendAll(client, subject);
      const lost = changes.flatMap(({ saleId }) => (left.includes(saleId) ? [saleId] : []));
      if (lost.length > 0) throw new SaleLogError(lost);
    },
  });
}

/** Appends everything that waits; the subject's row is locked. @returns the aggregates of what does not continue the log. */
async function appendAll(client: PoolClient, subject: number): Promise<readonly string[]> {
  for (;;) {
    const { rows } = await client.query(appendStatement(subject, APPEND_EVENTS_MAX_DEFAULT));
    const { events, read, conflicts } = rows[0] as {
      events: string;
      read: string;
      conflicts: readonly string[] | null;
    };
    if (Number(read) < APPEND_EVENTS_MAX_DEFAULT || Number(events) === 0) return conflicts ?? [];
  }
}

/** The steps that look at sales, or change them. */
export function createSalesSide({
  pool,
  sales,
  resultMs,
}: PurchaseContext): Pick<PurchaseStore, 'checkStock' | 'processOrders' | 'endOverdue'> {
  return {
    checkStock: (limit, judge) =>
      onConnection(pool, async (client): Promise<StepResult> => {
        await client.query('BEGIN');
        const { taken, asked } = await take(client, 'stock.check-requested', limit);
        let said: readonly Topic[] = [];
        if (asked.length > 0) {
          const { rows } = await client.query(`SELECT ${NOW}`);
          const verdicts = await judge(asked, {
            nowUs: BigInt((rows[0] as { now_us: string }).now_us),
            sources: createReads(onClient(sales, client)).readStateSources,
          });
          said = await say(client, verdicts, 'stock.available', 'checked_at');
        }
        await client.query('COMMIT');
        return { taken, said, ended: [] };
      }),

    processOrders: (limit, decide) =>
      onConnection(pool, async (client): Promise<StepResult> => {
        await client.query('BEGIN');
        const { taken, asked } = await take(client, 'stock.available', limit);
        let said: readonly Topic[] = [];
        if (asked.length > 0) {
          const verdicts = await onSales(client, sales, (changes) => decide(asked, changes));
          said = await say(client, verdicts, 'order.processed', 'processed_at');
        }
        await client.query('COMMIT');
        return { taken, said, ended: [] };
      }),

    endOverdue: (limit, release) =>
      onConnection(pool, async (client): Promise<StepResult> => {
        await client.query('BEGIN');
        // What a step has in hand right now is passed over: it is looked at again.
        const { rows: overdue } = await client.query(
          `SELECT p.id, p.product_id, p.quantity, p.wallet, p.step FROM purchases p
           WHERE p.status = 'pending' AND p.deadline_at <= clock_timestamp() ORDER BY p.deadline_at LIMIT $1 FOR UPDATE SKIP LOCKED`,
          [limit],
        );
        let ended: StepResult['ended'] = [];
        if (overdue.length > 0) {
          const all = overdue as (AskedRow & { step: Topic })[];
          const held = all.filter(({ step }) => step === 'order.processed').map(askedOf);
          const kept =
            held.length === 0 ? [] : await onSales(client, sales, (changes) => release(held, changes));
          const { rows } = await client.query(
            `WITH p AS (
               UPDATE purchases SET status = 'failed', error = 'TIMEOUT', finished_at = clock_timestamp(), expires_at = ${expiryOf('$2')}
               WHERE id = ANY($1::uuid[]) RETURNING *
             ) SELECT ${PURCHASE_COLUMNS} FROM p`,
            [all.flatMap(({ id }) => (kept.includes(id as PurchaseId) ? [] : [id])), resultMs],
          );
          ended = (rows as PurchaseRow[]).map(purchaseOf);
        }
        await client.query('COMMIT');
        return { taken: ended.length, said: [], ended };
      }),
  };
}
