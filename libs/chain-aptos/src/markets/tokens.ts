import {
  AGGREGATE,
  balanceAggregateId,
  claimAggregateId,
  tokenAggregateId,
  type MarketEventData,
} from '@imart/market';
import { AptosDecodeError } from '../errors';
import { canonicalAddress } from '../address';
import type { EmitAptosMarketEvent } from '../market';
import { canonicalStructTag } from '../structTag';
import type { AptosEvent, AptosTransaction } from '../transaction';
import type { AptosMarketplace } from './marketplace';
import { addressAt, quantityAt, textAt, valueAt } from './paths';
import {
  namesOfTokenDataId,
  namesOfTokenId,
  v1Token,
  v2Token,
  type AptosToken,
  type V1Names,
} from './tokenIds';
import { V1_DEPOSIT, V1_WITHDRAW, v1BalanceAfter, v1Moves, v1WordsOf } from './v1Moves';
import {
  changedCollection,
  describeCollection,
  V2_COLLECTION_MUTATION,
  V2_SET_MAX_SUPPLY,
} from './v2Collections';
import {
  collectionInTransaction,
  isFirstOfCollection,
  ofCollection,
  transfersOf,
  V2_BURN,
  V2_MINT,
  V2_TRANSFER,
} from './v2Objects';
import { collectionOf, ownerOf, resourceAt } from './writeSet';

type Translate = (event: AptosEvent, transaction: AptosTransaction, emit: EmitAptosMarketEvent) => void;
type Words = Pick<MarketEventData['TokenDescribed'], 'name' | 'description' | 'uri'>;

const V1 = 'aptos-v1';
const V2 = 'aptos-v2';

/** Every token of the first standard has its collection: it is made of names. */
const collectionOfV1 = (token: AptosToken): string => token.collection as string;

/** The names that the token's id is made of: nobody could tell them from the id. */
function describeV1(names: V1Names, words: Partial<Words>, emit: EmitAptosMarketEvent): void {
  const token = v1Token(names);
  emit(AGGREGATE.tokenDetails, tokenAggregateId(collectionOfV1(token), token.tokenId), 'TokenDescribed', {
    standard: V1,
    creator: names.creator,
    collectionName: names.collection,
    name: names.name,
    edition: names.version,
    description: words.description ?? null,
    uri: words.uri ?? null,
  });
}

/** A deposit or withdrawal: half of what happened, its other half is beside it in the transaction. */
const translateMove: Translate = (event, transaction, emit) => {
  const move = v1Moves(transaction).get(event.index);
  if (move === undefined) throw new AptosDecodeError('it is no deposit and no withdrawal of a token');
  const { token, owner, amount, other } = move;
  const id = balanceAggregateId(collectionOfV1(token), token.tokenId, owner);
  const balance = v1BalanceAfter(transaction, move);
  const data = { quantity: amount, ...(balance === null ? {} : { balance }), standard: V1 } as const;
  if (!move.isDeposit) {
    emit(AGGREGATE.balance, id, 'TokenSent', { to: other, ...data });
    return;
  }
  emit(AGGREGATE.balance, id, 'TokenReceived', { from: other, ...data });
  describeV1(move.names, v1WordsOf(transaction, move.token), emit);
};

/** A token was defined; its first edition bears its words. */
const translateCreation: Translate = (event, _transaction, emit) => {
  const words = { description: textAt(event.data, 'description'), uri: textAt(event.data, 'uri') };
  describeV1({ ...namesOfTokenDataId(event.data, 'id'), version: 0n }, words, emit);
};

/** Offers of tokens to one receiver: the sender has them no more, the receiver not yet. */
const claim =
  (name: 'TokenOffered' | 'TokenOfferCancelled' | 'TokenClaimed', isModuleEvent: boolean): Translate =>
  (event, _transaction, emit) => {
    const token = v1Token(namesOfTokenId(event.data, 'token_id'));
    const sender = isModuleEvent ? addressAt(event.data, 'account') : event.account;
    const receiver = addressAt(event.data, 'to_address');
    const id = claimAggregateId(collectionOfV1(token), token.tokenId, sender, receiver);
    emit(AGGREGATE.claim, id, name, { quantity: quantityAt(event.data, 'amount'), standard: V1 });
  };

const TOKEN = canonicalStructTag('0x4::token::Token');
const IDENTIFIERS = canonicalStructTag('0x4::token::TokenIdentifiers');

/** What a token is called as the transaction left it; `null`: the transaction did not write it. */
function wordsOf(transaction: AptosTransaction, object: string): Words | null {
  const token = resourceAt(transaction, object, TOKEN);
  if (token === undefined) return null;
  const textOf = (path: string): string | null => {
    const value = valueAt(token, path);
    return typeof value === 'string' ? value : null;
  };
  // Where there is one of these, the token's own field is empty.
  const identifiers = resourceAt(transaction, object, IDENTIFIERS);
  const name = identifiers === undefined ? undefined : valueAt(identifiers, 'name.value');
  return {
    name: typeof name === 'string' ? name : textOf('name'),
    description: textOf('description'),
    uri: textOf('uri'),
  };
}

