import type { EventDeclaration } from './declaration';
import { declareMarketplace } from './declareMarketplace';
import { MAINNET, type AptosMarketplace } from './marketplace';

const listing = {
  key: ['id.addr', 'id.creation_num'],
  seller: 'id.addr',
} as const satisfies Partial<EventDeclaration>;

/** OKX: a sale does not name the token; the buyer's deposit in the same transaction does. */
export const okx: AptosMarketplace = declareMarketplace({
  name: 'okx',
  packages: { [MAINNET]: '0x1e6009ce9d288f3d5031c06ca0b19a334214ead798a0cb38808485bd6d997a43' },
  events: {
    'okx_listing_utils::ListingEvent': {
      means: 'list',
      ...listing,
      token: { v1: 'token_id' },
      price: 'min_price',
    },
    'okx_listing_utils::CancelListingEvent': { means: 'delist', ...listing, token: { v1: 'token_id' } },
    'okx_bid_utils::OrderExecutedEvent': {
      means: 'buy',
      ...listing,
      token: { receivedBy: 'buyer' },
      buyer: 'buyer',
      price: 'executed_price',
      closes: true,
    },
  },
});
