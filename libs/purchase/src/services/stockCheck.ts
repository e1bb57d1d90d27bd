import type { AskedPurchase } from '../purchase';
import type { SaleReads, Verdict } from '../ports';
import { createAllotment } from '../sale/allotment';
import { replaySales } from '../sale/readSale';

/**
 * Says of each purchase whether its product has it now. Advisory: it reserves nothing, and spares the order service what cannot be had
 * anyway.
 */
export async function checkStock(
  asked: readonly AskedPurchase[],
  { sources, nowUs }: SaleReads,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const products = byProduct(asked);
  const sales = await replaySales(await sources([...products.keys()]));
  for (const [productId, wanted] of products) {
    const allotment = createAllotment(sales.get(productId)?.state ?? null, nowUs);
    for (const one of wanted) {
      verdicts.push({ id: one.id, refused: allotment.judge(one), price: null, currency: null });
    }
  }
  return verdicts;
}

/** Purchases of each product, in their order. */
export function byProduct(asked: readonly AskedPurchase[]): ReadonlyMap<string, readonly AskedPurchase[]> {
  const groups = new Map<string, AskedPurchase[]>();
  for (const one of asked) {
    const group = groups.get(one.productId);
    if (group === undefined) groups.set(one.productId, [one]);
    else group.push(one);
  }
  return groups;
}
