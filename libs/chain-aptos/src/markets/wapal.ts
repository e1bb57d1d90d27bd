import type { EventDeclaration, MarketDeclaration, TokenPaths } from './declaration';
import { declareMarketplace } from './declareMarketplace';
import { MAINNET, type AptosMarketplace } from './marketplace';

const token: TokenPaths = {
  object: 'token_metadata.token.vec.0.inner',
  collection: 'token_metadata.collection.vec.0.inner',
  v1: {
    creator: 'token_metadata.creator_address',
    collection: 'token_metadata.collection_name',
    name: 'token_metadata.token_name',
    version: '?token_metadata.property_version.vec.0',
  },
};

const listing = { key: ['listing'], token, seller: 'seller', price: 'price' } as const;
const tokenOffer = { key: ['token_offer'], token, buyer: 'purchaser', price: 'price' } as const;
/** Prices are of one token each. */
const collectionOffer = {
  key: ['collection_offer'],
  buyer: 'purchaser',
  price: 'price',
  pricePer: 'token',
} as const;
const anyTokenOf = {
  object: 'collection_metadata.collection.vec.0.inner',
  v1: { creator: 'collection_metadata.creator_address', collection: 'collection_metadata.collection_name' },
} as const;
const sale = {
  seller: 'seller',
  fees: ['commission', 'royalties'],
  royalties: 'royalties',
} as const;

/**
 * The events of Wapal and of the marketplaces that are made from the same example: `<Name>Event` there, `<Name>` where they are module
 * events. An offer is an object: what it is still for, and until when, is in its resource.
 */
export function exampleEvents(suffix: 'Event' | ''): MarketDeclaration['events'] {
  const events: Readonly<Record<string, EventDeclaration>> = {
    ListingPlaced: { means: 'list', ...listing, auction: { field: 'type', is: 'auction' } },
    AuctionBid: {
      means: 'bid',
      key: ['listing'],
      token,
      buyer: 'new_bidder',
      price: 'new_bid',
      expiresAt: { value: 'new_end_time', unit: 's' },
    },
    ListingCanceled: { means: 'delist', ...listing },
    ListingFilled: { means: 'buy', ...listing, ...sale, buyer: 'purchaser', closes: true },
    TokenOfferPlaced: {
      means: 'offer',
      ...tokenOffer,
      expiresAt: {
        value: { resource: 'token_offer::TokenOffer', at: 'token_offer', path: 'expiration_time' },
        unit: 's',
      },
    },
    TokenOfferCanceled: { means: 'cancel-offer', ...tokenOffer },
    TokenOfferFilled: { means: 'accept-offer', ...tokenOffer, ...sale, closes: true },
    CollectionOfferPlaced: {
      means: 'offer',
      ...collectionOffer,
      collection: anyTokenOf,
      quantity: 'token_amount',
      expiresAt: {
        value: {
          resource: 'collection_offer::CollectionOffer',
          at: 'collection_offer',
          path: 'expiration_time',
        },
        unit: 's',
      },
    },
    CollectionOfferCanceled: {
      means: 'cancel-offer',
      ...collectionOffer,
      collection: anyTokenOf,
      quantity: 'remaining_token_amount',
    },
    CollectionOfferFilled: {
      means: 'accept-offer',
      ...collectionOffer,
      ...sale,
      token,
      remaining: {
        resource: 'collection_offer::CollectionOffer',
        at: 'collection_offer',
        path: 'remaining',
        whenDeleted: '0',
      },
    },
  };
  return Object.fromEntries(
    Object.entries(events).map(([name, declared]) => [`events::${name}${suffix}`, declared]),
  );
}

/** Wapal. A changed price comes as another `ListingPlacedEvent` of the same listing. */
export const wapal: AptosMarketplace = declareMarketplace({
  name: 'wapal',
  packages: { [MAINNET]: '0x584b50b999c78ade62f8359c91b5165ff390338d45f8e55969a04e65d76258c9' },
  events: exampleEvents('Event'),
});
