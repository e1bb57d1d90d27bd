import type { EventDeclaration } from './declaration';
import { declareMarketplace } from './declareMarketplace';
import { MAINNET, type AptosMarketplace } from './marketplace';

const goods = {
  token: {
    object: 'token_inner|token.inner',
    collection: 'collection_inner|collection.inner',
    v1: 'token_id',
  },
  quantity: '?amount',
  price: 'price',
  currency: '?coin_type',
} as const satisfies Partial<EventDeclaration>;
const listing = { ...goods, key: ['listing_id'], seller: 'seller|owner' } as const;
const bid = { ...goods, key: ['bid_id'], buyer: 'buyer' } as const;
/** Bids on collections are counted by themselves. */
const collectionBid = {
  key: ['=collection', 'bid_id'],
  buyer: 'buyer',
  price: 'price',
  currency: '?coin_type',
} as const satisfies Partial<EventDeclaration>;
const anyTokenOf = {
  object: 'collection_inner|collection.inner',
  v1: { creator: 'creator', collection: 'collection_name' },
} as const;
const deadline = { value: '?deadline', unit: 'by-size' } as const;

/** Topaz: listings and bids by number, in any coin. */
export const topaz: AptosMarketplace = declareMarketplace({
  name: 'topaz',
  packages: { [MAINNET]: '0x2c7bccf7b31baf770fdbcc768d9e9cb3d87805e255355df5db32ac9a669010a2' },
  events: {
    'events::ListEvent': { means: 'list', ...listing },
    'events::DelistEvent': { means: 'delist', ...listing },
    'events::BuyEvent': { means: 'buy', ...listing, buyer: 'buyer', closes: true },
    'events::BidEvent': { means: 'offer', ...bid, expiresAt: deadline },
    'events::CancelBidEvent': { means: 'cancel-offer', ...bid },
    'events::SellEvent': { means: 'accept-offer', ...bid, seller: 'seller', closes: true },
    'events::CollectionBidEvent': {
      means: 'offer',
      ...collectionBid,
      collection: anyTokenOf,
      quantity: '?amount',
      pricePer: 'token',
      expiresAt: deadline,
    },
    'events::CancelCollectionBidEvent': {
      means: 'cancel-offer',
      ...collectionBid,
      collection: anyTokenOf,
      quantity: '?amount',
      pricePer: 'token',
    },
    'events::FillCollectionBidEvent': {
      means: 'accept-offer',
      ...collectionBid,
      token: goods.token,
      seller: 'seller',
    },
  },
});
