import { type TradeRow } from '@imart/market';
import { canonicalAddress, ZERO_ADDRESS } from '../address';
import { readProtoJsonTransaction } from '../read/protoJsonTransaction';
import { expectSameInAnyBatching } from '../testing/anyBatching.spec';
import { describeAptosRecordings, readRecordedJson } from '../testing/recordings.spec';
import {
  foldEvents,
  transactionWith,
  translateTransactions,
  written,
  type ToldEvent,
} from '../testing/translation';
import { MAINNET } from './marketplace';
import { objectOf } from './tokenIds';
import { tradeport, tradeportV1 } from './tradeport';
import { wapal } from './wapal';

const PACKAGE = tradeport.packageOn(MAINNET) as string;
const FEES = '0x6a03eb973cd9385d62fc2842d02a4dd6b70e52f5da77a0689e57e48d93fae1b4';
const [SELLER, BUYER, TOKEN, COLLECTION, LISTING, BID] = ['0x5e', '0xb0', '0x70', '0xc0', '0x11', '0xbd'].map(
  canonicalAddress,
) as [string, string, string, string, string, string];
const markets = [tradeportV1.at(PACKAGE), tradeport.at(PACKAGE)];

const told = (type: string, data: object): ToldEvent => ({
  type: `${PACKAGE}::${type}`,
  account: PACKAGE,
  data: { price: '100', timestamp: '1739988091944133', ...data } as never,
});
const paid = (account: string, amount: string): ToldEvent => ({
  type: '0x1::coin::DepositEvent',
  account,
  data: { amount },
});
const tokenWritten = written(TOKEN, '0x4::token::Token', { collection: { inner: COLLECTION } });
const translated = (...transactions: (readonly ToldEvent[])[]) =>
  translateTransactions(
    markets,
    transactions.map((events, i) => transactionWith(BigInt(i + 1), events, [tokenWritten])),
  );
const fold = (...transactions: (readonly ToldEvent[])[]) => foldEvents(translated(...transactions));

describeAptosRecordings('Tradeport, over a recorded transaction', () => {
  const file = 'marketplaces/wapal/transactions/2382221134_wapal_fill_listing.json';
  const transaction = readProtoJsonTransaction(readRecordedJson(file));
  const all = [wapal.at(wapal.packageOn(MAINNET) as string), ...markets];

  it('finds its two sales beside another marketplace’s, and who got what of them', () => {
    const { activities } = foldEvents(translateTransactions(all, [transaction]));
    expect(
      activities.map(({ market, kind, price, fees, royalties }) => [market, kind, price, fees, royalties]),
    ).toEqual([
      ['tradeport-v1', 'SALE', 398_000_000n, 31_840_000n, 21_890_000n],
      ['wapal', 'SALE', 397_900_000n, 27_853_000n, 21_884_500n],
      ['tradeport-v1', 'SALE', 398_000_000n, 31_840_000n, 21_890_000n],
    ]);
    expect(activities.every(({ to }) => to === activities[0]?.to)).toBe(true);
  });

  it('gives the same in any batching', () => {
    expectSameInAnyBatching(translateTransactions(all, [transaction]));
  });
});

