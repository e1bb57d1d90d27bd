import { AGGREGATE } from '@imart/market';
import { canonicalAddress } from '../address';
import type { EmitAptosMarketEvent } from '../market';
import { canonicalStructTag } from '../structTag';
import type { AptosEvent, AptosTransaction } from '../transaction';
import { addressAt, quantityAt, textAt, toQuantity, valueAt } from './paths';
import { resourceAt } from './writeSet';

const COLLECTION = canonicalStructTag('0x4::collection::Collection');
const FIXED = canonicalStructTag('0x4::collection::FixedSupply');
const CONCURRENT = canonicalStructTag('0x4::collection::ConcurrentSupply');
/** The counter of a collection without a limit ends where the number does. */
const NO_LIMIT = (1n << 64n) - 1n;

/** Types of the event that says that a collection's words have changed: of a handle, and of the module. */
export const V2_COLLECTION_MUTATION = ['0x4::collection::MutationEvent', '0x4::collection::Mutation'].map(
  canonicalStructTag,
);
/** That there may be another number of its tokens. */
export const V2_SET_MAX_SUPPLY = canonicalStructTag('0x4::collection::SetMaxSupply');

/** Most tokens that a collection may have; `null`: no limit. */
function maximumOf(transaction: AptosTransaction, collection: string): bigint | null {
  const fixed = resourceAt(transaction, collection, FIXED);
  if (fixed !== undefined) return quantityAt(fixed, 'max_supply');
  const concurrent = resourceAt(transaction, collection, CONCURRENT);
  const limit = concurrent === undefined ? undefined : valueAt(concurrent, 'current_supply.max_value');
  const maximum = limit === undefined ? NO_LIMIT : toQuantity(limit, 'current_supply.max_value');
  return maximum === NO_LIMIT ? null : maximum;
}

/** What a collection of the second standard says of itself, where the transaction wrote it. */
export function describeCollection(
  transaction: AptosTransaction,
  collection: string,
  emit: EmitAptosMarketEvent,
): void {
  const written = resourceAt(transaction, collection, COLLECTION);
  if (written === undefined) return;
  emit(AGGREGATE.collection, collection, 'CollectionDescribed', {
    standard: 'aptos-v2',
    creator: addressAt(written, 'creator'),
    name: textAt(written, 'name'),
    description: textAt(written, 'description'),
    uri: textAt(written, 'uri'),
    maximum: maximumOf(transaction, collection),
  });
}

/** The event of a handle is its collection's; the module's names it. */
export function changedCollection(event: AptosEvent): string {
  return event.type === V2_COLLECTION_MUTATION[0]
    ? canonicalAddress(event.account)
    : addressAt(event.data, 'collection');
}
