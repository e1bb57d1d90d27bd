import type { Reducer } from '@imart/core';
import { AGGREGATE, splitClaimId } from '../aggregates';
import type { MarketEvent } from '../events';
import type { ActivityKind, ClaimRow, ClaimStatus } from '../rows';
import { oneRow, type OneRowState } from './oneRow';
import { tokenActivity } from './tokenActivity';
import { unexpected } from './unexpected';

type ClaimId = ReturnType<typeof splitClaimId>;
export type ClaimState = OneRowState<ClaimId, ClaimRow>;

/** What one sender has set aside for one receiver: offering adds to it, claiming and taking back leave nothing. */
export const claimReducer: Reducer<ClaimState> = {
  aggregateType: AGGREGATE.claim,
  version: 1,
  ...oneRow<ClaimId, ClaimRow>('claims', splitClaimId),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    const { row: old, collection, tokenId, sender, receiver } = state;
    let kind: ActivityKind;
    let status: ClaimStatus;
    switch (event.name) {
      case 'TokenOffered':
        [kind, status] = ['TOKEN_OFFER', 'PENDING'];
        break;
      case 'TokenOfferCancelled':
        [kind, status] = ['TOKEN_OFFER_CANCEL', 'CANCELED'];
        break;
      case 'TokenClaimed':
        [kind, status] = ['TOKEN_CLAIM', 'CLAIMED'];
        break;
      default:
        throw unexpected('claim', event);
    }
    const { quantity, standard } = event.data;
    const timeUs = event.source.timeUs;
    const row: ClaimRow = {
      table: 'claims',
      key: `${collection}:${tokenId}:${sender}:${receiver}`,
      seqNo: event.seqNo,
      version: state.version + 1,
      collection,
      tokenId,
      sender,
      receiver,
      standard,
      quantity: status === 'PENDING' ? (old?.quantity ?? 0n) + quantity : 0n,
      status,
      createdAtUs: old?.createdAtUs ?? timeUs,
      updatedAtUs: timeUs,
    };
    return {
      state: { ...state, seqNo: event.seqNo, version: row.version, row },
      rows: [row],
      activities: [tokenActivity(kind, event, state, quantity, sender, receiver)],
    };
  },
};
