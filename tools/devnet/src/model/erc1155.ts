import type { ActionOf, Item } from '../actions';
import {
  demand,
  ZERO,
  type ActivityDraft,
  type BalanceState,
  type CollectionState,
  type ModelState,
  type PredictedLog,
} from './state';

export function balanceOf(
  state: ModelState,
  collection: string,
  tokenId: bigint,
  owner: string,
): BalanceState {
  const key = `${collection}:${tokenId}:${owner}`;
  let balance = state.balances.get(key);
  if (balance === undefined)
    state.balances.set(key, (balance = { collection, tokenId, owner, quantity: 0n }));
  return balance;
}

function change(
  state: ModelState,
  collection: string,
  { id, value }: Item,
  owner: string,
  sign: 1n | -1n,
): void {
  if (owner === ZERO) return;
  const balance = balanceOf(state, collection, id, owner);
  balance.quantity += sign * value;
  demand(balance.quantity >= 0n, `${owner} has too little of ${id} of ${collection}`);
  if (balance.quantity === 0n || owner === state.contracts.mixverse) state.open.balances.delete(balance);
  else state.open.balances.add(balance);
}

/** Tokens change hands, within whatever transaction, in one log. The zero address stands for minting and burning. */
export function moveItems(
  state: ModelState,
  collection: string,
  operator: string,
  from: string,
  to: string,
  items: readonly Item[],
): PredictedLog {
  for (const item of items) {
    change(state, collection, item, from, -1n);
    change(state, collection, item, to, 1n);
  }
  const kind = from === ZERO ? 'MINT' : to === ZERO ? 'BURN' : 'TRANSFER';
  // An id that a batch names several times is one thing that happened.
  const sums = new Map<bigint, bigint>();
  for (const { id, value } of items) sums.set(id, (sums.get(id) ?? 0n) + value);
  const activities = [...sums].map(([id, value]): ActivityDraft => ({
    kind,
    orderId: null,
    side: null,
    collection,
    tokenId: String(id),
    quantity: String(value),
    from,
    to,
    price: null,
  }));
  const [only] = items;
  const isSingle = only !== undefined && items.length === 1;
  const amounts = isSingle
    ? [String(only.id), String(only.value)]
    : [items.map(({ id }) => String(id)), items.map(({ value }) => String(value))];
  return {
    address: collection,
    event: isSingle ? 'TransferSingle' : 'TransferBatch',
    args: [operator, from, to, ...amounts],
    activities,
  };
}

function collection1155(state: ModelState, address: string): CollectionState {
  const collection = state.collections.get(address);
  demand(collection?.standard === 'erc1155', `${address} is no ERC-1155 collection`);
  return collection;
}

export function mint1155(state: ModelState, action: ActionOf<'mint1155'>): PredictedLog[] {
  const collection = collection1155(state, action.collection);
  const uri = collection.created?.uri ?? 'ipfs://devnet/editions';
  const logs: PredictedLog[] = [];
  for (const { id, value } of action.items) {
    const before = collection.mintedOf.get(id) ?? 0n;
    demand(collection.maximum === 0n || before + value <= collection.maximum, 'all are minted');
    if (before === 0n)
      logs.push({ address: collection.address, event: 'URI', args: [uri, String(id)], activities: [] });
    collection.mintedOf.set(id, before + value);
  }
  return [...logs, moveItems(state, collection.address, action.by, ZERO, action.to, action.items)];
}

export function burn1155(state: ModelState, action: ActionOf<'burn1155'>): PredictedLog[] {
  const { address } = collection1155(state, action.collection);
  return [moveItems(state, address, action.by, action.by, ZERO, action.items)];
}

export function transfer1155(state: ModelState, action: ActionOf<'transfer1155'>): PredictedLog[] {
  const { address } = collection1155(state, action.collection);
  return [moveItems(state, address, action.by, action.by, action.to, action.items)];
}
