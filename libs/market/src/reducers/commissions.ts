import { BEFORE_FIRST, type FoldState, type Reducer } from '@imart/core';
import { AGGREGATE, splitCommissionId } from '../aggregates';
import type { MarketEvent } from '../events';
import type { CommissionRow } from '../rows';
import { unexpected } from './unexpected';

export interface CommissionState extends FoldState {
  readonly contract: string;
  readonly galleryId: bigint;
  readonly payee: string;
  readonly row: CommissionRow | null;
}

/**
 * What payees may claim, each as it was last said to be. There is no history of payments: the events tell balances, and one
 * of them may stand for a sale, a claim, or several of both.
 */
export const commissionReducer: Reducer<CommissionState> = {
  aggregateType: AGGREGATE.commission,
  version: 1,
  tables: ['commissions'],
  initial: (aggregateId) => ({
    seqNo: BEFORE_FIRST,
    version: 0,
    row: null,
    ...splitCommissionId(aggregateId),
  }),
  restore(aggregateId, rows) {
    const row = (rows[0] as CommissionRow | undefined) ?? null;
    const initial = this.initial(aggregateId);
    return row === null ? initial : { ...initial, seqNo: row.seqNo, version: row.version, row };
  },
  rowsOf: ({ row }) => (row === null ? [] : [row]),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    if (event.name !== 'CommissionChanged') throw unexpected('commission', event);
    const { contract, galleryId, payee, row: old } = state;
    const { market, claimable, currency } = event.data;
    const row: CommissionRow = {
      table: 'commissions',
      key: `${contract}:${galleryId}:${payee}`,
      seqNo: event.seqNo,
      version: state.version + 1,
      contract,
      galleryId,
      payee,
      market,
      claimable,
      currency: currency ?? old?.currency ?? null,
      createdAtUs: old?.createdAtUs ?? event.source.timeUs,
      updatedAtUs: event.source.timeUs,
    };
    return { state: { ...state, seqNo: row.seqNo, version: row.version, row }, rows: [row], activities: [] };
  },
};
