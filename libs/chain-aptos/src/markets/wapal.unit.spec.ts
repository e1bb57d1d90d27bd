import { type MarketActivity, type TradeRow } from '@imart/market';
import { canonicalAddress, ZERO_ADDRESS } from '../address';
import { AptosDecodeError } from '../errors';
import { readProtoJsonTransaction } from '../read/protoJsonTransaction';
import { expectSameInAnyBatching } from '../testing/anyBatching.spec';
import { describeAptosRecordings, readRecordedJson } from '../testing/recordings.spec';
import { foldEvents, transactionWith, translateTransactions, written } from '../testing/translation';
import type { AptosEvent, AptosTransaction } from '../transaction';
import { MAINNET } from './marketplace';
import { objectOf, splitV1TokenId } from './tokenIds';
import { wapal } from './wapal';

const PACKAGE = wapal.packageOn(MAINNET) as string;
const market = wapal.at(PACKAGE);
const FOLDER = 'marketplaces/wapal';

type Cells = Readonly<Record<string, unknown>>;
const transactionOf = (file: string): AptosTransaction =>
  readProtoJsonTransaction(readRecordedJson(`${FOLDER}/transactions/${file}`));
const expected = (name: string, table: string): readonly Cells[] =>
  readRecordedJson(`${FOLDER}/expected/${name}/${table}.json`) as readonly Cells[];

const idOf = (tokenId: bigint | null): string | null =>
  tokenId === null ? null : splitV1TokenId(tokenId).tokenDataId;
const padded = (address: unknown): string | null =>
  address === null ? null : canonicalAddress(address as string);
const timeUs = (text: unknown): bigint | null =>
  text === null ? null : BigInt(Date.parse(`${(text as string).slice(0, 19)}Z`)) * 1_000n;

/** A current row in their words, of one of ours. */
const shared = (row: TradeRow) => ({
  collection_id: row.collection,
  is_deleted: row.status !== 'LISTING' && row.status !== 'CREATED',
  marketplace: row.market,
  price: row.price === null || row.quantity === null ? null : row.price / row.quantity,
});

const EVENT_TYPES: Readonly<Record<string, string>> = {
  place_listing: 'LIST',
  cancel_listing: 'CANCEL',
  fill_listing: 'SALE',
  place_token_offer: 'OFFER',
  cancel_token_offer: 'OFFER_CANCEL',
  fill_token_offer: 'SALE',
  place_collection_offer: 'OFFER',
  cancel_collection_offer: 'OFFER_CANCEL',
  fill_collection_offer: 'SALE',
};

/** An activity in their words. Of a sale both parties, else the one who acts. */
function theirActivity(activity: MarketActivity) {
  const isOffer = activity.side === 'offer';
  const isSale = activity.kind === 'SALE';
  return {
    txn_version: Number(activity.event.source.position),
    index: activity.event.source.index,
    kind: activity.kind,
    collection_id: activity.collection,
    token_data_id: idOf(activity.tokenId),
    price: Number((activity.price ?? 0n) / (activity.quantity ?? 1n)),
    buyer: isSale ? activity.to : isOffer ? activity.from : null,
    seller: isSale || !isOffer ? activity.from : null,
    contract: activity.contract,
    id: activity.orderId,
  };
}

