import { randomUUID } from 'node:crypto';
import type { EventId } from '@imart/core';
import { anyAggregate, createCommandCodec, decide, type Marked } from '@imart/event-service';
import { SaleRefusedError } from '../errors';
import type { SaleChange, SaleChanges, Verdict } from '../ports';
import type { AskedPurchase, PurchaseId } from '../purchase';
import { createAllotment } from '../sale/allotment';
import { replaySales, type SaleReading } from '../sale/readSale';
import { sale, type SaleEvents, type Take } from '../sale/sale';
import { byProduct } from './stockCheck';

const definition = anyAggregate(sale);
const codec = createCommandCodec(definition);

/**
 * Takes what purchases want of their products, each product by one event that is conditional on the version that was decided on: however
 * many ask at once, one event says who has it. What another one has taken meanwhile is refused.
 */
export async function processOrders(
  asked: readonly AskedPurchase[],
  { sources, nowUs, append }: SaleChanges,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const changes: SaleChange[] = [];
  const products = byProduct(asked);
  const sales = await replaySales(await sources([...products.keys()]));
  for (const [productId, wanted] of products) {
    const reading = sales.get(productId);
    const allotment = createAllotment(reading?.state ?? null, nowUs);
    for (const one of wanted) {
      const refused = allotment.take(one);
      const terms = refused === null ? (reading?.state?.terms ?? null) : null;
      verdicts.push({
        id: one.id,
        refused,
        price: terms?.price ?? null,
        currency: terms?.currency ?? null,
      });
    }
    if (allotment.takes.length > 0) changes.push(changeOf(productId, reading, 'Taken', allotment.takes));
  }
  await append(changes);
  return verdicts;
}

/**
 * Gives back what purchases had taken and did not come to an order.
 * @returns those whose sale was set aside after a failure: they hold what they have until it is released
 */
export async function releaseHeld(
  held: readonly AskedPurchase[],
  { sources, append }: SaleChanges,
): Promise<readonly PurchaseId[]> {
  const products = byProduct(held);
  const sales = await replaySales(await sources([...products.keys()]));
  const changes: SaleChange[] = [];
  const kept: PurchaseId[] = [];
  for (const [productId, released] of products) {
    const reading = sales.get(productId);
    if (reading === undefined || reading.state === null) {
      kept.push(...released.map(({ id }) => id));
      continue;
    }
    const takes = released.map(({ id, wallet, quantity }) => ({ purchase: id, wallet, quantity }));
    changes.push(changeOf(productId, reading, 'Released', takes));
  }
  await append(changes);
  return kept;
}

/**
 * The next event of a sale, as its own rules allow it.
 * @throws {SaleRefusedError} `retry`: the transaction is to be undone.
 */
function changeOf(
  saleId: string,
  reading: SaleReading | undefined,
  name: keyof SaleEvents,
  takes: readonly Take[],
): SaleChange {
  const { version = 0, state = null } = reading ?? {};
  if (state === null) throw new SaleRefusedError(saleId, name, 'readable', 'it was set aside');
  const { stage, supply, minted } = state;
  // What stands after the latest event is all that the rules look at.
  const latest = {
    name: 'Approved',
    data: { after: { stage, supply, minted } },
    version,
  } as unknown as Marked;
  const decision = decide(definition, { name, data: { takes } }, latest, version);
  if (decision.kind === 'refused') throw new SaleRefusedError(saleId, name, decision.rule, decision.reason);
  const eventId = randomUUID() as EventId;
  const data = codec.encode(name, {
    version: version + 1,
    schemaVersion: 1,
    correlationId: eventId,
    causationId: null,
    payload: decision.data,
  });
  return { saleId, event: { eventId, version: version + 1, name, data } };
}