function describeV2(
  transaction: AptosTransaction,
  object: string,
  collection: string,
  emit: EmitAptosMarketEvent,
): void {
  const words = wordsOf(transaction, object);
  if (words === null) return;
  const id = tokenAggregateId(collection, v2Token(object, collection).tokenId);
  emit(AGGREGATE.tokenDetails, id, 'TokenDescribed', {
    standard: V2,
    creator: null,
    collectionName: null,
    edition: null,
    ...words,
  });
}

/** Whoever minted it has it first, and may give it away in the same transaction. */
const translateMint: Translate = (event, transaction, emit) => {
  const { collection, object } = ofCollection(event);
  const first = transfersOf(transaction, object).find(({ index }) => index > event.index);
  const to = first === undefined ? ownerOf(transaction, object) : addressAt(first.data, 'from');
  const id = tokenAggregateId(collection, v2Token(object, collection).tokenId);
  // Of one that was minted and burned again the chain tells no owner: it was nobody's but its collection's.
  emit(AGGREGATE.token, id, 'TokenMinted', { to: to ?? collection, standard: V2 });
  describeV2(transaction, object, collection, emit);
  if (isFirstOfCollection(transaction, event, collection)) describeCollection(transaction, collection, emit);
};

/** The event of a handle does not say whose it was: its last transfer in the transaction may, else its row does. */
const translateBurn: Translate = (event, transaction, emit) => {
  const { collection, object } = ofCollection(event);
  const last = transfersOf(transaction, object).findLast(({ index }) => index < event.index);
  const isTold = valueAt(event.data, 'previous_owner') !== undefined;
  const from = isTold
    ? addressAt(event.data, 'previous_owner')
    : last === undefined
      ? ownerOf(transaction, object)
      : addressAt(last.data, 'to');
  const id = tokenAggregateId(collection, v2Token(object, collection).tokenId);
  emit(AGGREGATE.token, id, 'TokenBurned', { from, standard: V2 });
  if (isFirstOfCollection(transaction, event, collection)) describeCollection(transaction, collection, emit);
};

/** Objects of all kinds are moved; those are tokens that have a token's resource. */
const translateTransfer: Translate = (event, transaction, emit) => {
  const object = addressAt(event.data, 'object');
  const collection = collectionInTransaction(transaction, object);
  if (collection === null) return;
  const id = tokenAggregateId(collection, v2Token(object, collection).tokenId);
  emit(AGGREGATE.token, id, 'TokenTransferred', {
    from: addressAt(event.data, 'from'),
    to: addressAt(event.data, 'to'),
    standard: V2,
  });
};

/** A token's words were changed. */
const translateMutation: Translate = (event, transaction, emit) => {
  const isTold = valueAt(event.data, 'token_address') !== undefined;
  const object = isTold ? addressAt(event.data, 'token_address') : event.account;
  const collection = collectionOf(transaction, object);
  if (collection !== null) describeV2(transaction, object, collection, emit);
};

/** A collection's words were changed, or how many tokens it may have. */
const translateCollectionChange: Translate = (event, transaction, emit) =>
  describeCollection(transaction, changedCollection(event), emit);

const translations: ReadonlyMap<string, Translate> = new Map([
  ...[...V1_DEPOSIT, ...V1_WITHDRAW].map((type) => [type, translateMove] as const),
  ...V2_MINT.map((type) => [type, translateMint] as const),
  ...V2_BURN.map((type) => [type, translateBurn] as const),
  ...V2_TRANSFER.map((type) => [type, translateTransfer] as const),
  ...[...V2_COLLECTION_MUTATION, V2_SET_MAX_SUPPLY].map((type) => [type, translateCollectionChange] as const),
  ...(
    [
      ['0x3::token::CreateTokenDataEvent', translateCreation],
      ['0x3::token::TokenDataCreation', translateCreation],
      ['0x3::token_transfers::TokenOfferEvent', claim('TokenOffered', false)],
      ['0x3::token_transfers::Offer', claim('TokenOffered', true)],
      ['0x3::token_transfers::TokenCancelOfferEvent', claim('TokenOfferCancelled', false)],
      ['0x3::token_transfers::CancelOffer', claim('TokenOfferCancelled', true)],
      ['0x3::token_transfers::TokenClaimEvent', claim('TokenClaimed', false)],
      ['0x3::token_transfers::Claim', claim('TokenClaimed', true)],
      ['0x4::token::MutationEvent', translateMutation],
      ['0x4::token::Mutation', translateMutation],
    ] as const
  ).map(([type, translate]) => [canonicalStructTag(type), translate] as const),
]);

/**
 * Who owns which tokens, what they are called, and what is set aside for whom: the framework's own events, of the first standard
 * (`0x3`: balances, offers and claims) and of the second (`0x4`, objects with one owner). The same events come from handles in older history
 * and from modules in newer: each is known by both names.
 */
export const tokens: AptosMarketplace = {
  name: 'tokens',
  // The same on every chain; the package of the second standard is another one, and asked for as well.
  packageOn: () => canonicalAddress('0x3'),
  at: () => ({
    name: 'tokens',
    eventTypes: [...translations.keys()],
    translate: (event, transaction, emit) => translations.get(event.type)?.(event, transaction, emit),
  }),
};
