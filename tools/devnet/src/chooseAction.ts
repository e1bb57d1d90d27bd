import type { Action, Item, TokenStandard } from './actions';
import { anyToken, approved, isTakeable, otherThan, terms, type Choice } from './choice';
import { chooseCuration } from './chooseCuration';
import { chooseLottery } from './chooseLottery';
import { tokenOf } from './model/erc721';
import type { BalanceState } from './model/state';

const UINT256_MAX = (1n << 256n) - 1n;
const COLLECTIONS_MAX = 40;

function collectionOf({ state, random }: Choice, standard: TokenStandard): string {
  const open = [...state.collections.values()].filter(
    (collection) =>
      collection.standard === standard &&
      (collection.maximum === 0n || collection.minted < collection.maximum),
  );
  return random.pick(open).address;
}

function mint721(choice: Choice): Action[] {
  const by = choice.random.pick(choice.accounts);
  const to = choice.random.chance(0.9) ? by : otherThan(choice, by);
  return [{ kind: 'mint721', by, collection: collectionOf(choice, 'erc721'), to }];
}

function list(choice: Choice): Action[] {
  const { state, random } = choice;
  const token = anyToken(choice);
  if (token === null) return mint721(choice);
  const by = token.owner;
  const own = token.orders.get(by);
  if (own !== undefined) return [{ kind: 'reprice', by, orderId: own, ...terms(choice) }];
  const { collection, tokenId } = token;
  const price = random.chance(0.02) ? { price: UINT256_MAX } : {};
  const action: Action = { kind: 'list', by, collection, tokenId, ...terms(choice), ...price };
  return approved(choice, action, collection, by, state.contracts.market);
}

function reprice(choice: Choice): Action[] {
  const { items } = choice.state.open.orders;
  if (items.length === 0) return list(choice);
  const order = choice.random.pick(items);
  return [{ kind: 'reprice', by: order.maker, orderId: order.id, ...terms(choice) }];
}

function delist(choice: Choice): Action[] {
  const { items } = choice.state.open.orders;
  if (items.length === 0) return list(choice);
  const order = choice.random.pick(items);
  return [{ kind: 'delist', by: order.maker, orderId: order.id }];
}

function buy(choice: Choice): Action[] {
  const { state, random, now } = choice;
  const { items } = state.open.orders;
  if (items.length < 3) return list(choice);
  const order = random.pick(items);
  const { owner } = tokenOf(state, order.collection, order.tokenId);
  // A listing whose token went elsewhere: some sellers notice.
  if (owner !== order.maker) return random.chance(0.5) ? delist(choice) : list(choice);
  if (!isTakeable(order, now)) return reprice(choice);
  return [{ kind: 'buy', by: otherThan(choice, order.maker), orderId: order.id }];
}

function offer(choice: Choice): Action[] {
  const token = anyToken(choice);
  if (token === null) return mint721(choice);
  const { collection, tokenId } = token;
  return [{ kind: 'offer', by: otherThan(choice, token.owner), collection, tokenId, ...terms(choice) }];
}

function cancelOffer(choice: Choice): Action[] {
  const { items } = choice.state.open.offers;
  if (items.length === 0) return offer(choice);
  const made = choice.random.pick(items);
  return [{ kind: 'cancelOffer', by: made.maker, offerId: made.id }];
}

function acceptOffer(choice: Choice): Action[] {
  const { state, random, now } = choice;
  const { items } = state.open.offers;
  if (items.length < 3) return offer(choice);
  const made = random.pick(items);
  const { owner } = tokenOf(state, made.collection, made.tokenId);
  // What a lottery holds is nobody's to sell.
  if (owner === null || owner === state.contracts.lottery) return cancelOffer(choice);
  if (owner === made.maker || !isTakeable(made, now)) return cancelOffer(choice);
  const action: Action = { kind: 'acceptOffer', by: owner, offerId: made.id };
  return approved(choice, action, made.collection, owner, state.contracts.market);
}

