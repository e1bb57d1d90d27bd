/**
 * Marketplace events and how they fold into market state. Guarantees: pure; quantities are `bigint`; the stored form of
 * an event is the same text for the same data.
 */
export {
  AGGREGATE,
  balanceAggregateId,
  claimAggregateId,
  splitBalanceId,
  splitClaimId,
  splitContractId,
  tokenAggregateId,
  ZERO_ADDRESS,
} from './aggregates';
export {
  marketEventCodec,
  type CurationOfferStatus,
  type ExhibitStatus,
  type MarketEvent,
  type MarketEventData,
  type MarketEventName,
  type OrderCancelled,
  type OrderFilled,
  type OrderKind,
  type OrderOpened,
  type TokenStandard,
  type TradeItem,
  type TradeSide,
} from './events';
export {
  isTold,
  NOTIFICATION_KINDS,
  NOTIFICATION_TITLES,
  notificationsOf,
  offeredTokens,
  type Notification,
  type NotificationKind,
  type ToldActivity,
  type ToldEvent,
  type ToldFacts,
  type ToldRow,
} from './notifications';
export type {
  ActivityKind,
  BalanceRow,
  ClaimRow,
  ClaimStatus,
  CollectionRow,
  CurationOfferRow,
  ExhibitRow,
  GalleryRow,
  MakerRow,
  MarketActivity,
  MarketRow,
  OfferStatus,
  OrderStatus,
  TokenDetailsRow,
  TokenRow,
  TradeRow,
} from './rows';
export { marketReducers } from './reducers';
