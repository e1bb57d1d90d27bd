/**
 * The events of IMart's modules, by `module::Struct`: the resource and field that keep the handle of each, and its place at the package's
 * account.
 */
export const SCRIPTED_EVENTS = {
  'FixedMarket::ListTokenEvent': ['FixedMarket::FixedMarketEvents/list_token_events', 4],
  'FixedMarket::DelistTokenEvent': ['FixedMarket::FixedMarketEvents/delist_token_events', 5],
  'FixedMarket::BuyTokenEvent': ['FixedMarket::FixedMarketEvents/buy_token_events', 6],
  'fixed_price_market::ListTokenEvent': ['fixed_price_market::FixedMarketEvents/list_token_events', 7],
  'fixed_price_market::DelistTokenEvent': ['fixed_price_market::FixedMarketEvents/delist_token_events', 8],
  'fixed_price_market::BuyTokenEvent': ['fixed_price_market::FixedMarketEvents/buy_token_events', 9],
  'offer::OfferTokenEvent': ['offer::OfferEvents/offer_token_events', 10],
  'offer::AcceptOfferEvent': ['offer::OfferEvents/accept_offer_events', 11],
  'offer::CancelOfferEvent': ['offer::OfferEvents/cancel_offer_events', 12],
  'creation::CollectionCreatedEvent': ['creation::CreationEvents/collection_created_events', 13],
  'creation::TokenCreatedEvent': ['creation::CreationEvents/token_created_events', 14],
  'curation::GalleryEvent': ['curation::CurationEvents/gallery_events', 15],
  'curation::OfferEvent': ['curation::CurationEvents/offer_events', 16],
  'curation::ExhibitEvent': ['curation::CurationEvents/exhibit_events', 17],
} as const satisfies Readonly<Record<string, readonly [string, number]>>;

export type ScriptedEventType = keyof typeof SCRIPTED_EVENTS;

/** An event of one of the modules, as it says it. */
export type ScriptedEvent = readonly [ScriptedEventType, object];