function gift(choice: Choice): Action[] {
  const token = anyToken(choice);
  if (token === null) return mint721(choice);
  const { collection, tokenId, owner } = token;
  // Sometimes to oneself: a transfer that moves nothing.
  const to = choice.random.chance(0.1) ? owner : otherThan(choice, owner);
  return [{ kind: 'transfer721', by: owner, collection, tokenId, to }];
}

function burn721(choice: Choice): Action[] {
  const token = choice.state.open.tokens.items.length < 10 ? null : anyToken(choice);
  if (token === null) return mint721(choice);
  return [{ kind: 'burn721', by: token.owner, collection: token.collection, tokenId: token.tokenId }];
}

function approve721(choice: Choice): Action[] {
  const token = anyToken(choice);
  if (token === null) return mint721(choice);
  const { collection, tokenId, owner } = token;
  return [{ kind: 'approve721', by: owner, collection, tokenId, to: otherThan(choice, owner) }];
}

const NAMES = [
  'Dunes',
  'Glass Gardens',
  'Ночь',
  '東京の夜',
  'O\'Brien & "Sons"',
  'Zoë 🎨',
  'back\\slash',
  ' spaced ',
];
const WORDS = ['art', 'game', 'music', 'photo', 'a,b', 'ünïcode'];

function createCollection(choice: Choice, standard: TokenStandard): Action[] {
  const { state, random, accounts } = choice;
  if (state.collections.size >= COLLECTIONS_MAX)
    return standard === 'erc721' ? mint721(choice) : mint1155(choice);
  const by = random.pick(accounts);
  const payees = accounts.slice(0, random.below(4));
  const terms = {
    name: `${random.pick(NAMES)} ${state.collections.size}`,
    category: random.pick(WORDS),
    tags: WORDS.slice(0, random.below(WORDS.length)),
    description: random.chance(0.2) ? '' : 'Made by the traffic of the development chain.',
    uri: `ipfs://devnet/collection/${state.collections.size}`,
    payees,
    royalties: payees.map(() => BigInt(random.below(1_000))),
    maximum: random.chance(0.5) ? 0n : BigInt(standard === 'erc721' ? 3 + random.below(50) : 1_000_000),
  };
  return [{ kind: 'createCollection', by, standard, terms }];
}

/** An id of the collection that can still be minted, and how much: now and then quantities beyond 64 bits. */
function mintItem({ state, random }: Choice, collection: string): Item {
  const { maximum, mintedOf } = state.collections.get(collection) as {
    maximum: bigint;
    mintedOf: Map<bigint, bigint>;
  };
  const isHuge = maximum === 0n && random.chance(0.05);
  if (isHuge)
    return { id: (1n << 255n) + BigInt(random.below(4)), value: 1n << BigInt(64 + random.below(130)) };
  const id = BigInt(1 + random.below(12));
  const left = maximum === 0n ? 100n : maximum - (mintedOf.get(id) ?? 0n);
  return left < 100n
    ? { id: BigInt(mintedOf.size + 100), value: 1n }
    : { id, value: BigInt(1 + random.below(20)) };
}

function mint1155(choice: Choice): Action[] {
  const { random } = choice;
  const by = random.pick(choice.accounts);
  const collection = collectionOf(choice, 'erc1155');
  const first = mintItem(choice, collection);
  const items = [first];
  if (random.chance(0.3)) {
    for (let more = 1 + random.below(3); more > 0; more--) items.push(mintItem(choice, collection));
    if (random.chance(0.4)) items.push({ id: first.id, value: 1n });
  }
  return [{ kind: 'mint1155', by, collection, to: random.chance(0.9) ? by : otherThan(choice, by), items }];
}

function anyBalance({ state, random }: Choice): BalanceState | null {
  const { items } = state.open.balances;
  return items.length === 0 ? null : random.pick(items);
}

function some({ random }: Choice, quantity: bigint): bigint {
  return quantity <= 1n ? quantity : 1n + BigInt(random.below(Number(quantity > 1_000n ? 1_000n : quantity)));
}

