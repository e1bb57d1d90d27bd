import { AptosDecodeError } from '../errors';
import { canonicalStructTag } from '../structTag';
import type { AptosEvent, AptosRecord, AptosTransaction } from '../transaction';
import { onceFor } from './onceFor';
import { addressAt, quantityAt, valueAt } from './paths';
import { namesOfTokenDataId, namesOfTokenId, v1Token, type AptosToken, type V1Names } from './tokenIds';
import { ZERO_ADDRESS } from '../address';

const tag = (name: string): string => canonicalStructTag(`0x3::token::${name}`);

/** Types of the same event: of a handle, and of the module. */
export const V1_DEPOSIT = [tag('DepositEvent'), tag('TokenDeposit')] as const;
export const V1_WITHDRAW = [tag('WithdrawEvent'), tag('TokenWithdraw')] as const;
const MINT = [tag('MintTokenEvent'), tag('Mint')];
const BURN = [tag('BurnTokenEvent'), tag('Burn')];
const MUTATE = [tag('MutateTokenPropertyMapEvent'), tag('MutatePropertyMap')];
const TOKEN_STORE = tag('TokenStore');
const TOKEN_ID = tag('TokenId');
const TOKEN_DATA_ID = tag('TokenDataId');

/** Tokens of the first standard that reached or left an owner. */
export interface V1Move {
  readonly index: number;
  readonly isDeposit: boolean;
  readonly names: V1Names;
  readonly token: AptosToken;
  readonly owner: string;
  readonly amount: bigint;
  /**
   * Where they came from or went to: the owner of the other half in the same transaction; the zero address of what was minted or burned;
   * `null`: a contract's.
   */
  readonly other: string | null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const isOneOf = (types: readonly string[], event: AptosEvent): boolean => types.includes(event.type);

/** The account of a handle, or the field of a module event. */
const accountOf = (event: AptosEvent, types: readonly string[]): string =>
  event.type === types[0] ? event.account : addressAt(event.data, 'account');

const sameToken = (a: AptosToken, b: AptosToken): boolean => a.tokenId === b.tokenId;

function moveOf(event: AptosEvent, types: readonly string[], isDeposit: boolean): Mutable<V1Move> {
  const names = namesOfTokenId(event.data, 'id');
  return {
    index: event.index,
    isDeposit,
    names,
    token: v1Token(names),
    owner: accountOf(event, types),
    amount: quantityAt(event.data, 'amount'),
    other: null,
  };
}

/** What the transaction's events say of tokens that came into being or are no more, for whom a move has no other owner. */
interface Source {
  readonly index: number;
  readonly token: AptosToken;
  readonly amount: bigint | null;
}

function sourceOf(event: AptosEvent, kind: 'mint' | 'burn' | 'old' | 'new'): Source {
  const { data, index } = event;
  switch (kind) {
    case 'mint': {
      const token = v1Token({ ...namesOfTokenDataId(data, 'id'), version: 0n });
      return { index, token, amount: quantityAt(data, 'amount') };
    }
    case 'burn':
      return { index, token: v1Token(namesOfTokenId(data, 'id')), amount: quantityAt(data, 'amount') };
    // Changing a token's properties makes another edition of it.
    case 'old':
      return { index, token: v1Token(namesOfTokenId(data, 'old_id')), amount: null };
    case 'new':
      return { index, token: v1Token(namesOfTokenId(data, 'new_id')), amount: null };
  }
}

function read(transaction: AptosTransaction): readonly V1Move[] {
  const moves: Mutable<V1Move>[] = [];
  const minted: Source[] = [];
  const burned: Source[] = [];
  const edited: { gone: Source[]; made: Source[] } = { gone: [], made: [] };
  for (const event of transaction.events) {
    try {
      if (isOneOf(V1_DEPOSIT, event)) moves.push(moveOf(event, V1_DEPOSIT, true));
      else if (isOneOf(V1_WITHDRAW, event)) moves.push(moveOf(event, V1_WITHDRAW, false));
      else if (isOneOf(MINT, event)) minted.push(sourceOf(event, 'mint'));
      else if (isOneOf(BURN, event)) burned.push(sourceOf(event, 'burn'));
      else if (isOneOf(MUTATE, event)) {
        edited.gone.push(sourceOf(event, 'old'));
        edited.made.push(sourceOf(event, 'new'));
      }
    } catch (error) {
      // It is reported where it is translated itself; it is no witness for others.
      if (!(error instanceof AptosDecodeError)) throw error;
    }
  }
  pair(moves, minted, burned, edited);
  return moves;
}

/** Takes the first of `sources` that a move may be of. */
function take(sources: Source[], move: V1Move, mayBe: (source: Source) => boolean): Source | undefined {
  const at = sources.findIndex(
    (source) =>
      sameToken(source.token, move.token) &&
      (source.amount === null || source.amount === move.amount) &&
      mayBe(source),
  );
  return at === -1 ? undefined : sources.splice(at, 1)[0];
}

function pair(
  moves: readonly Mutable<V1Move>[],
  minted: Source[],
  burned: Source[],
  edited: { gone: Source[]; made: Source[] },
): void {
  const paired = new Set<V1Move>();
  for (const move of moves) {
    if (paired.has(move)) continue;
    if (move.isDeposit) {
      const before = ({ index }: Source): boolean => index < move.index;
      if (take(minted, move, before) !== undefined || take(edited.made, move, () => true) !== undefined) {
        move.other = ZERO_ADDRESS;
      }
      continue;
    }
    const deposit = moves.find(
      (other) =>
        other.isDeposit &&
        !paired.has(other) &&
        other.index > move.index &&
        other.amount === move.amount &&
        sameToken(other.token, move.token),
    );
    const between = ({ index }: Source): boolean =>
      index > move.index && (deposit === undefined || index < deposit.index);
    if (take(burned, move, between) !== undefined || take(edited.gone, move, () => true) !== undefined) {
      move.other = ZERO_ADDRESS;
    } else if (deposit !== undefined) {
      move.other = deposit.owner;
      deposit.other = move.owner;
      paired.add(deposit);
    }
  }
}

interface Moves {
  readonly moves: readonly V1Move[];
  readonly byIndex: ReadonlyMap<number, V1Move>;
  items?: Items;
  balances?: ReadonlyMap<string, bigint>;
}

const movesOf = onceFor((transaction): Moves => {
  const moves = read(transaction);
  return { moves, byIndex: new Map(moves.map((move) => [move.index, move])) };
});

/** The moves of a transaction by the index of their events, each with its other half. */
export function v1Moves(transaction: AptosTransaction): ReadonlyMap<number, V1Move> {
  return movesOf(transaction).byIndex;
}

const balanceKey = (owner: string, token: AptosToken): string => `${owner} ${token.tokenId}`;

/** What a creator says of a token, of all its editions. */
export interface V1Words {
  readonly description: string;
  readonly uri: string;
}

/** An owner's table item of a token as the transaction left it. */
interface Item {
  readonly handle: string;
  readonly token: AptosToken;
  readonly amount: bigint;
}

interface Items {
  readonly items: readonly Item[];
  readonly ownerOfHandle: ReadonlyMap<string, string>;
  /** By the id of a token's first edition. */
  readonly words: ReadonlyMap<bigint, V1Words>;
}

function itemsIn(transaction: AptosTransaction): Items {
  const items: Item[] = [];
  const words = new Map<bigint, V1Words>();
  const ownerOfHandle = new Map<string, string>();
  for (const change of transaction.changes()) {
    if (change.kind === 'written-resource' && change.type === TOKEN_STORE) {
      ownerOfHandle.set(addressAt(change.data, 'tokens.handle'), change.address);
    } else if (change.kind === 'written-table-item' && change.keyType === TOKEN_ID) {
      const token = v1Token(namesOfTokenId({ key: change.key }, 'key'));
      const amount = quantityAt(change.value as AptosRecord, 'amount');
      items.push({ handle: change.handle, token, amount });
    } else if (change.kind === 'deleted-table-item' && change.keyType === TOKEN_ID) {
      const token = v1Token(namesOfTokenId({ key: change.key }, 'key'));
      items.push({ handle: change.handle, token, amount: 0n });
    } else if (change.kind === 'written-table-item' && change.keyType === TOKEN_DATA_ID) {
      const token = v1Token({ ...namesOfTokenDataId({ key: change.key }, 'key'), version: 0n });
      const data = change.value as AptosRecord;
      const [description, uri] = [valueAt(data, 'description'), valueAt(data, 'uri')];
      if (typeof description === 'string' && typeof uri === 'string')
        words.set(token.tokenId, { description, uri });
    }
  }
  return { items, ownerOfHandle, words };
}

/** What owners have after the transaction, where it tells. */
function balancesIn(moves: readonly V1Move[], { items, ownerOfHandle }: Items): ReadonlyMap<string, bigint> {
  const balances = new Map<string, bigint>();
  for (const { handle, token, amount } of items) {
    const owner = ownerOfHandle.get(handle) ?? onlyChanged(moves, token, items, ownerOfHandle);
    if (owner !== null) balances.set(balanceKey(owner, token), amount);
  }
  return balances;
}

/**
 * Whose item it is when the owner's store was not written, which module events leave alone: if one account's holding of the token
 * changed, and one item of it, they belong together.
 */
function onlyChanged(
  moves: readonly V1Move[],
  token: AptosToken,
  items: readonly Item[],
  ownerOfHandle: ReadonlyMap<string, string>,
): string | null {
  const strays = items.filter((item) => sameToken(item.token, token) && !ownerOfHandle.has(item.handle));
  const changes = new Map<string, bigint>();
  for (const move of moves) {
    if (!sameToken(move.token, token)) continue;
    const change = move.isDeposit ? move.amount : -move.amount;
    changes.set(move.owner, (changes.get(move.owner) ?? 0n) + change);
  }
  const stores = new Set(ownerOfHandle.values());
  const owners = [...changes].filter(([owner, change]) => change !== 0n && !stores.has(owner));
  return strays.length === 1 && owners.length === 1 ? (owners[0]?.[0] ?? null) : null;
}

function itemsOf(transaction: AptosTransaction): Items {
  const own = movesOf(transaction);
  own.items ??= itemsIn(transaction);
  return own.items;
}

/** What a token is described by, as the transaction left it; nothing where it did not write that. */
export function v1WordsOf(transaction: AptosTransaction, token: AptosToken): Partial<V1Words> {
  return itemsOf(transaction).words.get(BigInt.asUintN(256, token.tokenId)) ?? {};
}

/** What the owner has of the token after its last move in the transaction; `null`: the transaction does not tell. */
export function v1BalanceAfter(transaction: AptosTransaction, move: V1Move): bigint | null {
  const own = movesOf(transaction);
  const isLast = !own.moves.some(
    (other) => other.index > move.index && other.owner === move.owner && sameToken(other.token, move.token),
  );
  if (!isLast) return null;
  own.balances ??= balancesIn(own.moves, itemsOf(transaction));
  return own.balances.get(balanceKey(move.owner, move.token)) ?? null;
}
