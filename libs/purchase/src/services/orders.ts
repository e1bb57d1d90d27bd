import { randomUUID } from 'node:crypto';
import { anyAggregate, createEventService } from '@imart/event-service';
import { SaleRefusedError } from '../errors';
import type { SaleChanges, Verdict } from '../ports';
import type { AskedPurchase } from '../purchase';
import { createAllotment } from '../sale/allotment';
import { readSale } from '../sale/readSale';
import { sale, type SaleEvents, type Take } from '../sale/sale';
import { byProduct } from './stockCheck';

/**
 * Takes what purchases want of their products, each product by one event that is conditional on the version that was decided on: however
 * many ask at once, one event says who has it. What another one has taken meanwhile is refused.
 */
export async function processOrders(
  asked: readonly AskedPurchase[],
  sales: SaleChanges,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const [productId, wanted] of byProduct(asked)) {
    const { version, state } = await readSale(sales.reads, productId);
    const allotment = createAllotment(state, sales.nowUs);
    for (const one of wanted) {
      const refused = allotment.take(one);
      const terms = refused === null ? (state?.terms ?? null) : null;
      verdicts.push({
        id: one.id,
        refused,
        price: terms?.price ?? null,
        currency: terms?.currency ?? null,
      });
    }
    if (allotment.takes.length > 0) await change(sales, productId, version, 'Taken', allotment.takes);
  }
  return verdicts;
}

/** Gives back what purchases had taken and did not come to an order. */
export async function releaseHeld(held: readonly AskedPurchase[], sales: SaleChanges): Promise<void> {
  for (const [productId, released] of byProduct(held)) {
    const { version } = await readSale(sales.reads, productId);
    const takes = released.map(({ id, wallet, quantity }) => ({ purchase: id, wallet, quantity }));
    await change(sales, productId, version, 'Released', takes);
  }
}

/** @throws {SaleRefusedError} `retry`: the transaction is to be undone. */
async function change(
  { commands }: SaleChanges,
  saleId: string,
  version: number,
  name: keyof SaleEvents,
  takes: readonly Take[],
): Promise<void> {
  const service = createEventService({
    stores: new Map([[sale.type, { definition: anyAggregate(sale), store: commands }]]),
    newId: randomUUID,
    random: Math.random,
    // Within the transaction it is known at the first attempt whether it can be.
    markAttemptsMax: 1,
  });
  const answer = await service.request({
    type: sale.type,
    id: saleId,
    name,
    data: { takes },
    expectedVersion: version,
    actor: 'purchases',
  });
  if (answer.kind === 'refused') throw new SaleRefusedError(saleId, name, answer.rule, answer.reason);
}
