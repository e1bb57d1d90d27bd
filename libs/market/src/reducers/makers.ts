import { BEFORE_FIRST, type FoldState, type Reducer } from '@imart/core';
import { AGGREGATE, splitContractId } from '../aggregates';
import type { MarketEvent } from '../events';
import type { MakerRow } from '../rows';
import { unexpected } from './unexpected';

export interface MakerState extends FoldState {
  readonly contract: string;
  readonly maker: string;
  readonly row: MakerRow | null;
}

const greater = (a: bigint | null, b: bigint): bigint => (a === null || b > a ? b : a);

/** From when on, and below which nonce, a maker's orders on one market are void. Which orders that hits, a view tells. */
export const makerReducer: Reducer<MakerState> = {
  aggregateType: AGGREGATE.maker,
  version: 1,
  tables: ['makers'],
  initial(aggregateId) {
    const { contract, id } = splitContractId(aggregateId);
    return { seqNo: BEFORE_FIRST, version: 0, contract, maker: id, row: null };
  },
  restore(aggregateId, rows) {
    const row = (rows[0] as MakerRow | undefined) ?? null;
    const initial = this.initial(aggregateId);
    return row === null ? initial : { ...initial, seqNo: row.seqNo, version: row.version, row };
  },
  rowsOf: ({ row }) => (row === null ? [] : [row]),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    if (event.name !== 'MakerOrdersVoided') throw unexpected('maker', event);
    const { side, belowNonce } = event.data;
    const { row: old } = state;
    const base: MakerRow = old ?? {
      table: 'makers',
      key: `${state.contract}:${state.maker}`,
      seqNo: event.seqNo,
      version: 0,
      contract: state.contract,
      maker: state.maker,
      market: event.data.market,
      listingsVoidedSeqNo: null,
      offersVoidedSeqNo: null,
      listingsVoidedBelow: null,
      offersVoidedBelow: null,
      createdAtUs: event.source.timeUs,
      updatedAtUs: event.source.timeUs,
    };
    const listings = side !== 'offer';
    const offers = side !== 'listing';
    const row: MakerRow = {
      ...base,
      seqNo: event.seqNo,
      version: state.version + 1,
      updatedAtUs: event.source.timeUs,
      ...(belowNonce === null
        ? {
            listingsVoidedSeqNo: listings ? event.seqNo : base.listingsVoidedSeqNo,
            offersVoidedSeqNo: offers ? event.seqNo : base.offersVoidedSeqNo,
          }
        : {
            listingsVoidedBelow: listings
              ? greater(base.listingsVoidedBelow, belowNonce)
              : base.listingsVoidedBelow,
            offersVoidedBelow: offers ? greater(base.offersVoidedBelow, belowNonce) : base.offersVoidedBelow,
          }),
    };
    return {
      state: { ...state, seqNo: event.seqNo, version: row.version, row },
      rows: [row],
      activities: [],
    };
  },
};
