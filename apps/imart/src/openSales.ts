import { randomUUID } from 'node:crypto';
import { anyAggregate, createEventService, createEventWorker, type EventService } from '@imart/event-service';
import { sale } from '@imart/purchase';
import { silentLogger } from '@imart/runtime';
import { openPurchases, type DatabasePool, type OpenedPurchases } from '@imart/storage';

/** Sales and purchases as commands of the command line work on them. */
export interface OpenedSales extends OpenedPurchases {
  readonly commands: EventService;
  /** Appends what was accepted, whether or not a worker runs. */
  append(): Promise<void>;
}

export async function openSales(pool: DatabasePool): Promise<OpenedSales> {
  const opened = await openPurchases({ pool });
  const { store } = opened.sales;
  const definition = anyAggregate(sale);
  const worker = createEventWorker({
    definition,
    store,
    logger: silentLogger,
    random: Math.random,
    now: () => performance.now(),
    parkedAggregatesMax: 100,
  });
  return {
    ...opened,
    commands: createEventService({
      stores: new Map([[sale.type, { definition, store }]]),
      newId: randomUUID,
      random: Math.random,
    }),
    append: () => worker.drain(new AbortController().signal),
  };
}
