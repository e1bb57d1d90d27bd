import { canonicalStructTag, withoutTypeArguments } from '../structTag';
import type { AptosRecord, AptosTransaction, WrittenResource } from '../transaction';
import { onceFor } from './onceFor';
import { valueAt } from './paths';
import { canonicalAddress } from '../address';

interface WriteSet {
  /** Of each address, in the order of the transaction. */
  readonly written: ReadonlyMap<string, readonly WrittenResource[]>;
  readonly deleted: ReadonlySet<string>;
}

const writeSetOf = onceFor((transaction): WriteSet => {
  const written = new Map<string, WrittenResource[]>();
  const deleted = new Set<string>();
  for (const change of transaction.changes()) {
    if (change.kind === 'written-resource') {
      const others = written.get(change.address);
      if (others === undefined) written.set(change.address, [change]);
      else others.push(change);
    } else if (change.kind === 'deleted-resource') deleted.add(change.address);
  }
  return { written, deleted };
});

/** A resource as the transaction left it, whatever its type arguments; `undefined` when the transaction did not write it. */
export function resourceAt(
  transaction: AptosTransaction,
  address: string,
  type: string,
): AptosRecord | undefined {
  return writeSetOf(transaction)
    .written.get(address)
    ?.findLast((resource) => withoutTypeArguments(resource.type) === type)?.data;
}

/** Whether the transaction deleted something at an address. */
export function isDeletedAt(transaction: AptosTransaction, address: string): boolean {
  return writeSetOf(transaction).deleted.has(address);
}

const TOKEN = canonicalStructTag('0x4::token::Token');
const OBJECT_CORE = canonicalStructTag('0x1::object::ObjectCore');

/** The collection of a token of the second standard; `null` when the transaction did not write the token. */
export function collectionOf(transaction: AptosTransaction, object: string): string | null {
  const token = resourceAt(transaction, object, TOKEN);
  const collection = token === undefined ? undefined : valueAt(token, 'collection.inner');
  return typeof collection === 'string' ? canonicalAddress(collection) : null;
}

/** Who owned an object at the transaction's end; `null` when the transaction did not write it. */
export function ownerOf(transaction: AptosTransaction, object: string): string | null {
  const core = resourceAt(transaction, object, OBJECT_CORE);
  const owner = core === undefined ? undefined : valueAt(core, 'owner');
  return typeof owner === 'string' ? canonicalAddress(owner) : null;
}
