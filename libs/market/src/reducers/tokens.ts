import type { Reducer } from '@imart/core';
import { AGGREGATE, splitBalanceId } from '../aggregates';
import type { MarketEvent } from '../events';
import type { ActivityKind, BalanceRow, MarketActivity, TokenRow } from '../rows';
import { STANDARD_OF_UNTOLD_BALANCE } from '../tokenStandards';
import { inFormOf, isZeroAddress, zeroAddressLike } from '../zeroAddress';
import { oneRow, type OneRowState } from './oneRow';
import { tokenActivity } from './tokenActivity';
import { tokenIdOf, type TokenId } from './tokenId';
import { unexpected } from './unexpected';

export type TokenState = OneRowState<TokenId, TokenRow>;

/** Tokens with one owner. A token whose mint was not seen starts at its first transfer. */
export const tokenReducer: Reducer<TokenState> = {
  aggregateType: AGGREGATE.token,
  version: 2,
  ...oneRow<TokenId, TokenRow>('tokens', tokenIdOf),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    const { row: old } = state;
    let from: string | null;
    let to: string | null;
    let kind: ActivityKind;
    const nobody = zeroAddressLike(state.collection);
    switch (event.name) {
      case 'TokenMinted':
        [kind, from, to] = ['MINT', nobody, event.data.to];
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
      activities: [tokenActivity(kind, event, state, 1n, from, to ?? nobody)],
    };
  },
};

type BalanceId = ReturnType<typeof splitBalanceId>;
export type BalanceState = OneRowState<BalanceId, BalanceRow>;

/**
 * Balances of tokens that several may own pieces of. A transfer is two events, sent and received; the receiver's gives the activity,
 * the sender's only when nobody receives (a burn, or tokens that went into a contract).
 */
export const balanceReducer: Reducer<BalanceState> = {
  aggregateType: AGGREGATE.balance,
  version: 2,
  ...oneRow<BalanceId, BalanceRow>('balances', splitBalanceId),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    let change: bigint;
    let activities: readonly MarketActivity[];
    const { data } = event as MarketEvent<'TokenReceived' | 'TokenSent'>;
    switch (event.name) {
      case 'TokenReceived': {
        const { quantity } = event.data;
        const from = inFormOf(state.owner, event.data.from);
        change = quantity;
        const kind = isZeroAddress(from) ? 'MINT' : 'TRANSFER';
        activities = [tokenActivity(kind, event, state, quantity, from, state.owner)];
        break;
      }
      case 'TokenSent': {
        const { quantity } = event.data;
        const to = inFormOf(state.owner, event.data.to);
        change = -quantity;
        const kind = isZeroAddress(to) ? 'BURN' : 'TRANSFER';
        const isTold = to !== null && !isZeroAddress(to);
        activities = isTold ? [] : [tokenActivity(kind, event, state, quantity, state.owner, to)];
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
      standard: data.standard ?? old?.standard ?? STANDARD_OF_UNTOLD_BALANCE,
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
