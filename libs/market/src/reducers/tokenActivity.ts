import type { MarketEvent } from '../events';
import type { ActivityKind, MarketActivity } from '../rows';

/** An activity of a token outside any market: who gave how many to whom. */
export function tokenActivity(
  kind: ActivityKind,
  event: MarketEvent,
  token: { readonly collection: string; readonly tokenId: bigint },
  quantity: bigint,
  from: string | null,
  to: string | null,
): MarketActivity {
  return {
    event,
    item: 0,
    kind,
    market: null,
    contract: event.source.address,
    orderId: null,
    side: null,
    collection: token.collection,
    tokenId: token.tokenId,
    quantity,
    from,
    to,
    price: null,
    currency: null,
    fees: null,
    royalties: null,
    itemCount: 1,
  };
}