describeAptosRecordings('Wapal, over the recorded cases', () => {
  const cases = readRecordedJson(`${FOLDER}/cases.json`) as readonly {
    case: string;
    batches: readonly (readonly string[])[];
  }[];

  it.each(cases.map((one) => [one.case, one.batches] as const))('gives the rows of %s', (name, batches) => {
    const translated = batches.map((files) => translateTransactions([market], files.map(transactionOf)));
    const { rows, activities } = foldEvents(...translated);
    const trades = rows as readonly TradeRow[];

    const theirOffers = expected(name, 'current_nft_marketplace_token_offers');
    const theirCollectionOffers = expected(name, 'current_nft_marketplace_collection_offers');
    const theirListings = expected(name, 'current_nft_marketplace_listings');
    expect(trades).toHaveLength(theirOffers.length + theirCollectionOffers.length + theirListings.length);

    for (const theirs of theirListings) {
      const row = trades.find(({ id }) => id === padded(theirs['listing_id'])) as TradeRow;
      expect({ ...shared(row), token: idOf(row.tokenId), seller: row.maker }).toEqual({
        collection_id: theirs['collection_id'],
        is_deleted: theirs['is_deleted'],
        marketplace: 'wapal',
        price: BigInt(theirs['price'] as number),
        // Difference 1: theirs lacks leading zeros, ours is canonical.
        token: padded(theirs['token_data_id']),
        seller: theirs['seller'],
      });
    }
    for (const theirs of theirOffers) {
      const row = trades.find(({ id }) => id === padded(theirs['offer_id'])) as TradeRow;
      expect({ ...shared(row), token: idOf(row.tokenId), buyer: row.maker }).toEqual({
        collection_id: theirs['collection_id'],
        is_deleted: theirs['is_deleted'],
        marketplace: 'wapal',
        price: BigInt(theirs['price'] as number),
        token: padded(theirs['token_data_id']),
        buyer: theirs['buyer'],
      });
      // Difference 2: theirs never knows when an offer on a token expires; ours does where the offer's resource was written.
      expect(theirs['expiration_time']).toBeNull();
      expect(row.expiresAtUs).toBe(row.status === 'CREATED' ? 1_739_923_200_000_000n : null);
    }
    for (const theirs of theirCollectionOffers) {
      const row = trades.find(({ id }) => id === padded(theirs['collection_offer_id'])) as TradeRow;
      const isOpen = row.status === 'CREATED';
      // Difference 3: theirs says what is left after a cancellation as if it could still be had; ours says what it was for.
      const left = isOpen || row.status === 'CANCELED' ? (row.quantity ?? 0n) - row.filledQuantity : 0n;
      expect({ ...shared(row), buyer: row.maker, left, expires: row.expiresAtUs }).toEqual({
        collection_id: theirs['collection_id'],
        is_deleted: theirs['is_deleted'],
        marketplace: 'wapal',
        price: BigInt(theirs['price'] as number),
        buyer: theirs['buyer'],
        left: BigInt(theirs['remaining_token_amount'] as number),
        expires: timeUs(theirs['expiration_time']),
      });
    }

    const theirActivities = expected(name, 'nft_marketplace_activities').map((theirs) => ({
      txn_version: theirs['txn_version'],
      index: theirs['index'],
      kind: EVENT_TYPES[theirs['standard_event_type'] as string],
      collection_id: theirs['collection_id'],
      token_data_id: padded(theirs['token_data_id']),
      price: theirs['price'],
      buyer: theirs['buyer'],
      seller: theirs['seller'],
      // Difference 4: theirs is the object that holds the event handles, ours the package.
      contract: PACKAGE,
      id: padded(theirs['listing_id'] ?? theirs['offer_id']),
    }));
    const place = (row: { txn_version: unknown; index: unknown }): number =>
      Number(row.txn_version) * 100 + Number(row.index);
    expect(activities.map(theirActivity).sort((a, b) => place(a) - place(b))).toEqual(
      theirActivities.sort((a, b) => place(a) - place(b)),
    );
  });

  it('tells what of a sale did not reach the seller, to the octa', () => {
    const files = ['2313248448_wapal_fill_offer.json', '2382219668_wapal_fill_collection_offer.json'];
    const { activities } = foldEvents(translateTransactions([market], files.map(transactionOf)));
    expect(activities.map(({ price, fees, royalties }) => [price, fees, royalties])).toEqual([
      [3_400_000_000n, 193_800_000n, 142_800_000n],
      [2_550_510_000n, 145_379_070n, 107_121_420n],
    ]);
    // What the sellers' accounts got in these transactions.
    expect(activities.map(({ price, fees }) => (price ?? 0n) - (fees ?? 0n))).toEqual([
      3_206_200_000n,
      2_405_130_930n,
    ]);
  });

  it('names a token of the first standard by its edition too', () => {
    const { rows } = foldEvents(
      translateTransactions([market], [transactionOf('2382221134_wapal_fill_listing.json')]),
    );
    const [row] = rows as TradeRow[];
    expect(splitV1TokenId(row?.tokenId ?? 0n)).toEqual({
      tokenDataId: '0x74c366102a0abbc452f44c5017c69d99d52acc8140f7c35f141b09051a4891fa',
      version: 1n,
    });
  });

  it('gives the same in any batching, and of what is read twice', () => {
    const files = cases.flatMap(({ batches }) => batches.flat());
    const events = translateTransactions([market], [...new Set(files)].sort().map(transactionOf));
    expect(events).toHaveLength(10);
    expectSameInAnyBatching(events);
  });
});

