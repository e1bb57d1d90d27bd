import { BEFORE_FIRST, type FoldState } from '@imart/core';
import { splitContractId } from '../aggregates';
import type { MarketEvent, OrderCancelled, OrderFilled, TradeItem, TradeSide } from '../events';
import type { OfferStatus, OrderStatus, TradeRow } from '../rows';
import { STANDARD_OF_UNTOLD_TOKEN, TOKEN_STANDARDS } from '../tokenStandards';
import { inFormOf } from '../zeroAddress';

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

/** What the states of a trade are called on each side. */
export const STATUS = {
  listing: { open: 'LISTING', filled: 'SOLD', cancelled: 'CANCELED' },
  offer: { open: 'CREATED', filled: 'ACCEPTED', cancelled: 'CANCELED' },
} as const satisfies Record<TradeSide, Record<string, OrderStatus | OfferStatus>>;

export const isOpen = (row: TradeRow): boolean => row.status === 'LISTING' || row.status === 'CREATED';
export const sideOf = (row: TradeRow): TradeSide => (row.table === 'orders' ? 'listing' : 'offer');

/** The row that an event about the aggregate is about: its newest open one, else its newest. */
export const currentOf = ({ row }: TradeState): TradeRow | null =>
  row === null || isOpen(row) ? row : (row.beneath?.at(-1) ?? row);

/** All open rows of an aggregate, the newest last, each by itself. */
export function openRows(newest: TradeRow | null, beneath: readonly TradeRow[] | null): readonly TradeRow[] {
  return [...(beneath ?? []), ...(newest !== null && isOpen(newest) ? [{ ...newest, beneath: null }] : [])];
}

/** As a row has it: no list is `null`. */
export const beneathOf = (rows: readonly TradeRow[] | null): readonly TradeRow[] | null =>
  rows === null || rows.length === 0 ? null : rows;

/** Of all items together. */
export function totalQuantity(items: readonly TradeItem[]): bigint {
  if (items.length === 1) return (items[0] as TradeItem).quantity;
  return items.reduce((sum, item) => sum + item.quantity, 0n);
}

/** The part of a row that says what it is for. */
export function goods(
  items: readonly TradeItem[],
): Pick<TradeRow, 'collection' | 'tokenId' | 'standard' | 'items'> {
  const only = items.length === 1 ? (items[0] as TradeItem) : null;
  return {
    collection: only?.collection ?? null,
    tokenId: only?.tokenId ?? null,
    standard: only?.standard ?? null,
    items: items.length > 1 ? items : null,
  };
}

/** What a row is for, as items; what is not known is no item. */
export function goodsOf(row: TradeRow | null): readonly TradeItem[] {
  if (row === null) return [];
  if (row.items !== null) return row.items;
  if (row.collection === null && row.tokenId === null) return [];
  return [
    {
      collection: row.collection,
      tokenId: row.tokenId,
      quantity: row.quantity ?? row.filledQuantity,
      standard: row.standard ?? STANDARD_OF_UNTOLD_TOKEN,
    },
  ];
}

/** How many an order was for that only this event tells of; `null`: not known. That is a matter of what its tokens are. */
function sizeTold(data: OrderFilled | OrderCancelled): bigint | null {
  const items = data.items ?? [];
  const isPart = 'isSale' in data && data.closes !== true;
  const isWhole = ({ standard }: TradeItem): boolean => {
    const { isWholeOrder } = TOKEN_STANDARDS[standard];
    return isWholeOrder === 'always' || (isWholeOrder === 'at-the-end' && !isPart);
  };
  return items.length > 0 && items.every(isWhole) ? totalQuantity(items) : null;
}

/** A row for something of which only the end was seen: what was not seen is `null` (D14). */
export function stub(
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
    quantity: sizeTold(data),
    filledQuantity: 0n,
    price: 'isSale' in data ? null : (data.price ?? null),
    currency: 'isSale' in data ? null : inFormOf(state.contract, data.currency ?? null),
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

/** A row as this event leaves it. */
export function touched(state: TradeState, event: MarketEvent, row: TradeRow): TradeRow {
  return { ...row, seqNo: event.seqNo, version: state.version + 1, updatedAtUs: event.source.timeUs };
}
