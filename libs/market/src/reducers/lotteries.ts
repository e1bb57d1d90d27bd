import { BEFORE_FIRST, type FoldState, type Reducer } from '@imart/core';
import { AGGREGATE, splitContractId, splitPrizeId } from '../aggregates';
import type { MarketEvent } from '../events';
import type { LotteryRow, MarketActivity, PrizeRow } from '../rows';
import { unexpected } from './unexpected';

export interface LotteryState extends FoldState {
  readonly contract: string;
  readonly id: string;
  readonly row: LotteryRow | null;
}

export interface PrizeState extends FoldState {
  readonly contract: string;
  readonly lotteryId: string;
  readonly tokenId: bigint;
  readonly row: PrizeRow | null;
}

const WITHOUT_TRADE = {
  item: 0,
  side: null,
  price: null,
  currency: null,
  fees: null,
  royalties: null,
  itemCount: 1,
} as const;

/** What the lottery itself is after an event, without what every row has. */
function lotteryAfter(
  event: MarketEvent,
  old: LotteryRow | null,
): Pick<LotteryRow, 'market' | 'status' | 'organizer' | 'collection' | 'endBlock' | 'merkleRoot'> {
  const before = {
    organizer: old?.organizer ?? null,
    collection: old?.collection ?? null,
    endBlock: old?.endBlock ?? null,
    merkleRoot: old?.merkleRoot ?? null,
  };
  switch (event.name) {
    case 'LotteryOpened': {
      const { market, organizer, collection, endBlock } = event.data;
      // A root that was published before the opening is told is this lottery's; after it, that of the one before.
      const merkleRoot = before.organizer === null ? before.merkleRoot : null;
      const status = merkleRoot === null ? 'open' : 'drawn';
      return { market, status, organizer, collection, endBlock, merkleRoot };
    }
    case 'LotteryDrawn': {
      const { market, merkleRoot } = event.data;
      const status = old?.status === 'withdrawn' ? 'withdrawn' : 'drawn';
      return { ...before, market, status, merkleRoot };
    }
    case 'LotteryWithdrawn': {
      const { market, organizer } = event.data;
      return { ...before, market, status: 'withdrawn', organizer: organizer ?? before.organizer };
    }
    default:
      throw unexpected('lottery', event);
  }
}

function withdrawalFrom(event: MarketEvent, row: LotteryRow): MarketActivity {
  return {
    ...WITHOUT_TRADE,
    event,
    kind: 'PRIZE_WITHDRAW',
    market: row.market,
    contract: row.contract,
    orderId: row.id,
    collection: row.collection,
    tokenId: null,
    quantity: null,
    from: null,
    to: row.organizer,
  };
}

/** Lotteries. Their prizes are aggregates of their own: a claim names its prize, and nothing else changes by it. */
export const lotteryReducer: Reducer<LotteryState> = {
  aggregateType: AGGREGATE.lottery,
  version: 1,
  tables: ['lotteries'],
  initial: (aggregateId) => ({ seqNo: BEFORE_FIRST, version: 0, row: null, ...splitContractId(aggregateId) }),
  restore(aggregateId, rows) {
    const row = (rows[0] as LotteryRow | undefined) ?? null;
    const initial = this.initial(aggregateId);
    return row === null ? initial : { ...initial, seqNo: row.seqNo, version: row.version, row };
  },
  rowsOf: ({ row }) => (row === null ? [] : [row]),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    const { contract, id, row: old } = state;
    const row: LotteryRow = {
      table: 'lotteries',
      key: `${contract}:${id}`,
      seqNo: event.seqNo,
      version: state.version + 1,
      contract,
      id,
      ...lotteryAfter(event, old),
      createdAtUs: old?.createdAtUs ?? event.source.timeUs,
      updatedAtUs: event.source.timeUs,
    };
    return {
      state: { ...state, seqNo: row.seqNo, version: row.version, row },
      rows: [row],
      activities: event.name === 'LotteryWithdrawn' ? [withdrawalFrom(event, row)] : [],
    };
  },
};

/** What a prize is after an event, without what every row has. */
function prizeAfter(
  event: MarketEvent,
  old: PrizeRow | null,
): Pick<PrizeRow, 'market' | 'organizer' | 'collection' | 'quantity' | 'claimedQuantity' | 'claimer'> {
  const claimedQuantity = old?.claimedQuantity ?? 0n;
  const claimer = old?.claimer ?? null;
  switch (event.name) {
    case 'PrizeOffered': {
      const { market, organizer, collection, quantity } = event.data;
      return {
        market,
        organizer,
        collection,
        quantity: (old?.quantity ?? 0n) + quantity,
        claimedQuantity,
        claimer,
      };
    }
    case 'PrizeClaimed':
      return {
        market: event.data.market,
        organizer: event.data.organizer ?? old?.organizer ?? null,
        collection: old?.collection ?? null,
        quantity: old?.quantity ?? null,
        claimedQuantity: claimedQuantity + 1n,
        claimer: event.data.claimer,
      };
    default:
      throw unexpected('prize', event);
  }
}

/** Prizes: what can be won, and by whom it was. */
export const prizeReducer: Reducer<PrizeState> = {
  aggregateType: AGGREGATE.prize,
  version: 1,
  tables: ['prizes'],
  initial: (aggregateId) => ({ seqNo: BEFORE_FIRST, version: 0, row: null, ...splitPrizeId(aggregateId) }),
  restore(aggregateId, rows) {
    const row = (rows[0] as PrizeRow | undefined) ?? null;
    const initial = this.initial(aggregateId);
    return row === null ? initial : { ...initial, seqNo: row.seqNo, version: row.version, row };
  },
  rowsOf: ({ row }) => (row === null ? [] : [row]),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    const { contract, lotteryId, tokenId, row: old } = state;
    const row: PrizeRow = {
      table: 'prizes',
      key: `${contract}:${lotteryId}:${tokenId}`,
      seqNo: event.seqNo,
      version: state.version + 1,
      contract,
      lotteryId,
      tokenId,
      ...prizeAfter(event, old),
      createdAtUs: old?.createdAtUs ?? event.source.timeUs,
      updatedAtUs: event.source.timeUs,
    };
    const activity: MarketActivity = {
      ...WITHOUT_TRADE,
      event,
      kind: event.name === 'PrizeClaimed' ? 'PRIZE_CLAIM' : 'PRIZE',
      market: row.market,
      contract,
      orderId: lotteryId,
      collection: row.collection,
      tokenId,
      quantity: event.name === 'PrizeOffered' ? event.data.quantity : 1n,
      from: row.organizer,
      to: event.name === 'PrizeClaimed' ? event.data.claimer : null,
    };
    return {
      state: { ...state, seqNo: row.seqNo, version: row.version, row },
      rows: [row],
      activities: [activity],
    };
  },
};