const LISTING = canonicalAddress('0x11');
const OFFER = canonicalAddress('0x0ff');
const SELLER = canonicalAddress('0x5e');
const BUYER = canonicalAddress('0xb0');
const TOKEN = canonicalAddress('0x70');
const COLLECTION = canonicalAddress('0xc0');

const metadata = {
  token: { vec: [{ inner: TOKEN }] },
  collection: { vec: [{ inner: COLLECTION }] },
  token_name: 'Loony #1',
  collection_name: 'Loonies',
  creator_address: '0xc4',
  property_version: { vec: [] },
};
const event = (name: string, data: object) => ({
  type: `${PACKAGE}::events::${name}`,
  account: '0x71f7',
  data: data as never,
});
const placed = (amount: string) =>
  event('CollectionOfferPlacedEvent', {
    collection_offer: OFFER,
    price: '10',
    purchaser: BUYER,
    token_amount: amount,
    collection_metadata: {
      collection: { vec: [{ inner: COLLECTION }] },
      collection_name: 'Loonies',
      creator_address: '0xc4',
    },
  });
const fillOf = (offer: string) =>
  event('CollectionOfferFilledEvent', {
    collection_offer: offer,
    price: '10',
    purchaser: BUYER,
    seller: SELLER,
    commission: '1',
    royalties: '2',
    token_metadata: metadata,
  });
const filled = fillOf(OFFER);
const OFFER_TYPE = `${PACKAGE}::collection_offer::CollectionOffer`;
const left = (remaining: string) => written(OFFER, OFFER_TYPE, { remaining, expiration_time: '0' });
const gone = { kind: 'deleted-resource', address: OFFER, type: '0x1::object::ObjectGroup' } as const;

