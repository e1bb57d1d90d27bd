import type { Reducer } from '@imart/core';
import { AGGREGATE } from '../aggregates';
import type { MarketEvent } from '../events';
import type { TradeRow } from '../rows';
import { foldCancelled, foldFilled, foldOpened, foldPriceChanged } from './trade';
import { initialTrade, restoreTrade, rowsOfTrade, type TradeState } from './tradeRows';
import { unexpected } from './unexpected';

/** Orders by id or hash. A cancelled or filled order of unknown side counts as a listing. */
export const orderReducer: Reducer<TradeState> = {
  aggregateType: AGGREGATE.order,
  version: 4,
  tables: ['orders', 'offers'],
  initial: (id) => initialTrade('order', id),
  restore: (id, rows) => restoreTrade('order', id, rows as readonly TradeRow[]),
  rowsOf: rowsOfTrade,
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    switch (event.name) {
      case 'OrderListed':
        return foldOpened(state, event, event.data);
      case 'OrderPriceChanged':
        return foldPriceChanged(state, event, event.data);
      case 'OrderFilled':
        return foldFilled(state, event, event.data, 'listing');
      case 'OrderCancelled':
        return foldCancelled(state, event, event.data, 'listing');
      default:
        throw unexpected('order', event);
    }
  },
};

/**
 * Offers of markets that count them apart from orders. An event that calls one a listing is refused: its row would be in a
 * table that this reducer is not restored from.
 */
export const offerReducer: Reducer<TradeState> = {
  aggregateType: AGGREGATE.offer,
  version: 4,
  tables: ['offers'],
  initial: (id) => initialTrade('offer', id),
  restore: (id, rows) => restoreTrade('offer', id, rows as readonly TradeRow[]),
  rowsOf: rowsOfTrade,
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    switch (event.name) {
      case 'OfferCreated':
      case 'OfferAccepted':
      case 'OfferCancelled':
        if (event.data.side === 'listing') throw unexpected('offer', event);
    }
    switch (event.name) {
      case 'OfferCreated':
        return foldOpened(state, event, event.data);
      case 'OfferAccepted':
        return foldFilled(state, event, event.data, 'offer');
      case 'OfferCancelled':
        return foldCancelled(state, event, event.data, 'offer');
      default:
        throw unexpected('offer', event);
    }
  },
};
