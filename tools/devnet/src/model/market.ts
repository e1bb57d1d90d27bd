import type { ActionOf } from '../actions';
import type { ExpectedActivityKind } from '../expected';
import { hasApproved, moveToken, tokenOf } from './erc721';
import { demand, type ActivityDraft, type ModelState, type PredictedLog, type TradeState } from './state';

type Side = 'listing' | 'offer';

function tradeActivity(
  kind: ExpectedActivityKind,
  side: Side,
  trade: TradeState,
  from: string,
  to: string | null,
): ActivityDraft {
  return {
    kind,
    orderId: String(trade.id),
    side,
    collection: trade.collection,
    tokenId: String(trade.tokenId),
    quantity: '1',
    from,
    to,
    price: String(trade.price),
  };
}

function openTrade(state: ModelState, id: number, action: ActionOf<'list'> | ActionOf<'offer'>): TradeState {
  return {
    contract: state.contracts.market,
    id: BigInt(id),
    collection: action.collection,
    tokenId: action.tokenId,
    maker: action.by,
    quantity: 1n,
    taker: null,
    price: action.price,
    expiresAt: action.expiresAt,
    filled: 0n,
    status: 'open',
    createdAt: 0,
    updatedAt: 0,
  };
}

const updates = (trade: TradeState) => (time: number) => void (trade.updatedAt = time);
const creates = (trade: TradeState) => (time: number) => void (trade.createdAt = trade.updatedAt = time);

/** `Listed` and `OfferCreated` have the same shape. */
function termsLog(event: string, kind: ExpectedActivityKind, side: Side, trade: TradeState): PredictedLog {
  const { contract, id, collection, tokenId, maker, price, expiresAt } = trade;
  return {
    address: contract,
    event,
    args: [String(id), collection, String(tokenId), maker, String(price), String(expiresAt)],
    activities: [tradeActivity(kind, side, trade, maker, null)],
    stamp: kind === 'UPDATE' ? updates(trade) : creates(trade),
  };
}

function openOrder(state: ModelState, orderId: bigint): TradeState {
  const order = state.orders[Number(orderId) - 1];
  demand(order?.status === 'open', `order ${orderId} is not live`);
  return order;
}

function openOffer(state: ModelState, offerId: bigint): TradeState {
  const offer = state.offers[Number(offerId) - 1];
  demand(offer?.status === 'open', `offer ${offerId} is not live`);
  return offer;
}

function closeOrder(state: ModelState, order: TradeState, status: 'filled' | 'canceled'): void {
  order.status = status;
  state.open.orders.delete(order);
  tokenOf(state, order.collection, order.tokenId).orders.delete(order.maker);
}

function closeOffer(state: ModelState, offer: TradeState, status: 'filled' | 'canceled'): void {
  offer.status = status;
  state.open.offers.delete(offer);
}

function delistedLog(state: ModelState, order: TradeState): PredictedLog {
  closeOrder(state, order, 'canceled');
  return {
    address: order.contract,
    event: 'Delisted',
    args: [String(order.id)],
    activities: [tradeActivity('CANCEL', 'listing', order, order.maker, null)],
    stamp: updates(order),
  };
}

export function list(state: ModelState, action: ActionOf<'list'>): PredictedLog[] {
  const token = tokenOf(state, action.collection, action.tokenId);
  demand(token.owner === action.by, 'only the owner lists');
  demand(!token.orders.has(action.by), 'the seller has listed it already');
  const order = openTrade(state, state.orders.length + 1, action);
  state.orders.push(order);
  state.open.orders.add(order);
  token.orders.set(action.by, order.id);
  return [termsLog('Listed', 'LIST', 'listing', order)];
}

export function reprice(state: ModelState, action: ActionOf<'reprice'>): PredictedLog[] {
  const order = openOrder(state, action.orderId);
  demand(order.maker === action.by, 'only the seller reprices');
  order.price = action.price;
  order.expiresAt = action.expiresAt;
  return [termsLog('Listed', 'UPDATE', 'listing', order)];
}

export function buy(state: ModelState, action: ActionOf<'buy'>): PredictedLog[] {
  const order = openOrder(state, action.orderId);
  const token = tokenOf(state, order.collection, order.tokenId);
  demand(token.owner === order.maker, 'the seller no longer owns it');
  demand(
    hasApproved(state, order.collection, order.maker, order.contract),
    'the seller has not approved the market',
  );
  closeOrder(state, order, 'filled');
  order.taker = action.by;
  order.filled = 1n;
  const sold: PredictedLog = {
    address: order.contract,
    event: 'Sold',
    args: [String(order.id), action.by, String(order.price)],
    activities: [tradeActivity('SALE', 'listing', order, order.maker, action.by)],
    stamp: updates(order),
  };
  return [sold, moveToken(token, action.by)];
}

export function delist(state: ModelState, action: ActionOf<'delist'>): PredictedLog[] {
  const order = openOrder(state, action.orderId);
  demand(order.maker === action.by, 'only the seller delists');
  return [delistedLog(state, order)];
}

export function offer(state: ModelState, action: ActionOf<'offer'>): PredictedLog[] {
  const made = openTrade(state, state.offers.length + 1, action);
  state.offers.push(made);
  state.open.offers.add(made);
  return [termsLog('OfferCreated', 'OFFER', 'offer', made)];
}

export function acceptOffer(state: ModelState, action: ActionOf<'acceptOffer'>): PredictedLog[] {
  const taken = openOffer(state, action.offerId);
  const token = tokenOf(state, taken.collection, taken.tokenId);
  demand(token.owner === action.by, 'only the owner accepts');
  demand(
    hasApproved(state, taken.collection, action.by, taken.contract),
    'the owner has not approved the market',
  );
  const listed = token.orders.get(action.by);
  const ended = listed === undefined ? [] : [delistedLog(state, openOrder(state, listed))];
  closeOffer(state, taken, 'filled');
  taken.taker = action.by;
  taken.filled = 1n;
  const accepted: PredictedLog = {
    address: taken.contract,
    event: 'OfferAccepted',
    args: [String(taken.id), action.by],
    activities: [tradeActivity('SALE', 'offer', taken, action.by, taken.maker)],
    stamp: updates(taken),
  };
  return [...ended, accepted, moveToken(token, taken.maker)];
}

export function cancelOffer(state: ModelState, action: ActionOf<'cancelOffer'>): PredictedLog[] {
  const canceled = openOffer(state, action.offerId);
  demand(canceled.maker === action.by, 'only the bidder cancels');
  closeOffer(state, canceled, 'canceled');
  return [
    {
      address: canceled.contract,
      event: 'OfferCanceled',
      args: [String(canceled.id)],
      activities: [tradeActivity('OFFER_CANCEL', 'offer', canceled, canceled.maker, null)],
      stamp: updates(canceled),
    },
  ];
}
