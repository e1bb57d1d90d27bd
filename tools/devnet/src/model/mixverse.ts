import { MIXVERSE_URI, type ActionOf } from '../actions';
import type { ExpectedActivityKind } from '../expected';
import { hasApproved } from './erc721';
import { moveItems } from './erc1155';
import { demand, type ActivityDraft, type ModelState, type PredictedLog, type TradeState } from './state';

/** What MixverseSpace asks for one token of a listing. */
export function pricePerToken(item: TradeState): bigint {
  return item.price / item.quantity;
}

function itemActivity(
  kind: ExpectedActivityKind,
  item: TradeState,
  quantity: bigint,
  to: string | null,
): ActivityDraft {
  return {
    kind,
    orderId: String(item.id),
    side: 'listing',
    collection: item.collection,
    tokenId: String(item.tokenId),
    quantity: String(quantity),
    from: item.maker,
    to,
    price: String(pricePerToken(item) * quantity),
  };
}

function openItem(state: ModelState, id: bigint): TradeState {
  const item = state.items[Number(id) - 1];
  demand(item?.status === 'open', `Mixverse listing ${id} is not live`);
  return item;
}

const updates = (item: TradeState) => (time: number) => void (item.updatedAt = time);

/** MixverseSpace holds what is listed. */
export function mixList(state: ModelState, action: ActionOf<'mixList'>): PredictedLog[] {
  const { mixverse } = state.contracts;
  demand(
    hasApproved(state, action.collection, action.by, mixverse),
    'the seller has not approved MixverseSpace',
  );
  const item: TradeState = {
    contract: mixverse,
    id: BigInt(state.items.length + 1),
    collection: action.collection,
    tokenId: action.tokenId,
    maker: action.by,
    quantity: action.amount,
    taker: null,
    price: action.amount * action.pricePerToken,
    expiresAt: 0n,
    filled: 0n,
    status: 'open',
    createdAt: 0,
    updatedAt: 0,
  };
  const { collection, tokenId, by, amount } = action;
  const moved = moveItems(state, collection, mixverse, by, mixverse, [{ id: tokenId, value: amount }]);
  state.items.push(item);
  state.open.items.add(item);
  const amounts = [String(amount), String(action.pricePerToken)];
  const listed: PredictedLog = {
    address: mixverse,
    event: 'ItemListedEvent',
    args: [String(item.id), String(tokenId), collection, by, ...amounts, MIXVERSE_URI],
    activities: [itemActivity('LIST', item, amount, null)],
    stamp: (time) => void (item.createdAt = item.updatedAt = time),
  };
  return [listed, moved];
}

export function mixPurchase(state: ModelState, action: ActionOf<'mixPurchase'>): PredictedLog[] {
  const item = openItem(state, action.id);
  const { contract, collection } = item;
  const each = pricePerToken(item);
  item.filled += action.amount;
  demand(item.filled <= item.quantity, 'not that many left');
  item.taker = action.by;
  const goods = [String(item.id), String(item.tokenId), collection, item.maker];
  const logs: PredictedLog[] = [
    {
      address: contract,
      event: 'ItemPurchasedEvent',
      args: [...goods, action.by, String(item.quantity), String(action.amount), String(each)],
      activities: [itemActivity('SALE', item, action.amount, action.by)],
      stamp: updates(item),
    },
  ];
  if (item.filled === item.quantity) {
    item.status = 'filled';
    state.open.items.delete(item);
    const args = [...goods, String(item.quantity), String(each)];
    logs.push({ address: contract, event: 'ItemSoldEvent', args, activities: [] });
  }
  const moved = { id: item.tokenId, value: action.amount };
  return [...logs, moveItems(state, collection, contract, contract, action.by, [moved])];
}

export function mixCancel(state: ModelState, action: ActionOf<'mixCancel'>): PredictedLog[] {
  const item = openItem(state, action.id);
  demand(item.maker === action.by, 'only the seller cancels');
  const { contract, collection, maker } = item;
  const left = item.quantity - item.filled;
  item.status = 'canceled';
  state.open.items.delete(item);
  const goods = [String(item.id), String(item.tokenId), collection, maker];
  const canceled: PredictedLog = {
    address: contract,
    event: 'ItemCanceledEvent',
    args: [...goods, String(item.quantity), String(left), String(pricePerToken(item))],
    // The cancel is of the whole listing, as the row shows it; what goes back is in the transfer.
    activities: [itemActivity('CANCEL', item, item.quantity, null)],
    stamp: updates(item),
  };
  return [
    canceled,
    moveItems(state, collection, contract, contract, maker, [{ id: item.tokenId, value: left }]),
  ];
}
