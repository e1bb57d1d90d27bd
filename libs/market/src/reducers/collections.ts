import type { Reducer } from '@imart/core';
import { AGGREGATE } from '../aggregates';
import type { MarketEvent } from '../events';
import type { CollectionRow } from '../rows';
import { oneRow, type OneRowState } from './oneRow';
import { unexpected } from './unexpected';

interface CollectionId {
  readonly address: string;
}
export type CollectionState = OneRowState<CollectionId, CollectionRow>;

/** Collections that a factory created. The first creation of an address counts; a repeated one changes nothing. */
export const collectionReducer: Reducer<CollectionState> = {
  aggregateType: AGGREGATE.collection,
  version: 1,
  ...oneRow<CollectionId, CollectionRow>('collections', (address) => ({ address })),
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
