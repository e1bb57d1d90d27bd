import type { Folded } from '@imart/core';
import type { MarketEvent, OrderCancelled, OrderFilled, OrderOpened, TradeSide } from '../events';
import type { MarketActivity, TradeRow } from '../rows';
import { inFormOf } from '../zeroAddress';
import { activitiesOf, cancelActivities, type ActivityParts } from './tradeActivities';
import {
  beneathOf,
  currentOf,
  goods,
  goodsOf,
  isOpen,
  openRows,
  sideOf,
  STATUS,
  stub,
  totalQuantity,
  touched,
  type TradeState,
} from './tradeRows';

type TradeFolded = Folded<TradeState>;

function became(
  state: TradeState,
  event: MarketEvent,
  row: TradeRow,
  activities: readonly MarketActivity[],
  others: readonly TradeRow[] = [],
): TradeFolded {
  const { row: newest } = state;
  if (newest !== null && row.openedSeqNo < newest.openedSeqNo) {
    // One that stood beneath: the newest row, which holds the aggregate's state, holds it as it is now.
    const others = (newest.beneath ?? []).filter(({ openedSeqNo }) => openedSeqNo !== row.openedSeqNo);
    const holder: TradeRow = {
      ...newest,
      beneath: beneathOf(isOpen(row) ? [...others, row] : others),
      seqNo: event.seqNo,
      version: state.version + 1,
    };
    return {
      state: { ...state, seqNo: event.seqNo, version: state.version + 1, row: holder },
      rows: [row, holder],
      activities,
    };
  }
  return {
    state: { ...state, seqNo: event.seqNo, version: state.version + 1, row },
    rows: [...others, row],
    activities,
  };
}

/**
 * A listing or an offer is made. When one is open already: by the same maker, its terms change, or it stays beside the new one
 * where the market allows that; by another maker, the old one ends, cancelled, because the market keeps one at a time under this name.
 */
export function foldOpened(state: TradeState, event: MarketEvent, data: OrderOpened): TradeFolded {
  const old = currentOf(state);
  const { side } = data;
  const currency = inFormOf(state.contract, data.currency);
  const parts: ActivityParts = {
    market: data.market,
    side,
    from: data.maker,
    to: data.taker,
    price: data.price,
    currency,
  };
  const terms = {
    market: data.market,
    kind: data.kind,
    maker: data.maker,
    reservedFor: data.taker,
    ...goods(data.items),
    // An offer that names nothing (a bid in an auction) is for whatever the auction is about.
    quantity: data.items.length === 0 ? null : totalQuantity(data.items),
    price: data.price,
    currency,
    nonce: data.nonce,
    orderHash: data.orderHash,
    escrow: data.escrow,
    startsAtUs: data.startsAtUs,
    expiresAtUs: data.expiresAtUs,
  };
  const same = old !== null && isOpen(old) && old.maker === data.maker && sideOf(old) === side;
  if (same && data.alongside !== true) {
    const kind = side === 'listing' ? 'UPDATE' : 'OFFER';
    const row = touched(state, event, { ...old, ...terms });
    return became(state, event, row, activitiesOf(kind, state, event, data.items, parts));
  }
  // What stood beneath the newest row stands beneath this one now, and is written there only.
  const { row: newest } = state;
  const emptied: readonly TradeRow[] =
    newest === null || newest.beneath === null
      ? []
      : [{ ...newest, beneath: null, seqNo: event.seqNo, version: state.version + 1 }];
  const row: TradeRow = {
    table: side === 'listing' ? 'orders' : 'offers',
    key: `${state.contract}:${state.id}:${event.seqNo}`,
    seqNo: event.seqNo,
    version: state.version + 1,
    aggregateType: state.aggregateType,
    contract: state.contract,
    id: state.id,
    openedSeqNo: event.seqNo,
    ...terms,
    taker: null,
    filledQuantity: 0n,
    status: STATUS[side].open,
    beneath: beneathOf(
      openRows(emptied[0] ?? newest, newest?.beneath ?? null).filter(
        (one) => same || one.openedSeqNo !== old?.openedSeqNo,
      ),
    ),
    createdAtUs: event.source.timeUs,
    updatedAtUs: event.source.timeUs,
  };
  const kind = side === 'listing' ? 'LIST' : 'OFFER';
  if (same || old === null || !isOpen(old)) {
    const opens = activitiesOf(kind, state, event, data.items, parts);
    return became(state, event, row, opens, emptied);
  }
  const ended = touched(state, event, { ...old, beneath: null, status: STATUS[sideOf(old)].cancelled });
  const cancels = cancelActivities(state, event, old);
  const opens = activitiesOf(kind, state, event, data.items, parts, cancels.length);
  // Of two rows of one key the later counts: the newest row may be the one that ends.
  return became(state, event, row, [...cancels, ...opens], [...emptied, ended]);
}

