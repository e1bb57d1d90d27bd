import {
  anyAggregate,
  createEventWorker,
  createSnapshotter,
  createSubscription,
  SNAPSHOT_SUBSCRIPTION,
  type AggregateReads,
  type CommandStore,
  type EventWorkerStats,
  type SubscriptionStore,
} from '@imart/event-service';
import { sale } from './sale/sale';
import {
  createPurchaseServices,
  PURCHASE_SERVICES,
  type PurchaseServices,
  type PurchaseServicesOptions,
} from './services/purchaseServices';

/**
 * How often commands of sales are appended, and what purchases have taken is folded. No purchase waits for it: the order service appends
 * what waits before it looks, and what it takes itself.
 */
const SALES_POLL_MS = 100;

export interface PurchaseWorkerOptions extends PurchaseServicesOptions {
  readonly sales: { readonly store: CommandStore; readonly reads: AggregateReads };
  /** Cursor of whoever makes the sales' snapshots. */
  readonly snapshots: SubscriptionStore;
  /** Unique to this process. */
  readonly holder: string;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  /** More sales that were set aside than this stop the worker. @defaultValue `100` */
  readonly parkedSalesMax?: number;
}

/** Services of purchases, and beside the order service the worker of sales: it appends commands, folds, and makes snapshots. */
export interface PurchaseWorker {
  readonly services: PurchaseServices;
  /** `null`: the order service does not run here. */
  readonly sales: EventWorkerStats | null;
  /** A command of a sale was accepted in this process: look at once. */
  wakeSales(): void;
  /** Until the signal aborts; what runs is finished. @throws what is of disposition `stop`. */
  run(signal: AbortSignal): Promise<void>;
}

export function createPurchaseWorker(options: PurchaseWorkerOptions): PurchaseWorker {
  const { services: names = PURCHASE_SERVICES, sales, snapshots, holder, logger, random, now } = options;
  const definition = anyAggregate(sale);
  const hasSales = names.includes('order');
  const subscription = createSubscription({
    topic: { name: sales.store.subject.subjectId, feed: sales.store.subject },
    name: SNAPSHOT_SUBSCRIPTION,
    store: snapshots,
    deliver: createSnapshotter(definition, sales.reads),
    logger,
    random,
    holder,
    pollMs: SALES_POLL_MS,
  });
  const worker = createEventWorker({
    definition,
    store: sales.store,
    logger,
    random,
    now,
    parkedAggregatesMax: options.parkedSalesMax ?? 100,
    pollMs: SALES_POLL_MS,
    onExecuted: () => subscription.wake(),
  });
  const services = createPurchaseServices(options);

  return {
    services,
    sales: hasSales ? worker.stats : null,
    wakeSales: () => worker.wake(),
    async run(signal) {
      const failed = new AbortController();
      const stop = AbortSignal.any([signal, failed.signal]);
      const running = [services.run(stop), ...(hasSales ? [worker.run(stop), subscription.run(stop)] : [])];
      await Promise.all(running.map((one) => one.catch((error: unknown) => failed.abort(error))));
      if (failed.signal.aborted) throw failed.signal.reason;
    },
  };
}