/** Some of what somebody holds of one collection; several items may name one id. */
function holdings(choice: Choice, held: BalanceState, many: boolean): Item[] {
  if (!many) return [{ id: held.tokenId, value: some(choice, held.quantity) }];
  const all = choice.state.open.balances.items.filter(
    ({ collection, owner }) => collection === held.collection && owner === held.owner,
  );
  return all.slice(0, 4).flatMap(({ tokenId, quantity }) => {
    const first = some(choice, quantity);
    const rest = quantity - first;
    const items = [{ id: tokenId, value: first }];
    return rest > 0n && choice.random.chance(0.5)
      ? [...items, { id: tokenId, value: some(choice, rest) }]
      : items;
  });
}

function transfer1155(choice: Choice): Action[] {
  const held = anyBalance(choice);
  if (held === null) return mint1155(choice);
  const { collection, owner: by } = held;
  const to = choice.random.chance(0.05) ? by : otherThan(choice, by);
  return [
    { kind: 'transfer1155', by, collection, to, items: holdings(choice, held, choice.random.chance(0.4)) },
  ];
}

function burn1155(choice: Choice): Action[] {
  const held = anyBalance(choice);
  if (held === null) return mint1155(choice);
  const items = holdings(choice, held, choice.random.chance(0.3));
  return [{ kind: 'burn1155', by: held.owner, collection: held.collection, items }];
}

function mixList(choice: Choice): Action[] {
  const held = anyBalance(choice);
  if (held === null) return mint1155(choice);
  const { collection, tokenId, owner: by } = held;
  const amount = some(choice, held.quantity);
  const pricePerToken = BigInt(1 + choice.random.below(1_000_000)) * 10n ** 9n;
  const action: Action = { kind: 'mixList', by, collection, tokenId, amount, pricePerToken };
  return approved(choice, action, collection, by, choice.state.contracts.mixverse);
}

function mixPurchase(choice: Choice): Action[] {
  const { items } = choice.state.open.items;
  if (items.length === 0) return mixList(choice);
  const item = choice.random.pick(items);
  const left = item.quantity - item.filled;
  const amount = choice.random.chance(0.35) ? left : some(choice, left);
  return [{ kind: 'mixPurchase', by: otherThan(choice, item.maker), id: item.id, amount }];
}

function mixCancel(choice: Choice): Action[] {
  const { items } = choice.state.open.items;
  if (items.length === 0) return mixList(choice);
  const item = choice.random.pick(items);
  return [{ kind: 'mixCancel', by: item.maker, id: item.id }];
}

/** How often each thing happens, out of the sum. */
const WEIGHTS: readonly (readonly [number, (choice: Choice) => Action[]])[] = [
  [16, mint721],
  [22, list],
  [6, reprice],
  [14, buy],
  [6, delist],
  [13, offer],
  [6, acceptOffer],
  [4, cancelOffer],
  [4, gift],
  [2, burn721],
  [1, approve721],
  [1, (choice) => createCollection(choice, 'erc721')],
  [1, (choice) => createCollection(choice, 'erc1155')],
  [7, mint1155],
  [6, transfer1155],
  [2, burn1155],
  [5, mixList],
  [6, mixPurchase],
  [2, mixCancel],
  [18, chooseCuration],
  [7, (choice) => chooseLottery(choice) ?? mint721(choice)],
];
const WEIGHT_SUM = WEIGHTS.reduce((sum, [weight]) => sum + weight, 0);

/** A market has to have something before it can trade: the first actions, by their number. */
function prologue(choice: Choice, index: number): Action[] | null {
  if (index < 8) return mint721(choice);
  if (index === 8) return createCollection(choice, 'erc721');
  if (index === 9) return createCollection(choice, 'erc1155');
  if (index < 14) return mint1155(choice);
  return null;
}

/**
 * What happens next: one action, or an approval and the action it is for. It depends on the choice only, is possible on
 * the state once everything before it is mined, and stays so whenever within the next day it is mined.
 */
export function chooseActions(choice: Choice, index: number): Action[] {
  const first = prologue(choice, index);
  if (first !== null) return first;
  let x = choice.random.below(WEIGHT_SUM);
  for (const [weight, choose] of WEIGHTS) {
    if (x < weight) return choose(choice);
    x -= weight;
  }
  throw new RangeError('the weights do not add up');
}
