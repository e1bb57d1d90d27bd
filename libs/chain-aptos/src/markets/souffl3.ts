import type { EventDeclaration } from './declaration';
import { declareMarketplace } from './declareMarketplace';
import { MAINNET, type AptosMarketplace } from './marketplace';

const listing = {
  key: ['$token', '$seller'],
  token: { v1: 'token_id' },
  quantity: '?token_amount',
  seller: 'token_owner',
  price: '?coin_per_token',
  pricePer: 'token',
  currency: '$type-argument',
} as const satisfies Partial<EventDeclaration>;

/** Souffl3: its events are generic in the coin; prices are of one token. */
export const souffl3: AptosMarketplace = declareMarketplace({
  name: 'souffl3',
  packages: { [MAINNET]: '0xf6994988bd40261af9431cd6dd3fcf765569719e66322c7a05cc78a89cd366d4' },
  events: {
    'FixedPriceMarket::ListTokenEvent': { means: 'list', ...listing },
    'FixedPriceMarket::CancelListTokenEvent': { means: 'delist', ...listing },
    'FixedPriceMarket::BuyTokenEvent': { means: 'buy', ...listing, buyer: 'buyer' },
  },
});
