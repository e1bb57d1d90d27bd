import type { Purchase, PurchaseErrorCode, PurchaseId, PurchaseStatus, Topic } from '@imart/purchase';

/** A moment as the model has it. */
const moment = (sql: string): string => `to_char(${sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** All that a purchase is, as {@link purchaseOf} reads it. `p` is the row. */
export const PURCHASE_COLUMNS = `p.id, p.product_id, p.quantity, p.wallet, p.status, p.step, p.error, p.order_id, p.currency,
  trim_scale(p.price)::text AS price, trim_scale(p.price * p.quantity)::text AS total,
  ${moment('p.received_at')} AS received_at, ${moment('p.deadline_at')} AS deadline_at,
  ${moment('p.check_requested_at')} AS check_requested_at, ${moment('p.checked_at')} AS checked_at,
  ${moment('p.processed_at')} AS processed_at, ${moment('p.finished_at')} AS finished_at, ${moment('p.expires_at')} AS expires_at,
  coalesce(p.expires_at <= clock_timestamp(), false) AS expired`;

export interface PurchaseRow {
  readonly id: string;
  readonly product_id: string;
  readonly quantity: number;
  readonly wallet: string | null;
  readonly status: string;
  readonly step: string;
  readonly error: string | null;
  readonly order_id: string | null;
  readonly price: string | null;
  readonly total: string | null;
  readonly currency: string | null;
  readonly received_at: string;
  readonly deadline_at: string;
  readonly check_requested_at: string | null;
  readonly checked_at: string | null;
  readonly processed_at: string | null;
  readonly finished_at: string | null;
  readonly expires_at: string | null;
  readonly expired: boolean;
}

export function purchaseOf(row: PurchaseRow): Purchase {
  const isFinal = row.status !== 'pending';
  return {
    id: row.id as PurchaseId,
    productId: row.product_id,
    quantity: row.quantity,
    wallet: row.wallet,
    status: row.status as PurchaseStatus,
    step: row.step as Topic,
    steps: stepsOf(row),
    deadlineAt: row.deadline_at,
    // Told with the end: until then it may still be ended by its deadline.
    error: isFinal ? (row.error as PurchaseErrorCode | null) : null,
    orderId: row.order_id,
    price: row.price,
    total: row.total,
    currency: row.currency,
    finishedAt: row.finished_at,
    expiresAt: row.expires_at,
    expired: row.expired,
  };
}

/** A purchase has a moment for each step that it may pass; where the last one is the answer about the stock, the step says which it was. */
function stepsOf(row: PurchaseRow): Purchase['steps'] {
  const steps: { step: Topic; at: string }[] = [{ step: 'purchase.received', at: row.received_at }];
  if (row.check_requested_at !== null) {
    steps.push({ step: 'stock.check-requested', at: row.check_requested_at });
  }
  const step = row.step as Topic;
  if (row.checked_at !== null) {
    steps.push({ step: row.processed_at === null ? step : 'stock.available', at: row.checked_at });
  }
  if (row.processed_at !== null) steps.push({ step, at: row.processed_at });
  return steps;
}
