import { type TradeRow } from '@imart/market';
import { canonicalAddress, ZERO_ADDRESS } from '../address';
import { foldEvents, transactionWith, translateTransactions, type ToldEvent } from '../testing/translation';
import { blueMove } from './blueMove';
import { MAINNET, type AptosMarketplace } from './marketplace';
import { okx } from './okx';
import { rarible } from './rarible';
import { souffl3 } from './souffl3';
import { v1CollectionId, v1Token } from './tokenIds';
import { topaz } from './topaz';
import { wagmi } from './wagmi';

// Of these marketplaces there are no recordings: what their events say is what their own sources and other readers say.
const [SELLER, BUYER] = ['0x5e', '0xb0'].map(canonicalAddress) as [string, string];
const token_id = {
  property_version: '0',
  token_data_id: { creator: '0xc4', collection: 'Things', name: 'Thing' },
};
const token = v1Token({ creator: '0xc4', collection: 'Things', name: 'Thing', version: 0n });

function fold(marketplace: AptosMarketplace, ...transactions: (readonly (readonly [string, object])[])[]) {
  const address = marketplace.packageOn(MAINNET) as string;
  const told = ([type, data]: readonly [string, object]): ToldEvent => ({
    type: type.startsWith('0x') ? type : `${address}::${type}`,
    data: data as never,
  });
  return foldEvents(
    translateTransactions(
      [marketplace.at(address)],
      transactions.map((events, i) => transactionWith(BigInt(i + 1), events.map(told))),
    ),
  );
}
const shown = ({ rows }: ReturnType<typeof fold>) =>
  (rows as readonly TradeRow[]).map(({ table, status, price }) => [table, status, price]);

describe('Topaz', () => {
  const listing = {
    listing_id: '5',
    token_id,
    seller: SELLER,
    price: '100',
    amount: '1',
    coin_type: '0x1::aptos_coin::AptosCoin',
    timestamp: '1739988091944133',
  };
  const bid = { bid_id: '5', token_id, buyer: BUYER, price: '70', amount: '1', deadline: '1739988091944133' };
  const onCollection = {
    bid_id: '5',
    creator: '0xc4',
    collection_name: 'Things',
    buyer: BUYER,
    price: '7',
    amount: '2',
    deadline: '1739988091',
  };

  it('lists and sells by number', () => {
    const folded = fold(
      topaz,
      [['events::ListEvent', listing]],
      [['events::BuyEvent', { ...listing, buyer: BUYER }]],
    );
    expect(folded.rows).toMatchObject([
      {
        id: '5',
        status: 'SOLD',
        maker: SELLER,
        taker: BUYER,
        tokenId: token.tokenId,
        currency: ZERO_ADDRESS,
      },
    ]);
    expect(shown(fold(topaz, [['events::DelistEvent', listing]]))).toEqual([['orders', 'CANCELED', 100n]]);
  });

  it('takes what was given for a bid on a collection that was not seen made for a part of it', () => {
    const given = { bid_id: '5', buyer: BUYER, seller: SELLER, price: '7' };
    const ofV2 = { token_inner: '0x71', collection_inner: '0xc0' };
    for (const goods of [{ token_id }, ofV2]) {
      const fill: readonly [string, object] = ['events::FillCollectionBidEvent', { ...given, ...goods }];
      const { rows, activities } = fold(topaz, [fill], [fill, fill]);
      expect(rows).toHaveLength(1);
      expect(rows).toMatchObject([{ status: 'ACCEPTED', maker: BUYER, quantity: null, filledQuantity: 3n }]);
      expect(activities.map(({ kind }) => kind)).toEqual(['SALE', 'SALE', 'SALE']);
    }
  });

  it('keeps bids on tokens and on collections apart, and their deadlines in one unit', () => {
    const { rows } = fold(
      topaz,
      [
        ['events::BidEvent', bid],
        ['events::CollectionBidEvent', onCollection],
      ],
      [['events::SellEvent', { ...bid, seller: SELLER }]],
      [
        [
          'events::FillCollectionBidEvent',
          { bid_id: '5', token_id, buyer: BUYER, seller: SELLER, price: '7' },
        ],
      ],
    );
    expect(rows).toMatchObject([
      { status: 'ACCEPTED', price: 70n, expiresAtUs: 1_739_988_091_944_133n, taker: SELLER },
      {
        status: 'CREATED',
        price: 14n,
        quantity: 2n,
        filledQuantity: 1n,
        collection: v1CollectionId('0xc4', 'Things'),
        expiresAtUs: 1_739_988_091_000_000n,
      },
    ]);
    expect(shown(fold(topaz, [['events::CancelCollectionBidEvent', onCollection]]))).toEqual([
      ['offers', 'CANCELED', 14n],
    ]);
    expect(shown(fold(topaz, [['events::CancelBidEvent', bid]]))).toEqual([['offers', 'CANCELED', 70n]]);
  });
});

