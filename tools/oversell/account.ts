import type { Pool } from 'pg';
import { sale, takenBy, type PurchaseId, type SaleEvents } from '@imart/purchase';
import { createAggregateQueries } from '@imart/event-service';
import type { PurchaseParts } from '../../libs/storage/src/testing/purchaseDatabase';

/** How purchases of one product have ended. */
export interface Account {
  readonly confirmed: number;
  readonly rejected: number;
  readonly failed: number;
  readonly pending: number;
  /** What the sale has left, by its log. */
  readonly left: number;
  /** What cannot be. */
  readonly problems: readonly string[];
}

const CHANGES = 'CREATE TABLE IF NOT EXISTS changed_after_end (id uuid, before text, after text)';

/** Keeps every attempt to change a purchase that has come to its end. */
export const WATCH_FINAL_STATES = `${CHANGES};
  CREATE FUNCTION keep_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO changed_after_end VALUES (OLD.id, OLD.status, NEW.status);
      RETURN NEW;
    END $$;
  CREATE TRIGGER watch_final BEFORE UPDATE ON purchases FOR EACH ROW WHEN (OLD.status <> 'pending') EXECUTE FUNCTION keep_change()`;

/** Compares purchases, orders and the sale's log, each purchase for itself. */
export async function accountOf(
  pool: Pool,
  { store, sales }: PurchaseParts,
  product: string,
  ids: readonly PurchaseId[],
): Promise<Account> {
  const problems: string[] = [];
  const found = await store.find(ids);
  if (found.size !== ids.length) problems.push(`${ids.length - found.size} purchases are gone`);
  // Empty where nobody has watched.
  await pool.query(CHANGES);
  const { rows: changed } = await pool.query('SELECT id, before, after FROM changed_after_end');
  for (const { id, before, after } of changed as { id: string; before: string; after: string }[]) {
    problems.push(`${id} was changed after its end, from ${before} to ${after}`);
  }
  const { rows } = await pool.query('SELECT id, purchase_id FROM purchase_orders');
  const orders = new Map(
    (rows as { id: string; purchase_id: string }[]).map((row) => [row.purchase_id, row.id]),
  );
  const held = await heldBy(sales.reads, product, problems);
  const counts = { confirmed: 0, rejected: 0, failed: 0, pending: 0 };
  let supply = 0;
  for (const one of found.values()) {
    counts[one.status]++;
    const isConfirmed = one.status === 'confirmed';
    const has = held.takes.get(one.id) ?? 0;
    if (has !== (isConfirmed ? one.quantity : 0)) problems.push(`${one.id}, ${one.status}, holds ${has}`);
    if (orders.get(one.id) !== (one.orderId ?? undefined)) problems.push(`${one.id} and its order disagree`);
    if (isConfirmed !== (one.orderId !== null))
      problems.push(`${one.id} is ${one.status} with order ${one.orderId}`);
  }
  if (orders.size !== counts.confirmed)
    problems.push(`${orders.size} orders of ${counts.confirmed} confirmed purchases`);
  supply = held.left;
  return { ...counts, left: supply, problems };
}

/** What each purchase holds by the events of the sale: taken once, given back once at most. */
async function heldBy(
  reads: PurchaseParts['sales']['reads'],
  product: string,
  problems: string[],
): Promise<{ readonly takes: ReadonlyMap<string, number>; readonly left: number }> {
  const queries = createAggregateQueries(sale, { reads, onSnapshotFailed: () => undefined });
  const takes = new Map<string, number>();
  const seen = new Set<string>();
  let left = 0;
  for (let afterVersion = 0; ;) {
    const { events } = await queries.events(product, { afterVersion });
    for (const event of events) {
      afterVersion = event.version;
      if (event.name === 'Created') left += event.data.supply;
      if (event.name === 'Restocked') left += event.data.quantity;
      if (event.name !== 'Taken' && event.name !== 'Released') continue;
      const { data }: { readonly data: SaleEvents['Taken'] } = event;
      left += event.name === 'Taken' ? -takenBy(data.takes) : takenBy(data.takes);
      for (const { purchase, quantity } of data.takes) {
        if (seen.has(`${event.name} ${purchase}`)) problems.push(`${purchase} has ${event.name} twice`);
        seen.add(`${event.name} ${purchase}`);
        takes.set(purchase, (takes.get(purchase) ?? 0) + (event.name === 'Taken' ? quantity : -quantity));
      }
      if (left < 0) problems.push(`${-left} more are taken than there are, at version ${event.version}`);
    }
    if (events.length === 0) return { takes, left };
  }
}
