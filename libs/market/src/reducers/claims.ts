import { BEFORE_FIRST, type FoldState, type Reducer } from '@imart/core';
import { AGGREGATE, splitClaimId } from '../aggregates';
import type { MarketEvent } from '../events';
import type { ActivityKind, ClaimRow, ClaimStatus, MarketActivity } from '../rows';
import { unexpected } from './unexpected';

export interface ClaimState extends FoldState {
  readonly collection: string;
  readonly tokenId: bigint;
  readonly sender: string;
  readonly receiver: string;
  readonly row: ClaimRow | null;
}

/** What one sender has set aside for one receiver: offering adds to it, claiming and taking back leave nothing. */
export const claimReducer: Reducer<ClaimState> = {
  aggregateType: AGGREGATE.claim,
  version: 1,
  tables: ['claims'],
  initial: (aggregateId) => ({ seqNo: BEFORE_FIRST, version: 0, row: null, ...splitClaimId(aggregateId) }),
  restore(aggregateId, rows) {
    const row = (rows[0] as ClaimRow | undefined) ?? null;
    const initial = this.initial(aggregateId);
    return row === null ? initial : { ...initial, seqNo: row.seqNo, version: row.version, row };
  },
  rowsOf: ({ row }) => (row === null ? [] : [row]),
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
    const activity: MarketActivity = {
      event,
      item: 0,
      kind,
      market: null,
      contract: event.source.address,
      orderId: null,
      side: null,
      collection,
      tokenId,
      quantity,
      from: sender,
      to: receiver,
      price: null,
      currency: null,
      fees: null,
      royalties: null,
      itemCount: 1,
    };
    return {
      state: { ...state, seqNo: event.seqNo, version: row.version, row },
      rows: [row],
      activities: [activity],
    };
  },
};
