import type { EventDeclaration, MarketDeclaration } from './declaration';
import { declareMarketplace } from './declareMarketplace';
import type { HandleTypes } from './handleFields';
import type { AptosMarketplace } from './marketplace';

const token = { v1: 'token_id' } as const;
const currency = '?coin_type_info';

/**
 * Of one seller and one token. `offer_id` counts what is done, not listings: what is listed as 7 is taken down as 8, so it names nothing.
 * The same seller may list the same token again: every listing stays, and a sale or a delisting ends the newest.
 */
const listing = {
  key: ['$token', '$seller'],
  token,
  quantity: '?token_amount',
  seller: 'seller',
  currency,
} as const satisfies Partial<EventDeclaration>;

/** Of one bidder and one token; an answer is to the newest. */
const offer = {
  key: ['$token', '$buyer'],
  token,
  quantity: '?token_amount',
  buyer: 'coin_owner',
  pricePer: 'token',
  price: '?coin_amount_per_token',
  currency,
} as const satisfies Partial<EventDeclaration>;

const market: MarketDeclaration['events'] = {
  // `locked_until_secs` is no time of expiry, and holds microseconds as well as seconds: it is left alone.
  ListTokenEvent: { means: 'list', ...listing, price: 'price', nonce: 'offer_id', alongside: true },
  DelistTokenEvent: { means: 'delist', ...listing },
  BuyTokenEvent: {
    means: 'buy',
    ...listing,
    buyer: 'buyer',
    price: 'coin_amount|price',
    closes: true,
  },
};

const handlesOf = (module: string): HandleTypes => ({
  [`${module}::FixedMarketEvents/list_token_events`]: `${module}::ListTokenEvent`,
  [`${module}::FixedMarketEvents/delist_token_events`]: `${module}::DelistTokenEvent`,
  [`${module}::FixedMarketEvents/buy_token_events`]: `${module}::BuyTokenEvent`,
});

const named = (module: string, events: MarketDeclaration['events']): MarketDeclaration['events'] =>
  Object.fromEntries(Object.entries(events).map(([struct, declared]) => [`${module}::${struct}`, declared]));

/** IMart's market and its offers. Its address is one for each deployment: always in the setting. */
export const imart: AptosMarketplace = declareMarketplace({
  name: 'imart',
  events: {
    // The module's older name, and its newer one.
    ...named('FixedMarket', market),
    ...named('fixed_price_market', market),
    'offer::OfferTokenEvent': {
      means: 'offer',
      ...offer,
      alongside: true,
      nonce: '?event_id',
      // Seconds from a moment in microseconds.
      expiresAt: { value: '?expiration_time', unit: 's', after: { value: 'timestamp', unit: 'us' } },
    },
    'offer::AcceptOfferEvent': {
      means: 'accept-offer',
      ...offer,
      seller: '?token_owner',
      closes: 'is_offer_end',
    },
    'offer::CancelOfferEvent': {
      means: 'cancel-offer',
      ...offer,
      pricePer: 'order',
      price: '?coin_amount',
    },
  },
  // Its sources name the handles; of its events' types the ledger has shown those of lists and delists only.
  handles: {
    ...handlesOf('FixedMarket'),
    ...handlesOf('fixed_price_market'),
    'offer::OfferEvents/offer_token_events': 'offer::OfferTokenEvent',
    'offer::OfferEvents/accept_offer_events': 'offer::AcceptOfferEvent',
    'offer::OfferEvents/cancel_offer_events': 'offer::CancelOfferEvent',
  },
});
