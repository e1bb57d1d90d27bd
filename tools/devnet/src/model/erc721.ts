import type { ActionOf } from '../actions';
import { demand, ZERO, type ModelState, type PredictedLog, type TokenState } from './state';

export function tokenOf(state: ModelState, collection: string, tokenId: bigint): TokenState {
  const token = state.tokens.get(`${collection}:${tokenId}`);
  demand(token !== undefined, `no token ${tokenId} of ${collection}`);
  return token;
}

function transferLog(
  token: TokenState,
  kind: 'MINT' | 'TRANSFER' | 'BURN',
  from: string,
  to: string,
  stamp?: (time: number) => void,
): PredictedLog {
  const { collection } = token;
  const tokenId = String(token.tokenId);
  return {
    address: collection,
    event: 'Transfer',
    args: [from, to, tokenId],
    activities: [
      { kind, orderId: null, side: null, collection, tokenId, quantity: '1', from, to, price: null },
    ],
    ...(stamp === undefined ? {} : { stamp }),
  };
}

export function mint721(state: ModelState, action: ActionOf<'mint721'>): PredictedLog[] {
  const collection = state.collections.get(action.collection);
  demand(collection?.standard === 'erc721', `${action.collection} is no ERC-721 collection`);
  demand(collection.maximum === 0n || collection.minted < collection.maximum, 'all are minted');
  collection.minted += 1n;
  const token: TokenState = {
    collection: collection.address,
    tokenId: collection.minted,
    owner: action.to,
    transferCount: 0,
    mintedAt: 0,
    orders: new Map(),
  };
  state.tokens.set(`${token.collection}:${token.tokenId}`, token);
  state.open.tokens.add(token);
  return [transferLog(token, 'MINT', ZERO, action.to, (time) => (token.mintedAt = time))];
}

/** The token changes hands, within whatever transaction. */
export function moveToken(token: TokenState, to: string): PredictedLog {
  const from = token.owner;
  demand(from !== null, `token ${token.tokenId} of ${token.collection} is burned`);
  token.owner = to;
  token.transferCount += 1;
  return transferLog(token, 'TRANSFER', from, to);
}

export function transfer721(state: ModelState, action: ActionOf<'transfer721'>): PredictedLog[] {
  const token = tokenOf(state, action.collection, action.tokenId);
  demand(token.owner === action.by, 'only the owner transfers');
  return [moveToken(token, action.to)];
}

export function burn721(state: ModelState, action: ActionOf<'burn721'>): PredictedLog[] {
  const token = tokenOf(state, action.collection, action.tokenId);
  demand(token.owner === action.by, 'only the owner burns');
  token.owner = null;
  state.open.tokens.delete(token);
  return [transferLog(token, 'BURN', action.by, ZERO)];
}

/** An approval of one token: a log with the shape of a transfer, that means nothing to a market. */
export function approve721(state: ModelState, action: ActionOf<'approve721'>): PredictedLog[] {
  const token = tokenOf(state, action.collection, action.tokenId);
  demand(token.owner === action.by, 'only the owner approves');
  const args = [action.by, action.to, String(action.tokenId)];
  return [{ address: action.collection, event: 'Approval', args, activities: [] }];
}

/** For both token standards. */
export function approveAll(state: ModelState, action: ActionOf<'approveAll'>): PredictedLog[] {
  state.approvals.add(`${action.collection}:${action.by}:${action.operator}`);
  const args = [action.by, action.operator, 'true'];
  return [{ address: action.collection, event: 'ApprovalForAll', args, activities: [] }];
}

export function hasApproved(state: ModelState, collection: string, owner: string, operator: string): boolean {
  return state.approvals.has(`${collection}:${owner}:${operator}`);
}
