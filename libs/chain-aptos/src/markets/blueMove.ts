import type { EventDeclaration } from './declaration';
import { declareMarketplace } from './declareMarketplace';
import { MAINNET, type AptosMarketplace } from './marketplace';

const token = { v1: 'id|token_id' } as const;
const listing = {
  key: ['$token', '$seller'],
  token,
  seller: 'seller_address',
} as const satisfies Partial<EventDeclaration>;
const offer = {
  key: ['$token', '$buyer'],
  token,
  buyer: 'offerer',
  price: '?amount|price',
} as const satisfies Partial<EventDeclaration>;
const collectionOffer = {
  key: ['$collection', '$buyer'],
  buyer: 'offerer',
  price: '?offer_collection_item.amount_per_item',
  pricePer: 'token',
} as const satisfies Partial<EventDeclaration>;
const anyTokenOf = {
  v1: {
    creator: 'offer_collection_item.creator_address',
    collection: 'offer_collection_item.collection_name',
  },
} as const;
const quantity = '?offer_collection_item.quantity_offer_items|quantity_offer_items';

/**
 * BlueMove. It has no ids: a seller has one listing of a token, a bidder one offer on a token and one on a collection. A sale does not
 * tell the price: it is that of its listing.
 */
export const blueMove: AptosMarketplace = declareMarketplace({
  name: 'bluemove',
  packages: { [MAINNET]: '0xd1fd99c1944b84d1670a2536417e997864ad12303d19eac725891691b04d614e' },
  events: {
    'marketplaceV2::ListEvent': { means: 'list', ...listing, price: 'amount' },
    'marketplaceV2::ChangePriceEvent': { means: 'list', ...listing, price: 'amount' },
    'marketplaceV2::DelistEvent': { means: 'delist', ...listing },
    'marketplaceV2::BuyEvent': { means: 'buy', ...listing, buyer: 'buyer_address', closes: true },
    'offer_lib::OfferEvent': { means: 'offer', ...offer },
    'offer_lib::CancelOfferEvent': { means: 'cancel-offer', ...offer },
    'offer_lib::AcceptOfferEvent': { means: 'accept-offer', ...offer, seller: 'owner_token', closes: true },
    'offer_lib::OfferCollectionEvent': {
      means: 'offer',
      ...collectionOffer,
      collection: anyTokenOf,
      quantity,
    },
    'offer_lib::CancelOfferCollectionEvent': {
      means: 'cancel-offer',
      ...collectionOffer,
      collection: anyTokenOf,
      quantity,
    },
    'offer_lib::AcceptOfferCollectionEvent': {
      means: 'accept-offer',
      ...collectionOffer,
      token,
      seller: 'owner_token',
    },
  },
});
