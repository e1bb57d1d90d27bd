/**
 * Marketplace events and how they fold into market state. Guarantees: pure; quantities are `bigint`; the stored form of
 * an event is the same text for the same data.
 */
export {
  AGGREGATE,
  balanceAggregateId,
  splitBalanceId,
  splitContractId,
  tokenAggregateId,
  ZERO_ADDRESS,
} from './aggregates';
export {
  marketEventCodec,
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
export type {
  ActivityKind,
  BalanceRow,
  CollectionRow,
  MakerRow,
  MarketActivity,
  MarketRow,
  OfferStatus,
  OrderStatus,
  TokenRow,
  TradeRow,
} from './rows';
export { marketReducers } from './reducers';
