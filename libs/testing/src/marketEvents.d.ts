import { type SubjectId } from '@imart/core';
import { type MarketEvent, type MarketEventData, type MarketEventName, type TradeItem } from '@imart/market';
export declare const SUBJECT: SubjectId;
/** A short name of an account or contract as an address: the same name, the same address. */
export declare function address(name: string): string;
export declare const MARKET: string;
export declare const COLLECTION: string;
export declare const MULTIPLE: string;
export declare const ALICE: string, BOB: string, CAROL: string, DAVE: string;
export declare const NATIVE: string;
export declare const art: (tokenId?: bigint) => TradeItem;
export declare const multi: (tokenId: bigint, quantity: bigint) => TradeItem;
type Changes<Name extends MarketEventName> = Partial<MarketEventData[Name]>;
/** Writes market events, each at the place after the one before; what is not said is as plain as can be. */
export interface MarketScript {
  readonly events: readonly MarketEvent[];
  /** The next event comes in a later block. */
  nextBlock(blocks?: bigint): MarketScript;
  event<Name extends MarketEventName>(
    type: string,
    id: string,
    name: Name,
    data: MarketEventData[Name],
  ): MarketScript;
  listed(id: string, changes?: Changes<'OrderListed'>): MarketScript;
  priceChanged(id: string, changes?: Changes<'OrderPriceChanged'>): MarketScript;
  filled(id: string, changes?: Changes<'OrderFilled'>): MarketScript;
  cancelled(id: string, changes?: Changes<'OrderCancelled'>): MarketScript;
  offered(id: string, changes?: Changes<'OfferCreated'>): MarketScript;
  accepted(id: string, changes?: Changes<'OfferAccepted'>): MarketScript;
  offerCancelled(id: string, changes?: Changes<'OfferCancelled'>): MarketScript;
  voided(maker: string, changes?: Changes<'MakerOrdersVoided'>): MarketScript;
  minted(to: string, tokenId?: bigint): MarketScript;
  transferred(from: string, to: string, tokenId?: bigint): MarketScript;
  burned(from: string, tokenId?: bigint): MarketScript;
  received(owner: string, from: string, tokenId: bigint, quantity: bigint): MarketScript;
  sent(owner: string, to: string, tokenId: bigint, quantity: bigint): MarketScript;
}
export declare function createMarketScript(): MarketScript;
export {};
