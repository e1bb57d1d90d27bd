import { UNDECODABLE, WorkerError, type Event, type EventDataCodec, type UndecodableData } from '@imart/core';
import { flag, list, nullable, quantity, record, text, word, type RecordOf } from './eventSchema';

/** `listing`: the maker gives tokens for money. `offer`: the maker gives money for a token. */
export type TradeSide = 'listing' | 'offer';
/** `punk`: a token of a contract that has its own transfer events. */
export type TokenStandard = 'erc721' | 'erc1155' | 'punk' | 'aptos-v1' | 'aptos-v2';
export type OrderKind = 'fixed' | 'auction';

const item = {
  /** Contract or collection in canonical form. */
  collection: word(),
  /** `null`: any token of the collection (a collection offer). */
  tokenId: nullable(quantity),
  quantity: quantity,
  standard: word<TokenStandard>(),
};
/** What one order gives or wants. More than one item in an order is a bundle with one price. */
export type TradeItem = RecordOf<typeof item>;

const opened = {
  /** Name of the marketplace, e.g. `seaport-1.5`. */
  market: word(),
  /** `null` where only an aggregate of a known side can have this event. */
  side: word<TradeSide>(),
  kind: word<OrderKind>(),
  maker: word(),
  /** The only one who may take it; `null`: anybody. */
  taker: nullable(word()),
  items: list(record(item)),
  /** Of the whole order, in the currency's smallest unit. `null`: not announced (a reserve auction without price). */
  price: nullable(quantity),
  /** Contract of the currency; the zero address is the chain's native coin; `null`: not known. */
  currency: nullable(word()),
  startsAtUs: nullable(quantity),
  /** Microseconds since 1970; the order is valid before, not at, that moment. `null`: never expires. */
  expiresAtUs: nullable(quantity),
  /** The maker's counter or nonce that this order carries, where the market voids orders by it. */
  nonce: nullable(quantity),
  orderHash: nullable(word()),
  /** The market's contract holds the token while it is listed. */
  escrow: flag,
};

const filled = {
  market: word(),
  /** `null`: the log does not tell, and no earlier event is known to. */
  side: nullable(word<TradeSide>()),
  /** `null`: known from the order, or not at all. */
  seller: nullable(word()),
  buyer: nullable(word()),
  /** What changed hands in this fill; `null`: what the order says. An empty list: not known. */
  items: nullable(list(record(item))),
  /** Of this fill, fees included, in the currency's smallest unit. `null`: what the order says. */
  price: nullable(quantity),
  currency: nullable(word()),
  /** The part of the price that did not go to the seller. `null`: not known. */
  fees: nullable(quantity),
  /** `false` for the listing half of a matched trade: its order is filled, the offer half reports the sale. */
  isSale: flag,
  /** Whether the order is finished by this fill. `null`: when its quantity is used up. */
  closes: nullable(flag),
  nonce: nullable(quantity),
  orderHash: nullable(word()),
};

const cancelled = {
  market: word(),
  side: nullable(word<TradeSide>()),
  maker: nullable(word()),
  items: nullable(list(record(item))),
  /** Nothing happens, and no row is made, when no order is open. */
  onlyIfOpen: flag,
  /** Only an open order of this maker is cancelled. `null`: whoever made it. */
  onlyMaker: nullable(word()),
  nonce: nullable(quantity),
  orderHash: nullable(word()),
};

/** The data of every market event, by its name. The names are the stored format. */
const schemas = {
  OrderListed: record(opened),
  OrderPriceChanged: record({
    market: word(),
    /** Of the whole order. `null`: unchanged. */
    price: nullable(quantity),
    /** `null`: unchanged. */
    expiresAtUs: nullable(quantity),
  }),
  OrderFilled: record(filled),
  OrderCancelled: record(cancelled),
  OfferCreated: record(opened),
  OfferAccepted: record(filled),
  OfferCancelled: record(cancelled),
  /** All of a maker's open orders on one market are void. */
  MakerOrdersVoided: record({
    market: word(),
    maker: word(),
    /** Orders whose nonce is below are void. `null`: every order made before this event. */
    belowNonce: nullable(quantity),
    /** `null`: listings and offers. */
    side: nullable(word<TradeSide>()),
  }),
  TokenMinted: record({ to: word(), standard: word<TokenStandard>() }),
  TokenTransferred: record({ from: word(), to: word(), standard: word<TokenStandard>() }),
  TokenBurned: record({ from: word(), standard: word<TokenStandard>() }),
  /** Of an ERC-1155 balance. `from` is the zero address when minted. */
  TokenReceived: record({ from: word(), quantity }),
  /** Of an ERC-1155 balance. `to` is the zero address when burned. */
  TokenSent: record({ to: word(), quantity }),
  CollectionCreated: record({
    standard: word<TokenStandard>(),
    creator: word(),
    name: text,
    category: text,
    tags: list(text),
    description: text,
    uri: text,
    /** Shares of sales: payee and rate in the contract's own unit. */
    royalties: list(record({ payee: word(), rate: quantity })),
    /** Most tokens it may ever have; `null`: no limit. */
    maximum: nullable(quantity),
    /** Hex of the name's original bytes where they are no valid text and the name had to be mended (D1). */
    nameBytes: nullable(word()),
  }),
} as const;

export type MarketEventName = keyof typeof schemas;
export type MarketEventData = {
  [Name in MarketEventName]: (typeof schemas)[Name] extends { read(json: unknown): infer T } ? T : never;
};
/** A market event of one name; without argument, any market event. */
export type MarketEvent<Name extends MarketEventName = MarketEventName> = {
  [N in Name]: Event<N, MarketEventData[N]>;
}[Name];

export type OrderOpened = MarketEventData['OrderListed'];
export type OrderFilled = MarketEventData['OrderFilled'];
export type OrderCancelled = MarketEventData['OrderCancelled'];

const undecodable = record({ reason: text, raw: text });

/** Writes and reads the data of market events and of `Undecodable`. */
export const marketEventCodec: EventDataCodec = {
  encode(name, data) {
    if (name === UNDECODABLE) return undecodable.write(data as UndecodableData);
    const schema = schemas[name as MarketEventName];
    if (schema === undefined) throw unknownEvent(name);
    return (schema as { write(value: unknown): string }).write(data);
  },
  decode(name, stored) {
    const schema = name === UNDECODABLE ? undecodable : schemas[name as MarketEventName];
    if (schema === undefined) throw unknownEvent(name);
    return schema.read(parse(name, stored));
  },
};

function parse(name: string, stored: string): unknown {
  try {
    return JSON.parse(stored);
  } catch (cause) {
    throw new WorkerError(`the stored data of an event ${name} is not JSON: ${stored.slice(0, 80)}`, {
      code: 'EVENT_DATA',
      disposition: 'park',
      cause,
    });
  }
}

function unknownEvent(name: string): WorkerError {
  return new WorkerError(`unknown event "${name}": this version of the worker has no schema for it`, {
    code: 'UNKNOWN_EVENT',
    disposition: 'park',
    fields: { name },
  });
}
