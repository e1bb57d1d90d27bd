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

/** What only its creation tells of a collection. */
const NOT_DESCRIBED = { nameBytes: null, category: '', tags: [], royalties: [] } as const;

const saysTheSame = (row: CollectionRow, { data }: MarketEvent<'CollectionDescribed'>): boolean =>
  row.name === data.name &&
  row.description === data.description &&
  row.uri === data.uri &&
  row.maximum === data.maximum;

/**
 * Collections that a factory created, or that describe themselves. The first creation of an address counts; a repeated one changes nothing, and
 * neither does a description that says what is known.
 */
export const collectionReducer: Reducer<CollectionState> = {
  aggregateType: AGGREGATE.collection,
  version: 2,
  ...oneRow<CollectionId, CollectionRow>('collections', (address) => ({ address })),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    if (event.name !== 'CollectionCreated' && event.name !== 'CollectionDescribed')
      throw unexpected('collection', event);
    const { row: old } = state;
    if (old !== null && (event.name === 'CollectionCreated' || saysTheSame(old, event)))
      return { state, rows: [], activities: [] };
    const version = state.version + 1;
    const row: CollectionRow = {
      table: 'collections',
      key: state.address,
      address: state.address,
      factory: event.source.address,
      ...NOT_DESCRIBED,
      createdAtUs: event.source.timeUs,
      ...old,
      ...event.data,
      seqNo: event.seqNo,
      version,
      updatedAtUs: event.source.timeUs,
    };
    return { state: { ...state, seqNo: event.seqNo, version, row }, rows: [row], activities: [] };
  },
};