describe('Tradeport', () => {
  const token = { inner: TOKEN };
  const listing = { listing: { inner: LISTING }, seller: SELLER, token };
  const bid = { bid: { inner: BID }, bid_buyer: BUYER };

  it('lists and sells tokens of the second standard, of whose collection the token tells', () => {
    const { rows, activities } = fold(
      [told('listings_v2::InsertListingEvent', listing)],
      [paid(SELLER, '90'), paid(FEES, '3'), told('listings_v2::BuyEvent', { ...listing, buyer: BUYER })],
    );
    expect(rows).toMatchObject([
      { market: 'tradeport', id: LISTING, status: 'SOLD', collection: COLLECTION, currency: ZERO_ADDRESS },
    ]);
    expect(objectOf((rows[0] as TradeRow).tokenId ?? 0n)).toBe(TOKEN);
    expect(activities.at(-1)).toMatchObject({
      kind: 'SALE',
      from: SELLER,
      to: BUYER,
      fees: 10n,
      royalties: 7n,
    });
  });

  it('counts as a seller’s only what was paid since the sale before', () => {
    const buy = told('listings_v2::BuyEvent', { ...listing, buyer: BUYER });
    const { activities } = fold([paid(SELLER, '90'), buy, paid(SELLER, '80'), buy, buy]);
    expect(activities.map(({ fees }) => fees)).toEqual([10n, 20n, null]);
  });

  it('does not take more than the price for a payment', () => {
    const buy = told('listings_v2::BuyEvent', { ...listing, buyer: BUYER });
    expect(fold([paid(SELLER, '101'), buy]).activities).toMatchObject([{ fees: null, royalties: null }]);
  });

  it('takes a listing down', () => {
    const { rows } = fold(
      [told('listings_v2::InsertListingEvent', listing)],
      [told('listings_v2::DeleteListingEvent', listing)],
    );
    expect(rows).toMatchObject([{ status: 'CANCELED' }]);
  });

  it('bids on a token, of which the collection may not be told', () => {
    const transaction = transactionWith(1n, [told('biddings_v2::InsertTokenBidEvent', { ...bid, token })]);
    const { rows } = foldEvents(translateTransactions(markets, [transaction]));
    expect(rows).toMatchObject([{ table: 'offers', status: 'CREATED', maker: BUYER, collection: null }]);
    expect(objectOf((rows[0] as TradeRow).tokenId ?? 0n)).toBe(TOKEN);
  });

  it('accepts and cancels bids on tokens and collections by their ids', () => {
    const onCollection = { ...bid, collection: { inner: COLLECTION } };
    const made = told('biddings_v2::InsertCollectionBidEvent', onCollection);
    const taken = told('biddings_v2::AcceptCollectionBidEvent', { ...bid, bid_seller: SELLER, token });
    expect(fold([made], [told('biddings_v2::DeleteCollectionBidEvent', onCollection)]).rows).toMatchObject([
      { status: 'CANCELED', collection: COLLECTION, tokenId: null },
    ]);
    const { rows, activities } = fold([made], [taken]);
    expect(rows).toMatchObject([{ status: 'ACCEPTED', tokenId: null, taker: SELLER }]);
    expect(activities.at(-1)).toMatchObject({
      kind: 'SALE',
      side: 'offer',
      from: SELLER,
      to: BUYER,
      tokenId: BigInt(TOKEN),
    });
    expect(
      fold(
        [told('biddings_v2::InsertTokenBidEvent', { ...bid, token })],
        [told('biddings_v2::AcceptTokenBidEvent', { ...bid, bid_seller: SELLER, token })],
      ).rows,
    ).toMatchObject([{ status: 'ACCEPTED', taker: SELLER }]);
  });

  it('matches bids of its first market by bidder and token or collection', () => {
    const token_id = {
      property_version: '0',
      token_data_id: { creator: '0xc4', collection: 'Things', name: 'Thing' },
    };
    const collection_id = { collection_creator: '0xc4', collection_name: 'Things' };
    const { rows } = fold(
      [
        told('biddings::InsertTokenBidEvent', { bid_buyer: BUYER, token_id }),
        told('biddings::InsertCollectionBidEvent', { bid_buyer: BUYER, collection_id }),
      ],
      [told('biddings::AcceptCollectionBidEvent', { bid_buyer: BUYER, bid_seller: SELLER, token_id })],
      [told('biddings::DeleteTokenBidEvent', { bid_buyer: BUYER, token_id })],
    );
    expect((rows as readonly TradeRow[]).map(({ tokenId, status }) => [tokenId === null, status])).toEqual([
      [false, 'CANCELED'],
      [true, 'ACCEPTED'],
    ]);
  });

  it('changes the price of a listing of its first market, also of one that was not seen made', () => {
    const token_id = {
      property_version: '0',
      token_data_id: { creator: '0xc4', collection: 'Things', name: 'Thing' },
    };
    const of = (price: string) => ({ owner: SELLER, price, timestamp: '1', token_id });
    const changed = told('listings::UpdateListingEvent', { ...of('70'), old_price: '100' });
    const { rows, activities } = fold([told('listings::InsertListingEvent', of('100'))], [changed]);
    expect(rows).toMatchObject([{ market: 'tradeport-v1', status: 'LISTING', price: 70n, maker: SELLER }]);
    expect(activities.map(({ kind, price }) => [kind, price])).toEqual([
      ['LIST', 100n],
      ['UPDATE', 70n],
    ]);
    expect(fold([changed]).rows).toMatchObject([{ status: 'LISTING', price: 70n }]);
    expect(fold([changed], [told('listings::DeleteListingEvent', of('70'))]).rows).toMatchObject([
      { status: 'CANCELED' },
    ]);
  });
});
