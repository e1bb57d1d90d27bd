import fc from 'fast-check';
import { UNDECODABLE, WorkerError } from '@imart/core';
import { marketEventCodec, type MarketEventData, type MarketEventName } from './index';

const uint256 = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });
const hex = fc.stringMatching(/^0x[0-9a-f]{40}$/);
const word = fc.stringMatching(/^[a-z0-9.-]{1,12}$/);
// Text of a chain may be anything: quotes, control characters, lone surrogates, NUL.
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\u0000', '"\\', '\ud800', '\u2028'));
const standard = fc.constantFrom(
  'erc721' as const,
  'erc1155' as const,
  'punk' as const,
  'aptos-v1' as const,
  'aptos-v2' as const,
);
const side = fc.constantFrom('listing' as const, 'offer' as const);
/** A field that may be absent. */
const later = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null });
const item = fc.record({ collection: hex, tokenId: maybe(uint256), quantity: uint256, standard });

const opened: fc.Arbitrary<MarketEventData['OrderListed']> = fc.record({
  market: word,
  side,
  kind: fc.constantFrom('fixed' as const, 'auction' as const),
  maker: hex,
  taker: maybe(hex),
  items: fc.array(item, { maxLength: 3 }),
  price: maybe(uint256),
  currency: maybe(hex),
  startsAtUs: maybe(uint256),
  expiresAtUs: maybe(uint256),
  nonce: maybe(uint256),
  orderHash: maybe(hex),
  escrow: fc.boolean(),
  alongside: later(fc.boolean()),
});
const filled: fc.Arbitrary<MarketEventData['OrderFilled']> = fc.record({
  market: word,
  side: maybe(side),
  seller: maybe(hex),
  buyer: maybe(hex),
  items: maybe(fc.array(item, { maxLength: 3 })),
  price: maybe(uint256),
  currency: maybe(hex),
  fees: maybe(uint256),
  isSale: fc.boolean(),
  closes: maybe(fc.boolean()),
  nonce: maybe(uint256),
  orderHash: maybe(hex),
  royalties: later(uint256),
  remaining: later(uint256),
});
const cancelled: fc.Arbitrary<MarketEventData['OrderCancelled']> = fc.record({
  market: word,
  side: maybe(side),
  maker: maybe(hex),
  items: maybe(fc.array(item, { maxLength: 3 })),
  onlyIfOpen: fc.boolean(),
  onlyMaker: maybe(hex),
  nonce: maybe(uint256),
  orderHash: maybe(hex),
  price: later(uint256),
  currency: later(hex),
});
const moved = { quantity: uint256, balance: later(uint256), standard: later(standard) };
const exhibited = { collection: maybe(hex), tokenId: maybe(uint256), standard: maybe(standard) };
const shares = fc.array(fc.record({ payee: hex, rate: uint256 }), { maxLength: 3 });

/** One for each name: a new event name without one does not compile. */
const dataOf: { readonly [Name in MarketEventName]: fc.Arbitrary<MarketEventData[Name]> } = {
  OrderListed: opened,
  OrderPriceChanged: fc.record({ market: word, price: maybe(uint256), expiresAtUs: maybe(uint256) }),
  OrderFilled: filled,
  OrderCancelled: cancelled,
  OfferCreated: opened,
  OfferAccepted: filled,
  OfferCancelled: cancelled,
  MakerOrdersVoided: fc.record({ market: word, maker: hex, belowNonce: maybe(uint256), side: maybe(side) }),
  TokenMinted: fc.record({ to: hex, standard }),
  TokenTransferred: fc.record({ from: hex, to: hex, standard }),
  TokenBurned: fc.record({ from: maybe(hex), standard }),
  TokenReceived: fc.record({ from: maybe(hex), ...moved }),
  TokenSent: fc.record({ to: maybe(hex), ...moved }),
  TokenDescribed: fc.record({
    standard,
    creator: maybe(hex),
    collectionName: maybe(anyText),
    name: maybe(anyText),
    edition: maybe(uint256),
    description: maybe(anyText),
    uri: maybe(anyText),
  }),
  TokenOffered: fc.record({ quantity: uint256, standard }),
  TokenOfferCancelled: fc.record({ quantity: uint256, standard }),
  TokenClaimed: fc.record({ quantity: uint256, standard }),
  CollectionCreated: fc.record({
    standard,
    creator: hex,
    name: anyText,
    category: anyText,
    tags: fc.array(anyText, { maxLength: 3 }),
    description: anyText,
    uri: anyText,
    royalties: shares,
    maximum: maybe(uint256),
    nameBytes: maybe(hex),
  }),
  CollectionDescribed: fc.record({
    standard,
    creator: hex,
    name: anyText,
    description: anyText,
    uri: anyText,
    maximum: maybe(uint256),
  }),
  GalleryChanged: fc.record({
    market: word,
    ...exhibited,
    owner: maybe(hex),
    spaceType: maybe(anyText),
    name: maybe(anyText),
    metadataUri: maybe(anyText),
    commissions: maybe(shares),
    commissionPool: maybe(hex),
    admissions: maybe(fc.array(hex, { maxLength: 3 })),
  }),
  CurationOfferChanged: fc.record({
    market: word,
    status: fc.constantFrom(
      'pending' as const,
      'accepted' as const,
      'rejected' as const,
      'canceled' as const,
    ),
    ...exhibited,
    galleryId: maybe(uint256),
    from: maybe(hex),
    to: maybe(hex),
    price: maybe(uint256),
    currency: maybe(hex),
    startsAtUs: maybe(uint256),
    expiresAtUs: maybe(uint256),
    exhibitExpiresAtUs: maybe(uint256),
    url: maybe(anyText),
    detail: maybe(anyText),
  }),
  ExhibitChanged: fc.record({
    market: word,
    status: fc.constantFrom(
      'listing' as const,
      'reserved' as const,
      'sold' as const,
      'frozen' as const,
      'redeemed' as const,
    ),
    ...exhibited,
    galleryId: maybe(uint256),
    origin: maybe(hex),
    curator: maybe(hex),
    owner: maybe(hex),
    price: maybe(uint256),
    currency: maybe(hex),
    expiresAtUs: maybe(uint256),
    location: maybe(anyText),
    url: maybe(anyText),
    detail: maybe(anyText),
  }),
  CommissionChanged: fc.record({ market: word, claimable: uint256, currency: maybe(hex) }),
  LotteryOpened: fc.record({ market: word, organizer: hex, collection: hex, endBlock: uint256 }),
  LotteryDrawn: fc.record({ market: word, merkleRoot: hex }),
  LotteryWithdrawn: fc.record({ market: word, organizer: maybe(hex) }),
  PrizeOffered: fc.record({ market: word, organizer: hex, collection: hex, quantity: uint256 }),
  PrizeClaimed: fc.record({ market: word, claimer: hex, organizer: maybe(hex) }),
};

