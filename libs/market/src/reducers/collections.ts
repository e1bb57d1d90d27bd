import { BEFORE_FIRST, type FoldState, type Reducer } from '@imart/core';
import { AGGREGATE } from '../aggregates';
import type { MarketEvent } from '../events';
import type { CollectionRow } from '../rows';
import { unexpected } from './unexpected';

export interface CollectionState extends FoldState {
  readonly address: string;
  readonly row: CollectionRow | null;
}

/** Collections that a factory created. The first creation of an address counts; a repeated one changes nothing. */
export const collectionReducer: Reducer<CollectionState> = {
  aggregateType: AGGREGATE.collection,
  version: 1,
  tables: ['collections'],
  initial: (address) => ({ seqNo: BEFORE_FIRST, version: 0, address, row: null }),
  restore(address, rows) {
    const row = (rows[0] as CollectionRow | undefined) ?? null;
    const initial = this.initial(address);
    return row === null ? initial : { ...initial, seqNo: row.seqNo, version: row.version, row };
  },
  rowsOf: ({ row }) => (row === null ? [] : [row]),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    if (event.name !== 'CollectionCreated') throw unexpected('collection', event);
    if (state.row !== null) return { state, rows: [], activities: [] };
    const row: CollectionRow = {
      table: 'collections',
      key: state.address,
      seqNo: event.seqNo,
      version: 1,
      address: state.address,
      factory: event.source.address,
      ...event.data,
      createdAtUs: event.source.timeUs,
      updatedAtUs: event.source.timeUs,
    };
    return { state: { ...state, seqNo: event.seqNo, version: 1, row }, rows: [row], activities: [] };
  },
};
