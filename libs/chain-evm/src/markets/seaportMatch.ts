import type { TradeItem } from '@imart/market';
import type { SeaportPart, SeaportSides, SeaportTrade } from './seaportTrade';

/** Who gave the tokens to a matched offer, and what their orders pay out. */
export interface MatchedGivers {
  /** `null`: several, or not to be found. */
  readonly seller: string | null;
  readonly payments: readonly SeaportPart[];
}

/** A filled order with a token in it, and what the orders matched with it make of it. */
export interface Fulfilment<Event extends SeaportSides = SeaportSides> {
  readonly event: Event;
  readonly trade: SeaportTrade;
  /** Matched already: the same order can be matched again in the same transaction. */
  matched: boolean;
  /** Of a matched offer; else `null`. */
  givers: MatchedGivers | null;
  /** The bidders whose offers took this order's tokens: those offers report the sale, not this order. */
  readonly takers: Set<string>;
}

export function fulfilmentOf<Event extends SeaportSides>(
  event: Event,
  trade: SeaportTrade,
): Fulfilment<Event> {
  return { event, trade, matched: false, givers: null, takers: new Set() };
}

const sameToken = (a: TradeItem, b: TradeItem): boolean =>
  a.collection === b.collection && a.tokenId === b.tokenId;

/**
 * Pairs the offers of one match with the orders that gave them their tokens. Both are orders of their own, filled by one
 * sale: the offer reports it, with its price, and the one that gave the token does not.
 */
export function matchTrades(group: readonly Fulfilment[]): void {
  const fresh = group.filter((one) => !one.matched);
  const used = new Set<TradeItem>();

  /** The first orders whose tokens, not taken yet, make up what is wanted of one token. */
  function take(wanted: TradeItem): Fulfilment[] {
    const found: Fulfilment[] = [];
    let missing = wanted.quantity;
    for (const giver of fresh) {
      for (const item of giver.trade.given) {
        if (missing <= 0n) return found;
        if (used.has(item) || !sameToken(item, wanted)) continue;
        used.add(item);
        found.push(giver);
        missing -= item.quantity;
      }
    }
    return found;
  }

  for (const offer of fresh) {
    offer.matched = true;
    if (offer.trade.kind !== 'offer') continue;
    const givers = new Set(offer.trade.wanted.flatMap(take));
    for (const giver of givers) giver.takers.add(offer.event.offerer);
    const sellers = new Set([...givers].map(({ event }) => event.offerer));
    const [seller = null] = sellers;
    offer.givers = {
      seller: sellers.size === 1 ? seller : null,
      payments: [...givers].flatMap(({ trade }) => trade.payments),
    };
  }
}
