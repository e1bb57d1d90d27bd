import { getCreateAddress } from 'ethers';
import type { ActionOf } from '../actions';
import { ZERO, type CollectionState, type ModelState, type PredictedLog } from './state';

export function createCollection(state: ModelState, action: ActionOf<'createCollection'>): PredictedLog[] {
  const { standard, terms, by } = action;
  const { singleCollective, multipleCollective } = state.contracts;
  const factory = standard === 'erc721' ? singleCollective : multipleCollective;
  const count = (state.createdBy.get(factory) ?? 0) + 1;
  state.createdBy.set(factory, count);
  // A contract's first creation has nonce 1 (EIP-161).
  const address = getCreateAddress({ from: factory, nonce: count }).toLowerCase();
  const { name, category, tags, description, uri, payees, royalties } = terms;
  const rates = royalties.map(String);
  const maximum = String(terms.maximum);
  const collection: CollectionState = {
    address,
    standard,
    minted: 0n,
    mintedOf: new Map(),
    maximum: terms.maximum,
    created: {
      address,
      factory,
      standard,
      creator: by,
      name,
      category,
      tags,
      description,
      uri,
      royalties: payees.map((payee, i) => ({ payee, rate: rates[i] as string })),
      maximum: terms.maximum === 0n ? null : maximum,
    },
    createdAt: 0,
  };
  state.collections.set(address, collection);
  return [
    { address, event: 'OwnershipTransferred', args: [ZERO, by], activities: [] },
    {
      address: factory,
      event: 'CollectionCreated',
      args: [address, by, name, category, tags, description, uri, payees, rates, maximum],
      activities: [],
      stamp: (time) => void (collection.createdAt = time),
    },
  ];
}