export function foldPriceChanged(
  state: TradeState,
  event: MarketEvent,
  data: { market: string; price: bigint | null; expiresAtUs: bigint | null },
): TradeFolded {
  const old = currentOf(state);
  if (old === null || !isOpen(old)) return { state, rows: [], activities: [] };
  const row = touched(state, event, {
    ...old,
    price: data.price ?? old.price,
    expiresAtUs: data.expiresAtUs ?? old.expiresAtUs,
  });
  if (data.price === null) return became(state, event, row, []);
  const parts: ActivityParts = {
    market: data.market,
    side: sideOf(old),
    from: old.maker,
    to: null,
    price: row.price,
    currency: row.currency,
  };
  return became(state, event, row, activitiesOf('UPDATE', state, event, goodsOf(row), parts));
}

/** An order or offer is taken, whole or in part. One that was never seen gets a row made from what the fill tells. */
export function foldFilled(
  state: TradeState,
  event: MarketEvent,
  data: OrderFilled,
  defaultSide: TradeSide,
): TradeFolded {
  const known = currentOf(state);
  // Fills of an order of unknown size may go on after the first: they belong to the same row.
  const goesOn =
    known !== null && (isOpen(known) || (known.quantity === null && known.status !== 'CANCELED'));
  const old = goesOn ? known : stub(state, event, data.side ?? defaultSide, data);
  const side = sideOf(old);
  const items = data.items ?? goodsOf(old);
  const filledNow =
    data.items === null && old.quantity !== null ? old.quantity - old.filledQuantity : totalQuantity(items);
  // What the chain says is left counts fills too that were not seen.
  const left = data.remaining;
  const sizeUnknown = !goesOn || old.quantity === null;
  const quantity = left !== undefined && sizeUnknown ? old.filledQuantity + filledNow + left : old.quantity;
  const filledQuantity =
    left !== undefined && quantity !== null && quantity >= left
      ? quantity - left
      : old.filledQuantity + filledNow;
  const finished = data.closes ?? (quantity === null || filledQuantity >= quantity);
  const seller = data.seller ?? (side === 'listing' ? old.maker : null);
  const buyer = data.buyer ?? (side === 'offer' ? old.maker : null);
  const price = data.price ?? old.price;
  const currency = inFormOf(state.contract, data.currency) ?? old.currency;
  const row = touched(state, event, {
    ...old,
    ...(old.collection === null && old.tokenId === null && old.items === null ? goods(items) : {}),
    maker: old.maker ?? (side === 'listing' ? seller : buyer),
    taker: (side === 'listing' ? buyer : seller) ?? old.taker,
    quantity,
    filledQuantity,
    price: old.price ?? price,
    currency: old.currency ?? currency,
    nonce: old.nonce ?? data.nonce,
    orderHash: old.orderHash ?? data.orderHash,
    status: finished ? STATUS[side].filled : old.status,
  });
  if (!data.isSale) return became(state, event, row, []);
  const { fees, royalties } = data;
  const parts: ActivityParts = {
    market: data.market,
    side,
    from: seller,
    to: buyer,
    price,
    currency,
    fees,
    royalties: royalties ?? null,
  };
  return became(state, event, row, activitiesOf('SALE', state, event, items, parts));
}

/** An order or offer is cancelled. What was never seen gets a cancelled row, so that it can never look alive later. */
export function foldCancelled(
  state: TradeState,
  event: MarketEvent,
  data: OrderCancelled,
  defaultSide: TradeSide,
): TradeFolded {
  const known = currentOf(state);
  const open = known !== null && isOpen(known);
  const others = data.onlyMaker !== null && known?.maker !== data.onlyMaker;
  if ((data.onlyIfOpen && !open) || others) return { state, rows: [], activities: [] };
  if (known !== null && !open) {
    // Nothing is left to cancel, but that it was cancelled is part of the history; told once, like any other event.
    const same = touched(state, event, known);
    return became(state, event, same, cancelActivities(state, event, known));
  }
  const old = known ?? { ...stub(state, event, data.side ?? defaultSide, data), maker: data.maker };
  const row = touched(state, event, { ...old, status: 'CANCELED' });
  return became(state, event, row, cancelActivities(state, event, row));
}
