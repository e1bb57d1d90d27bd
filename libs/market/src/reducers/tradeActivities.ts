import type { MarketEvent, TradeItem, TradeSide } from '../events';
import type { ActivityKind, MarketActivity, TradeRow } from '../rows';
import { goodsOf, sideOf, type TradeState } from './tradeRows';

/** What activities of one event have in common. */
export interface ActivityParts {
  readonly market: string;
  readonly side: TradeSide;
  readonly from: string | null;
  readonly to: string | null;
  readonly price: bigint | null;
  readonly currency: string | null;
  readonly fees?: bigint | null;
  readonly royalties?: bigint | null;
}

/** One activity for each item, or one without a token when no item is known. */
export function activitiesOf(
  kind: ActivityKind,
  state: TradeState,
  event: MarketEvent,
  items: readonly TradeItem[],
  parts: ActivityParts,
  firstItem = 0,
): MarketActivity[] {
  const one = (item: TradeItem | null, index: number): MarketActivity => ({
    event,
    item: firstItem + index,
    kind,
    market: parts.market,
    contract: state.contract,
    orderId: state.id,
    side: parts.side,
    collection: item?.collection ?? null,
    tokenId: item?.tokenId ?? null,
    quantity: item?.quantity ?? null,
    from: parts.from,
    to: parts.to,
    price: parts.price,
    currency: parts.currency,
    fees: parts.fees ?? null,
    royalties: parts.royalties ?? null,
    itemCount: Math.max(items.length, 1),
  });
  return items.length === 0 ? [one(null, 0)] : items.map(one);
}

/** That what a row is for is no longer listed, or no longer wanted. */
export function cancelActivities(
  state: TradeState,
  event: MarketEvent,
  row: TradeRow,
  firstItem = 0,
): MarketActivity[] {
  const side = sideOf(row);
  return activitiesOf(
    side === 'listing' ? 'CANCEL' : 'OFFER_CANCEL',
    state,
    event,
    goodsOf(row),
    { market: row.market, side, from: row.maker, to: null, price: row.price, currency: row.currency },
    firstItem,
  );
}