describe('Wapal', () => {
  it('keeps an offer on several tokens open until the last one is given', () => {
    const events = translateTransactions(
      [market],
      [
        transactionWith(1n, [placed('3')], [left('3')]),
        transactionWith(2n, [filled], [left('2')]),
        transactionWith(3n, [filled], [left('1')]),
      ],
    );
    expect(foldEvents(events).rows).toMatchObject([
      { status: 'CREATED', quantity: 3n, filledQuantity: 2n, price: 30n, expiresAtUs: null },
    ]);
    const last = translateTransactions([market], [transactionWith(4n, [filled], [gone])]);
    const { rows, activities } = foldEvents(events, last);
    expect(rows).toMatchObject([{ status: 'ACCEPTED', quantity: 3n, filledQuantity: 3n }]);
    expect(activities.map(({ kind, price, fees, royalties }) => [kind, price, fees, royalties])).toEqual([
      ['OFFER', 30n, null, null],
      ['SALE', 10n, 3n, 2n],
      ['SALE', 10n, 3n, 2n],
      ['SALE', 10n, 3n, 2n],
    ]);
  });

  it('knows from the chain what is left of an offer that it has not seen made', () => {
    const events = translateTransactions([market], [transactionWith(9n, [filled], [left('4')])]);
    expect(foldEvents(events).rows).toMatchObject([{ status: 'CREATED', quantity: 5n, filledQuantity: 1n }]);
  });

  it('counts fills that it has not seen by what the chain says is left', () => {
    const events = translateTransactions(
      [market],
      [transactionWith(1n, [placed('5')], [left('5')]), transactionWith(7n, [filled], [left('2')])],
    );
    expect(foldEvents(events).rows).toMatchObject([{ status: 'CREATED', quantity: 5n, filledQuantity: 3n }]);
  });

  it.each<[string, string[], bigint]>([
    ['two fills leave one piece', ['fill', 'fill'], 1n],
    ['two fills end it', ['fill', 'fill'], 0n],
    ['one fill, and the rest is cancelled', ['fill', 'cancel'], 2n],
    ['two fills, and the rest is cancelled', ['fill', 'fill', 'cancel'], 1n],
  ])('counts each event of an offer in one transaction: %s', (_what, happens, rest) => {
    const cancelled = event('CollectionOfferCanceledEvent', {
      collection_offer: OFFER,
      price: '10',
      purchaser: BUYER,
      remaining_token_amount: String(rest),
      collection_metadata: {
        collection: { vec: [{ inner: COLLECTION }] },
        collection_name: 'Loonies',
        creator_address: '0xc4',
      },
    });
    const fills = BigInt(happens.filter((one) => one === 'fill').length);
    const isCancelled = happens.includes('cancel');
    const size = fills + rest;
    const all = transactionWith(
      2n,
      happens.map((one) => (one === 'fill' ? filled : cancelled)),
      [isCancelled || rest === 0n ? gone : left(String(rest))],
    );
    const status = isCancelled ? 'CANCELED' : rest === 0n ? 'ACCEPTED' : 'CREATED';
    const made = transactionWith(1n, [placed(String(size))], [left(String(size))]);
    for (const transactions of [[made, all], [all]]) {
      const { rows, activities } = foldEvents(translateTransactions([market], transactions));
      expect(rows).toHaveLength(1);
      expect(rows).toMatchObject([{ status, quantity: size, filledQuantity: fills }]);
      expect(activities.filter(({ kind }) => kind === 'SALE')).toHaveLength(Number(fills));
    }
  });

  it('counts the fill of one offer by what is left of that one', () => {
    const OTHER = canonicalAddress('0x0fe');
    const events = translateTransactions(
      [market],
      [
        transactionWith(
          1n,
          [filled, fillOf(OTHER)],
          [left('2'), written(OTHER, OFFER_TYPE, { remaining: '4' })],
        ),
      ],
    );
    expect(foldEvents(events).rows).toMatchObject([{ quantity: 3n }, { quantity: 5n }]);
  });

  it('leaves a fill to be counted when a later event of its offer cannot be read (D4)', () => {
    const made = transactionWith(1n, [placed('3')], [left('3')]);
    const transaction = transactionWith(2n, [filled, fillOf('nowhere')], [gone]);
    const emitted: unknown[] = [];
    market.translate(transaction.events[0] as AptosEvent, transaction, (...said) => emitted.push(said[3]));
    expect(emitted).toHaveLength(1);
    expect(emitted[0]).not.toHaveProperty('remaining');
    expect(() => translateTransactions([market], [made, transaction])).toThrow(AptosDecodeError);
  });

  it('takes a listing that is placed again for a change of its price', () => {
    const listed = (price: string) =>
      event('ListingPlacedEvent', { listing: LISTING, price, seller: SELLER, token_metadata: metadata });
    const sold = event('ListingFilledEvent', {
      listing: LISTING,
      price: '7',
      seller: SELLER,
      purchaser: BUYER,
      commission: '0',
      royalties: '0',
      token_metadata: metadata,
    });
    const { rows, activities } = foldEvents(
      translateTransactions(
        [market],
        [transactionWith(1n, [listed('5')]), transactionWith(2n, [listed('7')]), transactionWith(3n, [sold])],
      ),
    );
    expect(rows).toMatchObject([
      {
        status: 'SOLD',
        price: 7n,
        maker: SELLER,
        taker: BUYER,
        collection: COLLECTION,
        currency: ZERO_ADDRESS,
        escrow: true,
      },
    ]);
    expect(objectOf((rows[0] as TradeRow).tokenId ?? 0n)).toBe(TOKEN);
    expect(activities.map(({ kind, price }) => [kind, price])).toEqual([
      ['LIST', 5n],
      ['UPDATE', 7n],
      ['SALE', 7n],
    ]);
  });

  it.each([
    ['a price', { price: undefined }],
    ['a whole price', { price: '1.5' }],
    ['a price of at most 256 bits', { price: (2n ** 256n).toString() }],
    ['a seller', { seller: '0xnobody' }],
    ['a token', { token_metadata: { token: { vec: [] }, collection: { vec: [] } } }],
    ['a listing', { listing: 5 }],
  ])('parks a listing without %s (D4)', (_what, changes) => {
    const data = { listing: LISTING, price: '5', seller: SELLER, token_metadata: metadata, ...changes };
    const transaction = transactionWith(1n, [event('ListingPlacedEvent', data)]);
    expect(() => translateTransactions([market], [transaction])).toThrow(
      expect.objectContaining({ code: 'EVENT_DECODE', disposition: 'park' }),
    );
  });

  it('says nothing of transactions that failed', () => {
    const transaction = { ...transactionWith(1n, [placed('3')]), success: false };
    expect(translateTransactions([market], [transaction])).toEqual([]);
  });
});
