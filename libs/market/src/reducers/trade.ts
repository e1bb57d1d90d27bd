import { BEFORE_FIRST, type Folded, type FoldState } from '@imart/core';
import { splitContractId } from '../aggregates';
import type { MarketEvent, OrderCancelled, OrderFilled, OrderOpened, TradeItem, TradeSide } from '../events';
import type { ActivityKind, MarketActivity, OfferStatus, OrderStatus, TradeRow } from '../rows';

/**
 * What an order or offer aggregate is: its newest row. Orders that are named by a hash are listings or offers; the side is
 * a matter of the row. Older rows of the aggregate have ended and change no more, but for those that stand open beneath the newest:
 * it holds them.
 */
export interface TradeState extends FoldState {
  readonly aggregateType: 'order' | 'offer';
  readonly contract: string;
  readonly id: string;
  readonly row: TradeRow | null;
}

type TradeFolded = Folded<TradeState>;

export function initialTrade(aggregateType: 'order' | 'offer', aggregateId: string): TradeState {
  return { seqNo: BEFORE_FIRST, version: 0, aggregateType, row: null, ...splitContractId(aggregateId) };
}

export function restoreTrade(
  aggregateType: 'order' | 'offer',
  aggregateId: string,
  rows: readonly TradeRow[],
): TradeState {
  let newest: TradeRow | null = null;
  for (const row of rows) {
    if (row.aggregateType !== aggregateType) continue;
    if (newest === null || row.openedSeqNo > newest.openedSeqNo) newest = row;
  }
  const initial = initialTrade(aggregateType, aggregateId);
  return newest === null
    ? initial
    : { ...initial, seqNo: newest.seqNo, version: newest.version, row: newest };
}

/** Of an aggregate's rows only the newest one can change, and those that are open beneath it. */
export const rowsOfTrade = ({ row }: TradeState): readonly TradeRow[] =>
  row === null ? [] : [...(row.beneath ?? []), row];

const STATUS = {
  listing: { open: 'LISTING', filled: 'SOLD', cancelled: 'CANCELED' },
  offer: { open: 'CREATED', filled: 'ACCEPTED', cancelled: 'CANCELED' },
} as const satisfies Record<TradeSide, Record<string, OrderStatus | OfferStatus>>;

export const isOpen = (row: TradeRow): boolean => row.status === 'LISTING' || row.status === 'CREATED';
export const sideOf = (row: TradeRow): TradeSide => (row.table === 'orders' ? 'listing' : 'offer');

/** The row that an event about the aggregate is about: its newest open one, else its newest. */
const currentOf = ({ row }: TradeState): TradeRow | null =>
  row === null || isOpen(row) ? row : (row.beneath?.at(-1) ?? row);

/** All open rows of an aggregate, the newest last, each by itself. */
function openRows(newest: TradeRow | null, beneath: readonly TradeRow[] | null): readonly TradeRow[] {
  return [...(beneath ?? []), ...(newest !== null && isOpen(newest) ? [{ ...newest, beneath: null }] : [])];
}

/** As a row has it: no list is `null`. */
const beneathOf = (rows: readonly TradeRow[] | null): readonly TradeRow[] | null =>
  rows === null || rows.length === 0 ? null : rows;

function totalQuantity(items: readonly TradeItem[]): bigint {
  if (items.length === 1) return (items[0] as TradeItem).quantity;
  return items.reduce((sum, item) => sum + item.quantity, 0n);
}

/** The part of a row that says what it is for. */
function goods(items: readonly TradeItem[]): Pick<TradeRow, 'collection' | 'tokenId' | 'standard' | 'items'> {
  const only = items.length === 1 ? (items[0] as TradeItem) : null;
  return {
    collection: only?.collection ?? null,
    tokenId: only?.tokenId ?? null,
    standard: only?.standard ?? null,
    items: items.length > 1 ? items : null,
  };
}

function goodsOf(row: TradeRow | null): readonly TradeItem[] {
  if (row === null) return [];
  if (row.items !== null) return row.items;
  if (row.collection === null && row.tokenId === null) return [];
  return [
    {
      collection: row.collection,
      tokenId: row.tokenId,
      quantity: row.quantity ?? row.filledQuantity,
      standard: row.standard ?? 'erc721',
    },
  ];
}

