import { UNDECODABLE, WorkerError, type Event, type EventDataCodec, type UndecodableData } from '@imart/core';
import { added, flag, list, nullable, quantity, record, text, word, type RecordOf } from './eventSchema';
import type { TokenStandard } from './tokenStandards';

/** `listing`: the maker gives tokens for money. `offer`: the maker gives money for a token. */
export type TradeSide = 'listing' | 'offer';
export type OrderKind = 'fixed' | 'auction';

export type CurationOfferStatus = 'pending' | 'accepted' | 'rejected' | 'canceled';
/** `reserved`: canceled, and the token still in the gallery. */
export type ExhibitStatus = 'listing' | 'reserved' | 'sold' | 'frozen' | 'redeemed';

const item = {
  /** Contract or collection in canonical form. `null`: not known, though the token is. */
  collection: nullable(word()),
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
  /** Other open listings of the same maker under the same name stay open beside it. Absent: it takes their place. */
  alongside: added(flag),
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
  /** The part of `fees` that went to the creators. Absent: not known. */
  royalties: added(quantity),
  /** What is left of the order after this fill, where the chain tells. */
  remaining: added(quantity),
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
  /** Of what was left of the order. Absent: not said. */
  price: added(quantity),
  currency: added(word()),
};

const balance = {
  /** What the owner has after it, where the chain tells. Absent: what the events add up to. */
  balance: added(quantity),
  /** Absent: {@link STANDARD_OF_UNTOLD_BALANCE}. */
  standard: added(word<TokenStandard>()),
};

/** A token in the curation's terms; each `null` where the contract does not say. */
const exhibited = {
  collection: nullable(word()),
  tokenId: nullable(quantity),
  standard: nullable(word<TokenStandard>()),
};

const shares = list(record({ payee: word(), rate: quantity }));

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
  /** `from`: `null` where only its row may know whose it was. */
  TokenBurned: record({ from: nullable(word()), standard: word<TokenStandard>() }),
  /** Of a balance. `from` is the zero address when minted, `null` when it came from nobody's balance: out of a contract. */
  TokenReceived: record({ from: nullable(word()), quantity, ...balance }),
  /** Of a balance. `to` is the zero address when burned, `null` when it went to nobody's balance: into a contract. */
  TokenSent: record({ to: nullable(word()), quantity, ...balance }),
  /** What a token is called: its creator's words. Each `null`: unchanged, or not known. */
  TokenDescribed: record({
    standard: word<TokenStandard>(),
    creator: nullable(word()),
    collectionName: nullable(text),
    name: nullable(text),
    /** Which edition of what has several under one name. */
    edition: nullable(quantity),
    description: nullable(text),
    uri: nullable(text),
  }),
  /** A token was set aside for one receiver, who may claim it; several times adds up. */
  TokenOffered: record({ quantity, standard: word<TokenStandard>() }),
  /** All that was set aside went back. */
  TokenOfferCancelled: record({ quantity, standard: word<TokenStandard>() }),
  /** All that was set aside went to its receiver. */
  TokenClaimed: record({ quantity, standard: word<TokenStandard>() }),
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
  /** What a collection says of itself by now, where the chain tells it beside another event. */
  CollectionDescribed: record({
    standard: word<TokenStandard>(),
    creator: word(),
    name: text,
    description: text,
    uri: text,
    /** Most tokens it may have; `null`: no limit. */
    maximum: nullable(quantity),
  }),
  /** A curator's gallery was opened or changed. `null`: unchanged, or not known. */
  GalleryChanged: record({
    market: word(),
    /** The token that stands for the gallery. */
    ...exhibited,
    owner: nullable(word()),
    spaceType: nullable(text),
    name: nullable(text),
    metadataUri: nullable(text),
    /** The curator's shares of sales: payee and rate in the contract's own unit. */
    commissions: nullable(shares),
    commissionPool: nullable(word()),
    /** Collections that may be exhibited; empty: any. */
    admissions: nullable(list(word())),
  }),
  /** Somebody asks a token's owner to lend it to a gallery, or that was answered. */
  CurationOfferChanged: record({
    market: word(),
    status: word<CurationOfferStatus>(),
    ...exhibited,
    galleryId: nullable(quantity),
    /** Who asks. */
    from: nullable(word()),
    /** Whose token it is. */
    to: nullable(word()),
    price: nullable(quantity),
    currency: nullable(word()),
    startsAtUs: nullable(quantity),
    expiresAtUs: nullable(quantity),
    exhibitExpiresAtUs: nullable(quantity),
    url: nullable(text),
    detail: nullable(text),
  }),
  /** A token was put into a gallery, or what was there was sold, frozen, taken back. */
  ExhibitChanged: record({
    market: word(),
    status: word<ExhibitStatus>(),
    ...exhibited,
    galleryId: nullable(quantity),
    /** Whose token it is. */
    origin: nullable(word()),
    curator: nullable(word()),
    /** Who has it now: of a sold one its buyer. */
    owner: nullable(word()),
    price: nullable(quantity),
    currency: nullable(word()),
    expiresAtUs: nullable(quantity),
    location: nullable(text),
    url: nullable(text),
    detail: nullable(text),
  }),
  /** What a payee may claim of a gallery's sales became this; how much was added or claimed is not said. */
  CommissionChanged: record({
    market: word(),
    /** In the currency's smallest unit. */
    claimable: quantity,
    currency: nullable(word()),
  }),
  /** Tokens can be won until a block. Opened again under the same id, it is another lottery in the place of the first. */
  LotteryOpened: record({
    market: word(),
    organizer: word(),
    collection: word(),
    /** Number of the last block in which it is open. */
    endBlock: quantity,
  }),
  /** Who may claim what was published, as the root of a tree of hashes. */
  LotteryDrawn: record({ market: word(), merkleRoot: word() }),
  /** The organizer took back what nobody had claimed. */
  LotteryWithdrawn: record({ market: word(), organizer: nullable(word()) }),
  /** A token can be won; several times adds up. */
  PrizeOffered: record({ market: word(), organizer: word(), collection: word(), quantity }),
  /** One of the token went to a winner. */
  PrizeClaimed: record({ market: word(), claimer: word(), organizer: nullable(word()) }),
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
