import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { anyAggregate, createEventService } from '@imart/event-service';
import { sale, type SaleTerms } from '@imart/purchase';
import { silentLogger } from '@imart/runtime';
import { createPool, openPurchases } from '@imart/storage';

/** One that anybody can have much of, and one that is gone soon. */
const SALES: Readonly<Record<string, SaleTerms>> = {
  'sky-islands': {
    name: 'Sky Islands, first edition',
    supply: 500,
    walletLimit: null,
    price: '0.25',
    currency: 'ETH',
    opensAt: '2026-01-01T00:00:00Z',
    closesAt: null,
  },
  'lost-lighthouses': {
    name: 'Lost Lighthouses',
    supply: 12,
    walletLimit: 2,
    price: '1.5',
    currency: 'ETH',
    opensAt: '2026-01-01T00:00:00Z',
    closesAt: null,
  },
};

const UNDEFINED_TABLE = '42P01';
const LOOK_MS = 100;

/** Makes the sales that can be bought from at once, unless they are there. Waits for whoever makes the tables. */
export async function seedSales(connectionString: string, signal: AbortSignal): Promise<void> {
  const pool = createPool({ connectionString, max: 6, applicationName: 'imart-start', logger: silentLogger });
  try {
    const definition = anyAggregate(sale);
    for (;;) {
      signal.throwIfAborted();
      try {
        const { store } = (await openPurchases({ pool })).sales;
        const commands = createEventService({
          stores: new Map([[sale.type, { definition, store }]]),
          newId: randomUUID,
          random: Math.random,
        });
        for (const [id, terms] of Object.entries(SALES)) {
          await commands.request({ type: 'sale', id, name: 'Created', data: terms, expectedVersion: 0 });
          await commands.request({ type: 'sale', id, name: 'Approved', data: {}, expectedVersion: 1 });
        }
        return;
      } catch (error) {
        if ((error as { code?: unknown } | null)?.code !== UNDEFINED_TABLE) throw error;
        await delay(LOOK_MS, undefined, { signal });
      }
    }
  } finally {
    await pool.end();
  }
}
