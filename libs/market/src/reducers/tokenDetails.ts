import type { Reducer } from '@imart/core';
import { AGGREGATE } from '../aggregates';
import type { MarketEvent } from '../events';
import type { TokenDetailsRow } from '../rows';
import { oneRow, type OneRowState } from './oneRow';
import { tokenIdOf, type TokenId } from './tokenId';
import { unexpected } from './unexpected';

export type TokenDetailsState = OneRowState<TokenId, TokenDetailsRow>;

/** What tokens are called. What an event does not say stays as it was. */
export const tokenDetailsReducer: Reducer<TokenDetailsState> = {
  aggregateType: AGGREGATE.tokenDetails,
  version: 1,
  ...oneRow<TokenId, TokenDetailsRow>('token_details', tokenIdOf),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    if (event.name !== 'TokenDescribed') throw unexpected('token-details', event);
    const { data, source, seqNo } = event;
    const { row: old, collection, tokenId } = state;
    const words = {
      standard: data.standard,
      creator: data.creator ?? old?.creator ?? null,
      collectionName: data.collectionName ?? old?.collectionName ?? null,
      name: data.name ?? old?.name ?? null,
      edition: data.edition ?? old?.edition ?? null,
      description: data.description ?? old?.description ?? null,
      uri: data.uri ?? old?.uri ?? null,
    };
    // Every receipt of a token may tell its names again.
    const names = Object.keys(words) as (keyof typeof words)[];
    if (old !== null && names.every((name) => words[name] === old[name])) {
      return { state, rows: [], activities: [] };
    }
    const row: TokenDetailsRow = {
      table: 'token_details',
      key: `${collection}:${tokenId}`,
      seqNo,
      version: state.version + 1,
      collection,
      tokenId,
      ...words,
      createdAtUs: old?.createdAtUs ?? source.timeUs,
      updatedAtUs: source.timeUs,
    };
    return { state: { ...state, seqNo, version: row.version, row }, rows: [row], activities: [] };
  },
};
