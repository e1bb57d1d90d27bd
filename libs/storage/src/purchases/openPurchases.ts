import type { Pool } from 'pg';
import { anyAggregate, SNAPSHOT_SUBSCRIPTION, type SubscriptionStore } from '@imart/event-service';
import { sale, type PurchaseStore, type SaleShelf, type Topic } from '@imart/purchase';
import {
  COMMAND_LANES_DEFAULT,
  commandsOf,
  openCommandContext,
  type OpenedCommands,
} from '../commands/openCommands';
import { openSubscription } from '../commands/subscriptions';
import { translated } from '../commands/session';
import { createAnnouncer } from './announce';
import type { PurchaseContext } from './context';
import { createIntakeSide } from './intake';
import { listenToTopics } from './listen';
import { createSaleShelf } from './saleShelf';
import { createSalesSide } from './sales';
import { createStepSide } from './steps';

/** @defaultValue for `resultMs`: a day */
export const PURCHASE_RESULT_MS_DEFAULT = 86_400_000;
/** @defaultValue for `keptMs`: 30 days */
export const PURCHASE_KEPT_MS_DEFAULT = 2_592_000_000;

export interface OpenPurchasesOptions {
  /** Of this process. Each service that runs holds one connection at most; hearing of new messages takes one more. */
  readonly pool: Pool;
  /** How long a result is told, from its end on. @defaultValue {@link PURCHASE_RESULT_MS_DEFAULT} */
  readonly resultMs?: number;
  /** For how long after that it is known that there was one. @defaultValue {@link PURCHASE_KEPT_MS_DEFAULT} */
  readonly keptMs?: number;
  /** Lanes that fold sales. Stored: another number is refused later. @defaultValue {@link COMMAND_LANES_DEFAULT} */
  readonly lanes?: number;
}

/** Purchases in Postgres, and the sales that they are of. */
export interface OpenedPurchases {
  readonly store: PurchaseStore;
  readonly sales: OpenedCommands;
  readonly shelf: SaleShelf;
  /** Cursor of whoever makes the sales' snapshots. */
  readonly snapshots: SubscriptionStore;
}

/**
 * Opens purchases, and registers the subject of sales or finds it again.
 * @throws as `openCommands`
 */
export async function openPurchases(options: OpenPurchasesOptions): Promise<OpenedPurchases> {
  const { pool, lanes = COMMAND_LANES_DEFAULT } = options;
  const definition = anyAggregate(sale);
  const sales = await openCommandContext({ pool, definition, lanes });
  const context: PurchaseContext = {
    pool,
    sales,
    resultMs: options.resultMs ?? PURCHASE_RESULT_MS_DEFAULT,
    keptMs: options.keptMs ?? PURCHASE_KEPT_MS_DEFAULT,
  };
  const opened = commandsOf(sales, definition);
  return {
    sales: opened,
    shelf: createSaleShelf(pool, opened),
    snapshots: await openSubscription({
      pool,
      subject: sales.log.subject,
      name: SNAPSHOT_SUBSCRIPTION,
      from: 'beginning',
    }),
    store: {
      ...createIntakeSide(context),
      ...createStepSide(context),
      ...createSalesSide(context),
      announce: createAnnouncer(pool),
      listen: (onSaid, signal) => listenToTopics(pool, onSaid, signal),
      backlog: () =>
        translated(async () => {
          const { rows } = await pool.query(
            `SELECT coalesce((SELECT json_object_agg(topic, waiting) FROM
                 (SELECT topic, count(*) AS waiting FROM purchase_messages GROUP BY topic) t), '{}') AS topics,
               count(*)::int AS pending,
               coalesce(extract(epoch FROM clock_timestamp() - min(received_at)) * 1000, 0)::float8 AS oldest_ms
             FROM purchases WHERE status = 'pending'`,
          );
          const row = rows[0] as { topics: Record<string, number>; pending: number; oldest_ms: number };
          return {
            waiting: new Map(Object.entries(row.topics) as [Topic, number][]),
            pending: row.pending,
            oldestPendingMs: row.oldest_ms,
          };
        }),
    },
  };
}