describe('BlueMove', () => {
  const listing = { id: token_id, seller_address: SELLER, amount: '100' };
  const item = {
    amount_per_item: '7',
    quantity_offer_items: '2',
    creator_address: '0xc4',
    collection_name: 'Things',
  };

  it('takes a sale’s price from its listing, as it was changed last', () => {
    const { rows, activities } = fold(
      blueMove,
      [['marketplaceV2::ListEvent', listing]],
      [['marketplaceV2::ChangePriceEvent', { ...listing, amount: '90' }]],
      [['marketplaceV2::BuyEvent', { id: token_id, seller_address: SELLER, buyer_address: BUYER }]],
    );
    expect(rows).toMatchObject([{ status: 'SOLD', price: 90n, taker: BUYER }]);
    expect(activities.map(({ kind, price }) => [kind, price])).toEqual([
      ['LIST', 100n],
      ['UPDATE', 90n],
      ['SALE', 90n],
    ]);
    expect(shown(fold(blueMove, [['marketplaceV2::DelistEvent', listing]]))).toEqual([
      ['orders', 'CANCELED', null],
    ]);
  });

  it('takes offers on tokens and on collections', () => {
    const offer = { token_id, offerer: BUYER, amount: '70' };
    const onCollection = { offerer: BUYER, offer_collection_item: item };
    const { rows } = fold(
      blueMove,
      [
        ['offer_lib::OfferEvent', offer],
        ['offer_lib::OfferCollectionEvent', onCollection],
      ],
      [['offer_lib::AcceptOfferEvent', { ...offer, owner_token: SELLER }]],
      [['offer_lib::AcceptOfferCollectionEvent', { ...onCollection, token_id, owner_token: SELLER }]],
    );
    expect(rows).toMatchObject([
      { status: 'ACCEPTED', price: 70n, taker: SELLER },
      { status: 'CREATED', price: 14n, quantity: 2n, filledQuantity: 1n, taker: SELLER },
    ]);
    expect(shown(fold(blueMove, [['offer_lib::CancelOfferEvent', offer]]))).toEqual([
      ['offers', 'CANCELED', 70n],
    ]);
    expect(shown(fold(blueMove, [['offer_lib::CancelOfferCollectionEvent', onCollection]]))).toEqual([
      ['offers', 'CANCELED', 14n],
    ]);
  });
});

describe('Souffl3', () => {
  const coin = '0x2::usd::USD';
  const listing = { token_id, token_owner: SELLER, coin_per_token: '7', token_amount: '3' };

  it('has the coin in its events’ types, and prices of one token', () => {
    const { rows, activities } = fold(
      souffl3,
      [[`FixedPriceMarket::ListTokenEvent<${coin}>`, listing]],
      [[`FixedPriceMarket::BuyTokenEvent<${coin}>`, { ...listing, token_amount: '1', buyer: BUYER }]],
    );
    expect(rows).toMatchObject([
      {
        status: 'LISTING',
        price: 21n,
        quantity: 3n,
        filledQuantity: 1n,
        currency: `${canonicalAddress('0x2')}::usd::USD`,
      },
    ]);
    expect(activities.at(-1)).toMatchObject({ kind: 'SALE', price: 7n, to: BUYER });
    expect(
      shown(
        fold(souffl3, [
          [`FixedPriceMarket::CancelListTokenEvent<${coin}>`, { token_id, token_owner: SELLER }],
        ]),
      ),
    ).toEqual([['orders', 'CANCELED', null]]);
  });
});

describe('OKX', () => {
  const id = { addr: SELLER, creation_num: '9' };

  it('finds the token of a sale in the buyer’s deposit before it', () => {
    const deposit = (name: string) =>
      [
        '0x3::token::TokenDeposit',
        {
          account: BUYER,
          amount: '1',
          id: { ...token_id, token_data_id: { ...token_id.token_data_id, name } },
        },
      ] as const;
    const executed = [
      'okx_bid_utils::OrderExecutedEvent',
      { id, buyer: BUYER, executed_price: '90' },
    ] as const;
    const { rows } = fold(okx, [deposit('Other'), deposit('Thing'), executed, deposit('Later')]);
    expect(rows).toMatchObject([
      { status: 'SOLD', maker: SELLER, taker: BUYER, price: 90n, tokenId: token.tokenId },
    ]);
  });

  it('sells what was listed where no deposit tells', () => {
    const listed = ['okx_listing_utils::ListingEvent', { id, token_id, min_price: '100' }] as const;
    const { rows, activities } = fold(
      okx,
      [listed],
      [['okx_bid_utils::OrderExecutedEvent', { id, buyer: BUYER, executed_price: '90' }]],
    );
    expect(rows).toMatchObject([{ status: 'SOLD', tokenId: token.tokenId, price: 100n }]);
    expect(activities.at(-1)).toMatchObject({ kind: 'SALE', price: 90n, tokenId: token.tokenId });
    expect(shown(fold(okx, [listed], [['okx_listing_utils::CancelListingEvent', { id, token_id }]]))).toEqual(
      [['orders', 'CANCELED', 100n]],
    );
  });
});

describe.each([wagmi, rarible])('the example marketplace of $name', (marketplace) => {
  it('reads its module events', () => {
    const listing = {
      listing: '0x11',
      marketplace: '0xaa',
      price: '100',
      seller: SELLER,
      token_metadata: {
        token: { vec: [{ inner: '0x70' }] },
        collection: { vec: [{ inner: '0xc0' }] },
        token_name: 'Thing',
        collection_name: 'Things',
        creator_address: '0xc4',
        property_version: { vec: [] },
      },
    };
    const sold = { ...listing, purchaser: BUYER, commission: '1', royalties: '2' };
    const { rows, activities } = fold(
      marketplace,
      [['events::ListingPlaced', listing]],
      [['events::ListingFilled', sold]],
    );
    expect(rows).toMatchObject([{ market: marketplace.name, status: 'SOLD', taker: BUYER, tokenId: 0x70n }]);
    expect(activities.at(-1)).toMatchObject({ fees: 3n, royalties: 2n });
  });
});
