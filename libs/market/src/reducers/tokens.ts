import { BEFORE_FIRST, type FoldState, type Reducer } from '@imart/core';
import { AGGREGATE, splitBalanceId, splitContractId, ZERO_ADDRESS } from '../aggregates';
import type { MarketEvent } from '../events';
import type { ActivityKind, BalanceRow, MarketActivity, TokenRow } from '../rows';
import { unexpected } from './unexpected';

export interface TokenState extends FoldState {
  readonly collection: string;
  readonly tokenId: bigint;
  readonly row: TokenRow | null;
}

function transferActivity(
  kind: ActivityKind,
  event: MarketEvent,
  token: { readonly collection: string; readonly tokenId: bigint },
  quantity: bigint,
  from: string | null,
  to: string | null,
): MarketActivity {
  return {
    event,
    item: 0,
    kind,
    market: null,
    contract: event.source.address,
    orderId: null,
    side: null,
    collection: token.collection,
    tokenId: token.tokenId,
    quantity,
    from,
    to,
    price: null,
    currency: null,
    fees: null,
    royalties: null,
    itemCount: 1,
  };
}

/** Tokens with one owner. A token whose mint was not seen starts at its first transfer. */
export const tokenReducer: Reducer<TokenState> = {
  aggregateType: AGGREGATE.token,
  version: 1,
  tables: ['tokens'],
  initial(aggregateId) {
    const { contract, id } = splitContractId(aggregateId);
    return { seqNo: BEFORE_FIRST, version: 0, collection: contract, tokenId: BigInt(id), row: null };
  },
  restore(aggregateId, rows) {
    const row = (rows[0] as TokenRow | undefined) ?? null;
    const initial = this.initial(aggregateId);
    return row === null ? initial : { ...initial, seqNo: row.seqNo, version: row.version, row };
  },
  rowsOf: ({ row }) => (row === null ? [] : [row]),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    const { row: old } = state;
    let from: string | null;
    let to: string | null;
    let kind: ActivityKind;
    switch (event.name) {
      case 'TokenMinted':
        [kind, from, to] = ['MINT', ZERO_ADDRESS, event.data.to];
        break;
      case 'TokenTransferred':
        [kind, from, to] = ['TRANSFER', event.data.from, event.data.to];
        break;
      case 'TokenBurned':
        [kind, from, to] = ['BURN', event.data.from ?? old?.owner ?? null, null];
        break;
      default:
        throw unexpected('token', event);
    }
    const timeUs = event.source.timeUs;
    const row: TokenRow = {
      table: 'tokens',
      key: old?.key ?? `${state.collection}:${state.tokenId}`,
      seqNo: event.seqNo,
      version: state.version + 1,
      collection: state.collection,
      tokenId: state.tokenId,
      standard: event.data.standard,
      owner: to,
      mintedAtUs: kind === 'MINT' ? timeUs : (old?.mintedAtUs ?? null),
      transferCount: (old?.transferCount ?? 0) + (kind === 'TRANSFER' ? 1 : 0),
      createdAtUs: old?.createdAtUs ?? timeUs,
      updatedAtUs: timeUs,
    };
    return {
      state: {
        seqNo: event.seqNo,
        version: row.version,
        collection: state.collection,
        tokenId: state.tokenId,
        row,
      },
      rows: [row],
      activities: [transferActivity(kind, event, state, 1n, from, to ?? ZERO_ADDRESS)],
    };
  },
};

export interface BalanceState extends FoldState {
  readonly collection: string;
  readonly tokenId: bigint;
  readonly owner: string;
  readonly row: BalanceRow | null;
}

/**
 * Balances of tokens that several may own pieces of. A transfer is two events, sent and received; the receiver's gives the activity,
 * the sender's only when nobody receives (a burn, or tokens that went into a contract).
 */
export const balanceReducer: Reducer<BalanceState> = {
  aggregateType: AGGREGATE.balance,
  version: 1,
  tables: ['balances'],
  initial: (aggregateId) => ({ seqNo: BEFORE_FIRST, version: 0, row: null, ...splitBalanceId(aggregateId) }),
  restore(aggregateId, rows) {
    const row = (rows[0] as BalanceRow | undefined) ?? null;
    const initial = this.initial(aggregateId);
    return row === null ? initial : { ...initial, seqNo: row.seqNo, version: row.version, row };
  },
  rowsOf: ({ row }) => (row === null ? [] : [row]),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    let change: bigint;
    let activities: readonly MarketActivity[];
    const { data } = event as MarketEvent<'TokenReceived' | 'TokenSent'>;
    switch (event.name) {
      case 'TokenReceived': {
        const { from, quantity } = event.data;
        change = quantity;
        const kind = from === ZERO_ADDRESS ? 'MINT' : 'TRANSFER';
        activities = [transferActivity(kind, event, state, quantity, from, state.owner)];
        break;
      }
      case 'TokenSent': {
        const { to, quantity } = event.data;
        change = -quantity;
        const kind = to === ZERO_ADDRESS ? 'BURN' : 'TRANSFER';
        const isTold = to !== null && to !== ZERO_ADDRESS;
        activities = isTold ? [] : [transferActivity(kind, event, state, quantity, state.owner, to)];
        break;
      }
      default:
        throw unexpected('balance', event);
    }
    const { row: old, collection, tokenId, owner } = state;
    const row: BalanceRow = {
      table: 'balances',
      key: old?.key ?? `${collection}:${tokenId}:${owner}`,
      seqNo: event.seqNo,
      version: state.version + 1,
      collection,
      tokenId,
      owner,
      standard: data.standard ?? old?.standard ?? 'erc1155',
      quantity: data.balance ?? (old?.quantity ?? 0n) + change,
      createdAtUs: old?.createdAtUs ?? event.source.timeUs,
      updatedAtUs: event.source.timeUs,
    };
    return {
      state: { seqNo: event.seqNo, version: row.version, collection, tokenId, owner, row },
      rows: [row],
      activities,
    };
  },
};
