import { AptosDecodeError } from '../errors';
import { canonicalStructTag } from '../structTag';
import type { AptosEvent, AptosTransaction } from '../transaction';
import { onceFor } from './onceFor';
import { addressAt } from './paths';
import { collectionOf } from './writeSet';

/** Types of the same event: of a handle, and of the module. */
export const V2_MINT = ['0x4::collection::MintEvent', '0x4::collection::Mint'].map(canonicalStructTag);
export const V2_BURN = ['0x4::collection::BurnEvent', '0x4::collection::Burn'].map(canonicalStructTag);
export const V2_TRANSFER = ['0x1::object::TransferEvent', '0x1::object::Transfer'].map(canonicalStructTag);

/** What a transaction's events say of one object. */
interface ObjectStory {
  readonly transfers: AptosEvent[];
  collection: string | null;
}

/** What they say of all objects, and of which collection they say something first at which event. */
interface Stories {
  readonly objects: ReadonlyMap<string, ObjectStory>;
  readonly firstOf: ReadonlyMap<string, number>;
}

/** A collection's event about one of its tokens; of a handle, the collection is the handle's account. */
export function ofCollection(event: AptosEvent): { collection: string; object: string } {
  const isModuleEvent = event.type === V2_MINT[1] || event.type === V2_BURN[1];
  return {
    collection: isModuleEvent ? addressAt(event.data, 'collection') : event.account,
    object: addressAt(event.data, 'token'),
  };
}

const storiesOf = onceFor((transaction): Stories => {
  const stories = new Map<string, ObjectStory>();
  const firstOf = new Map<string, number>();
  const storyOf = (object: string): ObjectStory => {
    let story = stories.get(object);
    if (story === undefined) stories.set(object, (story = { transfers: [], collection: null }));
    return story;
  };
  for (const event of transaction.events) {
    try {
      if (V2_TRANSFER.includes(event.type)) storyOf(addressAt(event.data, 'object')).transfers.push(event);
      else if (V2_MINT.includes(event.type) || V2_BURN.includes(event.type)) {
        const { collection, object } = ofCollection(event);
        storyOf(object).collection = collection;
        if (!firstOf.has(collection)) firstOf.set(collection, event.index);
      }
    } catch (error) {
      // It is reported where it is translated itself; it is no witness for others.
      if (!(error instanceof AptosDecodeError)) throw error;
    }
  }
  return { objects: stories, firstOf };
});

/** The transfers of an object in a transaction, in order. */
export function transfersOf(transaction: AptosTransaction, object: string): readonly AptosEvent[] {
  return storiesOf(transaction).objects.get(object)?.transfers ?? [];
}

/**
 * The collection of a token that a transaction moved: as it wrote the token, or as it minted or burned it. `null`: the object is no
 * token.
 */
export function collectionInTransaction(transaction: AptosTransaction, object: string): string | null {
  return collectionOf(transaction, object) ?? storiesOf(transaction).objects.get(object)?.collection ?? null;
}

/** Whether an event is the first of its transaction by which a collection tells of a token. */
export function isFirstOfCollection(
  transaction: AptosTransaction,
  event: AptosEvent,
  collection: string,
): boolean {
  return storiesOf(transaction).firstOf.get(collection) === event.index;
}
