import type { Reducer } from '@imart/core';
import { AGGREGATE, splitContractId } from '../aggregates';
import type { MarketEvent } from '../events';
import type { MakerRow } from '../rows';
import { oneRow, type OneRowState } from './oneRow';
import { unexpected } from './unexpected';

interface MakerId {
  readonly contract: string;
  readonly maker: string;
}
export type MakerState = OneRowState<MakerId, MakerRow>;

const greater = (a: bigint | null, b: bigint): bigint => (a === null || b > a ? b : a);

/** From when on, and below which nonce, a maker's orders on one market are void. Which orders that hits, a view tells. */
export const makerReducer: Reducer<MakerState> = {
  aggregateType: AGGREGATE.maker,
  version: 1,
  ...oneRow<MakerId, MakerRow>('makers', (aggregateId) => {
    const { contract, id } = splitContractId(aggregateId);
    return { contract, maker: id };
  }),
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
