import type { PoolClient } from 'pg';
import type { AskedPurchase, PurchaseId, PurchaseStore, StepResult, Topic, Verdict } from '@imart/purchase';
import { onClient } from '../commands/context';
import { NOW_US } from '../commands/requestReads';
import { createReads } from '../commands/reads';
import { onConnection } from '../commands/session';
import type { TextRow } from '../subject/script';
import type { PurchaseContext } from './context';
import { lockedSales, lockSales } from './lockedSales';
import { prepared, preparing } from './prepared';
import { runRoundTrip, type Step } from './roundTrip';
import { PURCHASE_COLUMNS, purchaseOf, type PurchaseRow } from './rows';
import { expiryOf, PASSES, TAKEN } from './steps';

/**
 * Messages taken, and those of their purchases that can pass the step, locked. What is decided is decided as of this moment, or, where
 * sales are locked, as of then.
 */
const TAKE = `
  WITH ${TAKEN}, passing AS (
    SELECT t.id AS message, p.id, p.product_id, p.quantity, p.wallet FROM taken t JOIN purchases p ON p.id = t.purchase_id
    WHERE ${PASSES} ORDER BY t.id FOR UPDATE OF p
  )
  SELECT (SELECT count(*) FROM taken)::int AS taken, ${NOW_US} AS now_us, p.*
  FROM (SELECT) one LEFT JOIN passing p ON true ORDER BY message`;

const BEGIN: Step = { statement: 'BEGIN' };
const COMMIT: Step = { statement: 'COMMIT' };

const takeStep = (topic: Topic, limit: number): Step => ({ statement: TAKE, values: [topic, limit] });

interface Taken {
  readonly taken: number;
  /** In the order in which it was said, each once. */
  readonly asked: readonly AskedPurchase[];
  readonly nowUs: bigint;
}

function takenOf(rows: readonly TextRow[] = []): Taken {
  // A message that came twice has one purchase.
  const asked = new Map(
    (rows as unknown as readonly AskedRow[]).flatMap((row) =>
      row.id === null ? [] : [[row.id, askedOf(row)]],
    ),
  );
  return {
    taken: Number(rows[0]?.taken ?? 0),
    asked: [...asked.values()],
    nowUs: BigInt(rows[0]?.now_us ?? 0),
  };
}

interface AskedRow {
  readonly id: string | null;
  readonly product_id: string;
  readonly quantity: number | string;
  readonly wallet: string | null;
}

const askedOf = (row: AskedRow): AskedPurchase => ({
  id: row.id as PurchaseId,
  productId: row.product_id,
  quantity: Number(row.quantity),
  wallet: row.wallet,
});

/** Parameters: purchases, topics, errors, prices, currencies. */
const sayStatement = (column: string): string => `
  WITH verdicts AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::numeric[], $5::text[]) WITH ORDINALITY AS v(id, step, error, price, currency, n)
  ), moved AS (
    UPDATE purchases p SET step = v.step, error = v.error, price = v.price, currency = v.currency, ${column} = clock_timestamp()
    FROM verdicts v WHERE p.id = v.id RETURNING p.id, v.step, v.n
  )
  INSERT INTO purchase_messages (topic, purchase_id) SELECT step, id FROM moved ORDER BY n`;

const SAY = { checked_at: sayStatement('checked_at'), processed_at: sayStatement('processed_at') } as const;

/** Keeps what was decided about purchases that are locked, and says it; and commits. */
async function sayAndCommit(
  client: PoolClient,
  verdicts: readonly Verdict[],
  fine: Topic,
  column: keyof typeof SAY,
): Promise<readonly Topic[]> {
  const topics = verdicts.map(({ refused }): Topic => (refused === null ? fine : 'stock.unavailable'));
  const values = [
    verdicts.map(({ id }) => id),
    topics,
    verdicts.map(({ refused }) => refused),
    verdicts.map(({ price }) => price),
    verdicts.map(({ currency }) => currency),
  ];
  const saying = verdicts.length === 0 ? [] : [{ statement: SAY[column], values }];
  await runRoundTrip(client, [...saying, COMMIT]);
  return [...new Set(topics)];
}

/** What a step has in hand right now is passed over: it is looked at again. */
const OVERDUE = `
  SELECT p.id, p.product_id, p.quantity, p.wallet, p.step FROM purchases p
  WHERE p.status = 'pending' AND p.deadline_at <= clock_timestamp() ORDER BY p.deadline_at LIMIT $1 FOR UPDATE SKIP LOCKED`;

/** The steps that look at sales, or change them. */
export function createSalesSide({
  pool,
  sales,
  resultMs,
}: PurchaseContext): Pick<PurchaseStore, 'checkStock' | 'processOrders' | 'endOverdue'> {
  return {
    checkStock: (limit, judge) =>
      onConnection(pool, async (client): Promise<StepResult> => {
        const [, rows] = await runRoundTrip(client, [BEGIN, takeStep('stock.check-requested', limit)]);
        const { taken, asked, nowUs } = takenOf(rows);
        const { readStateSources: sources } = createReads(onClient(sales, preparing(client)));
        const verdicts = asked.length === 0 ? [] : await judge(asked, { nowUs, sources });
        const said = await sayAndCommit(client, verdicts, 'stock.available', 'checked_at');
        return { taken, said, ended: [] };
      }),

    processOrders: (limit, decide) =>
      onConnection(pool, async (client): Promise<StepResult> => {
        // The lock comes first: nobody takes what is later while what failed here goes back (E19).
        const steps = [BEGIN, ...lockSales(sales), takeStep('stock.available', limit)];
        const [, , [moment] = [], rows] = await runRoundTrip(client, steps);
        const { taken, asked } = takenOf(rows);
        const verdicts =
          asked.length === 0 ? [] : await decide(asked, await lockedSales(client, sales, moment));
        const said = await sayAndCommit(client, verdicts, 'order.processed', 'processed_at');
        return { taken, said, ended: [] };
      }),

    endOverdue: (limit, release) =>
      onConnection(pool, async (client): Promise<StepResult> => {
        await client.query('BEGIN');
        const { rows: overdue } = await client.query(prepared(OVERDUE, [limit]));
        let ended: StepResult['ended'] = [];
        if (overdue.length > 0) {
          const all = overdue as (AskedRow & { id: string; step: Topic })[];
          const held = all.filter(({ step }) => step === 'order.processed').map(askedOf);
          let kept: readonly PurchaseId[] = [];
          if (held.length > 0) {
            const [, [moment] = []] = await runRoundTrip(client, lockSales(sales));
            kept = await release(held, await lockedSales(client, sales, moment));
          }
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
