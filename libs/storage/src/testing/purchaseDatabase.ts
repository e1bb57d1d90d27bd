import { randomUUID } from 'node:crypto';
import type { Pool, PoolConfig } from 'pg';
import { anyAggregate, createEventService, createEventWorker, type EventService } from '@imart/event-service';
import {
  createPurchaseService,
  createPurchaseServices,
  readSale,
  sale,
  type Purchase,
  type PurchaseId,
  type PurchaseService,
  type PurchaseServiceOptions,
  type PurchaseServices,
  type PurchaseServicesOptions,
  type SaleState,
} from '@imart/purchase';
import type { Logger } from '@imart/pipeline';
import { openPurchases, type OpenedPurchases, type OpenPurchasesOptions } from '../purchases';
import { createCommandDatabase } from './commandDatabase';
import type { TestServer } from './testDatabase';

const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Purchases as one process opens them. */
export interface PurchaseParts extends OpenedPurchases {
  readonly service: PurchaseService;
  readonly services: PurchaseServices;
  readonly commands: EventService;
  /** Creates a sale that is open, and appends it. */
  createSale(id: string, terms?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Appends every command of sales that waits. */
  appendSales(): Promise<void>;
  saleState(id: string): Promise<SaleState>;
  /** What is kept about a purchase. */
  read(id: PurchaseId): Promise<Purchase>;
}

export interface PurchasePartsOptions {
  readonly pool?: Pool;
  readonly open?: Partial<Omit<OpenPurchasesOptions, 'pool'>>;
  readonly service?: Partial<PurchaseServiceOptions>;
  readonly services?: Partial<PurchaseServicesOptions>;
}

/** A migrated database for the specs of one file. */
export interface PurchaseDatabase {
  readonly url: string;
  readonly pool: Pool;
  createPool(config?: PoolConfig): Pool;
  clear(): Promise<void>;
  open(options?: PurchasePartsOptions): Promise<PurchaseParts>;
  close(): Promise<void>;
}

export async function createPurchaseDatabase(server: TestServer): Promise<PurchaseDatabase> {
  const { database, pool, createPool, clear, close } = await createCommandDatabase(server);
  return {
    url: database.url,
    pool,
    createPool,
    clear,
    close,
    open: (options = {}) => openPurchaseParts(options.pool ?? pool, options),
  };
}

/** The parts of one process, on a pool. */
export async function openPurchaseParts(
  pool: Pool,
  options: PurchasePartsOptions = {},
): Promise<PurchaseParts> {
  const opened = await openPurchases({ pool, ...options.open });
  const { store, sales } = opened;
  const services = createPurchaseServices({
    store,
    logger: silentLogger,
    random: Math.random,
    pollMs: 20,
    ...options.services,
  });
  const definition = anyAggregate(sale);
  const commands = createEventService({
    stores: new Map([['sale', { definition, store: sales.store }]]),
    newId: randomUUID,
    random: Math.random,
  });
  const worker = createEventWorker({
    definition,
    store: sales.store,
    logger: silentLogger,
    random: Math.random,
    now: () => performance.now(),
    parkedAggregatesMax: 10,
  });
  const appendSales = (): Promise<void> => worker.drain(new AbortController().signal);
  const ask = async (id: string, name: string, data: unknown): Promise<void> => {
    const answer = await commands.request({ type: 'sale', id, name, data });
    if (answer.kind === 'refused') throw new Error(`${name} of ${id} is refused: ${answer.reason}`);
  };
  return {
    ...opened,
    services,
    commands,
    service: createPurchaseService({
      store,
      onReceived: () => services.wake('purchase.received'),
      ...options.service,
    }),
    async createSale(id, terms = {}) {
      const opensAt = '2020-01-01T00:00:00Z';
      const defaults = { name: id, supply: 100, walletLimit: null, price: '1.5', currency: 'APT' };
      await ask(id, 'Created', { ...defaults, opensAt, closesAt: null, ...terms });
      await ask(id, 'Approved', {});
      await appendSales();
    },
    appendSales,
    async saleState(id) {
      const { state } = await readSale(sales.reads, id);
      if (state === null) throw new Error(`sale ${id} is set aside`);
      return state;
    },
    async read(id) {
      const found = (await store.find([id])).get(id);
      if (found === undefined) throw new Error(`purchase ${id} is not known`);
      return found;
    },
  };
}