/** A row for something of which only the end was seen: what was not seen is `null` (D14). */
function stub(
  state: TradeState,
  event: MarketEvent,
  side: TradeSide,
  data: OrderFilled | OrderCancelled,
): TradeRow {
  const items = data.items ?? [];
  return {
    table: side === 'listing' ? 'orders' : 'offers',
    key: `${state.contract}:${state.id}:${event.seqNo}`,
    seqNo: event.seqNo,
    version: state.version,
    aggregateType: state.aggregateType,
    contract: state.contract,
    id: state.id,
    openedSeqNo: event.seqNo,
    market: data.market,
    kind: 'fixed',
    maker: null,
    reservedFor: null,
    taker: null,
    ...goods(items),
    // A token that exists once is an order's whole quantity; of others the order may have been for more.
    quantity:
      items.length > 0 && items.every((item) => item.standard !== 'erc1155') ? totalQuantity(items) : null,
    filledQuantity: 0n,
    price: 'isSale' in data ? null : (data.price ?? null),
    currency: 'isSale' in data ? null : (data.currency ?? null),
    status: STATUS[side].open,
    nonce: data.nonce,
    orderHash: data.orderHash,
    escrow: false,
    startsAtUs: null,
    expiresAtUs: null,
    beneath: beneathOf(state.row?.beneath ?? null),
    createdAtUs: event.source.timeUs,
    updatedAtUs: event.source.timeUs,
  };
}

function touched(state: TradeState, event: MarketEvent, row: TradeRow): TradeRow {
  return { ...row, seqNo: event.seqNo, version: state.version + 1, updatedAtUs: event.source.timeUs };
}

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

interface ActivityParts {
  readonly market: string;
  readonly side: TradeSide;
  readonly from: string | null;
  readonly to: string | null;
  readonly price: bigint | null;
  readonly currency: string | null;
  readonly fees?: bigint | null;
  readonly royalties?: bigint | null;
}

/** One activity for each item, or one without a token when no item is known. */
function activitiesOf(
  kind: ActivityKind,
  state: TradeState,
  event: MarketEvent,
  items: readonly TradeItem[],
  parts: ActivityParts,
  firstItem = 0,
): MarketActivity[] {
  const one = (item: TradeItem | null, index: number): MarketActivity => ({
    event,
    item: firstItem + index,
    kind,
    market: parts.market,
    contract: state.contract,
    orderId: state.id,
    side: parts.side,
    collection: item?.collection ?? null,
    tokenId: item?.tokenId ?? null,
    quantity: item?.quantity ?? null,
    from: parts.from,
    to: parts.to,
    price: parts.price,
    currency: parts.currency,
    fees: parts.fees ?? null,
    royalties: parts.royalties ?? null,
    itemCount: Math.max(items.length, 1),
  });
  return items.length === 0 ? [one(null, 0)] : items.map(one);
}

function cancelActivities(
  state: TradeState,
  event: MarketEvent,
  row: TradeRow,
  firstItem = 0,
): MarketActivity[] {
  const side = sideOf(row);
  return activitiesOf(
    side === 'listing' ? 'CANCEL' : 'OFFER_CANCEL',
    state,
    event,
    goodsOf(row),
    { market: row.market, side, from: row.maker, to: null, price: row.price, currency: row.currency },
    firstItem,
  );
}

/**
 * A listing or an offer is made. When one is open already: by the same maker, its terms change, or it stays beside the new one
 * where the market allows that; by another maker, the old one ends, cancelled, because the market keeps one at a time under this name.
 */
export function foldOpened(state: TradeState, event: MarketEvent, data: OrderOpened): TradeFolded {
  const old = currentOf(state);
  const { side } = data;
  const parts: ActivityParts = {
    market: data.market,
    side,
    from: data.maker,
    to: data.taker,
    price: data.price,
    currency: data.currency,
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
    currency: data.currency,
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
  const currency = data.currency ?? old.currency;
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
