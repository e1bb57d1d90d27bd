/**
 * Marketplace events and how they fold into market state. Guarantees: pure; quantities are `bigint`; the stored form of
 * an event is the same text for the same data.
 */
export {
  AGGREGATE,
  balanceAggregateId,
  claimAggregateId,
  commissionAggregateId,
  prizeAggregateId,
  splitBalanceId,
  splitClaimId,
  splitCommissionId,
  splitContractId,
  splitPrizeId,
  tokenAggregateId,
} from './aggregates';
export { curationOfferStatusOf, exhibitStatusOf } from './curationWords';
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
  type TradeItem,
  type TradeSide,
} from './events';
export { PLAIN_CANCELLED, PLAIN_OPENED, PLAIN_SALE } from './plainOrder';
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
  CommissionRow,
  CurationOfferRow,
  ExhibitRow,
  GalleryRow,
  LotteryRow,
  LotteryStatus,
  MakerRow,
  MarketActivity,
  MarketRow,
  OfferStatus,
  OrderStatus,
  PrizeRow,
  TokenDetailsRow,
  TokenRow,
  TradeRow,
} from './rows';
export { marketReducers } from './reducers';
export type { TokenStandard } from './tokenStandards';
export { isZeroAddress } from './zeroAddress';