/** The same data with its fields in another order. */
const turned = <T extends object>(data: T): T => Object.fromEntries(Object.entries(data).reverse()) as T;

describe.each(Object.entries(dataOf))('the stored data of %s', (name, data) => {
  it('is read back as it was written (D2, D4), and equal data is equal text', () => {
    fc.assert(
      fc.property(data as fc.Arbitrary<object>, (value) => {
        const text = marketEventCodec.encode(name, value);
        expect(marketEventCodec.decode(name, text)).toEqual(value);
        expect(marketEventCodec.encode(name, turned(value))).toBe(text);
        expect(marketEventCodec.encode(name, marketEventCodec.decode(name, text))).toBe(text);
      }),
    );
  });
});

describe('the codec of market events', () => {
  it('keeps what could not be decoded, with its raw record', () => {
    const value = { reason: 'truncated "data"', raw: '{"data":"0x00\u0000"}' };
    expect(marketEventCodec.decode(UNDECODABLE, marketEventCodec.encode(UNDECODABLE, value))).toEqual(value);
  });

  it('keeps its stored form', () => {
    expect(marketEventCodec.encode('TokenReceived', { from: '0xab', quantity: 2n ** 256n - 1n })).toBe(
      '["0xab","115792089237316195423570985008687907853269984665640564039457584007913129639935"]',
    );
  });

  it('writes nothing for added fields at the end that are absent: the text of what was stored before stays', () => {
    const cancelled = {
      market: 'm',
      side: null,
      maker: null,
      items: null,
      onlyIfOpen: false,
      onlyMaker: null,
      nonce: null,
      orderHash: null,
    };
    const before = '["m",null,null,null,0,null,null,null]';
    expect(marketEventCodec.encode('OrderCancelled', cancelled)).toBe(before);
    expect(marketEventCodec.decode('OrderCancelled', before)).toStrictEqual(cancelled);
    const currency = { ...cancelled, currency: '0xab' };
    expect(marketEventCodec.encode('OrderCancelled', currency)).toBe(
      '["m",null,null,null,0,null,null,null,null,"0xab"]',
    );
    expect(
      marketEventCodec.decode('OrderCancelled', marketEventCodec.encode('OrderCancelled', currency)),
    ).toStrictEqual(currency);
  });

  it('reads a field that an older record lacks as null', () => {
    expect(marketEventCodec.decode('OrderPriceChanged', '["m","5"]')).toEqual({
      market: 'm',
      price: 5n,
      expiresAtUs: null,
    });
  });

  it.each([
    ['NoSuchEvent', '[]'],
    ['TokenReceived', '{}'],
    ['TokenReceived', '["0xab",5]'],
    ['TokenReceived', '["0xab","5e3"]'],
    ['TokenReceived', '["0xab"]'],
    ['TokenMinted', '[1,"erc721"]'],
    ['OrderFilled', '["m",null,null,null,{}]'],
  ])('parks an event of name %s with the data %s', (name, text) => {
    const failure = ((): unknown => {
      try {
        return marketEventCodec.decode(name, text);
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(WorkerError);
    expect(failure).toMatchObject({ disposition: 'park' });
  });

  it('refuses to write an event that it does not know', () => {
    expect(() => marketEventCodec.encode('NoSuchEvent', {})).toThrow('unknown event "NoSuchEvent"');
  });
});
