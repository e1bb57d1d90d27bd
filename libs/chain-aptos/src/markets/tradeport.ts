import type { EventDeclaration, MarketDeclaration } from './declaration';
import { declareMarketplace } from './declareMarketplace';
import { MAINNET, type AptosMarketplace } from './marketplace';

const PACKAGE = '0xe11c12ec495f3989c35e1c6a0af414451223305b579291fc8f3d9d0575a23c26';
const packages: MarketDeclaration['packages'] = { [MAINNET]: PACKAGE };

/** No event tells a fee: what did not reach the seller is one, and what of it did not reach this account went to the creators. */
const money = {
  fees: '$deposits',
  feeAccount: '0x6a03eb973cd9385d62fc2842d02a4dd6b70e52f5da77a0689e57e48d93fae1b4',
} as const;

const listing1 = {
  key: ['$token', '$seller'],
  token: { v1: 'token_id' },
  seller: 'owner|seller',
  price: 'price',
} as const satisfies Partial<EventDeclaration>;
const bid1 = { buyer: 'bid_buyer|buyer', price: 'price' } as const;
const tokenBid1 = { ...bid1, key: ['$token', '$buyer'], token: { v1: 'token_id' } } as const;
const anyTokenOf1 = {
  v1: { creator: 'collection_id.collection_creator', collection: 'collection_id.collection_name' },
} as const;

/**
 * Tradeport's first market, of tokens of the first standard. It gives listings and bids no ids: an owner has one listing of a token, a
 * bidder one bid on a token and one on a collection.
 */
export const tradeportV1: AptosMarketplace = declareMarketplace({
  name: 'tradeport-v1',
  packages,
  events: {
    'listings::InsertListingEvent': { means: 'list', ...listing1 },
    // A changed price: the listing with its new terms, also where it was not seen made.
    'listings::UpdateListingEvent': { means: 'list', ...listing1 },
    'listings::DeleteListingEvent': { means: 'delist', ...listing1 },
    'listings::BuyEvent': { means: 'buy', ...listing1, ...money, buyer: 'buyer', closes: true },
    'biddings::InsertTokenBidEvent': { means: 'offer', ...tokenBid1 },
    'biddings::DeleteTokenBidEvent': { means: 'cancel-offer', ...tokenBid1 },
    'biddings::AcceptTokenBidEvent': {
      means: 'accept-offer',
      ...tokenBid1,
      ...money,
      seller: 'bid_seller|seller',
      closes: true,
    },
    'biddings::InsertCollectionBidEvent': {
      means: 'offer',
      ...bid1,
      key: ['$collection', '$buyer'],
      collection: anyTokenOf1,
    },
    'biddings::DeleteCollectionBidEvent': {
      means: 'cancel-offer',
      ...bid1,
      key: ['$collection', '$buyer'],
      collection: anyTokenOf1,
    },
    'biddings::AcceptCollectionBidEvent': {
      means: 'accept-offer',
      ...bid1,
      ...money,
      // The token is of the collection that was bid for.
      key: ['$collection', '$buyer'],
      token: { v1: 'token_id' },
      seller: 'bid_seller|seller',
      closes: true,
    },
  },
});

const listing2 = {
  key: ['listing'],
  token: { object: 'token' },
  seller: 'seller',
  price: 'price',
} as const satisfies Partial<EventDeclaration>;
const bid2 = { key: ['bid'], buyer: 'bid_buyer', price: 'price' } as const;

/** Tradeport's second market, of tokens of the second standard: listings and bids are objects. */
export const tradeport: AptosMarketplace = declareMarketplace({
  name: 'tradeport',
  packages,
  events: {
    'listings_v2::InsertListingEvent': { means: 'list', ...listing2 },
    'listings_v2::DeleteListingEvent': { means: 'delist', ...listing2 },
    'listings_v2::BuyEvent': { means: 'buy', ...listing2, ...money, buyer: 'buyer', closes: true },
    'biddings_v2::InsertTokenBidEvent': { means: 'offer', ...bid2, token: { object: 'token' } },
    'biddings_v2::DeleteTokenBidEvent': { means: 'cancel-offer', ...bid2, token: { object: 'token' } },
    'biddings_v2::AcceptTokenBidEvent': {
      means: 'accept-offer',
      ...bid2,
      ...money,
      token: { object: 'token' },
      seller: 'bid_seller',
      closes: true,
    },
    'biddings_v2::InsertCollectionBidEvent': {
      means: 'offer',
      ...bid2,
      collection: { object: 'collection' },
    },
    'biddings_v2::DeleteCollectionBidEvent': {
      means: 'cancel-offer',
      ...bid2,
      collection: { object: 'collection' },
    },
    // It names the token, and not the collection that was bid for.
    'biddings_v2::AcceptCollectionBidEvent': {
      means: 'accept-offer',
      ...bid2,
      ...money,
      token: { object: 'token' },
      seller: 'bid_seller',
      closes: true,
    },
  },
});
