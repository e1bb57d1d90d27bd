import { expect } from '@jest/globals';
import { createFakeChain, type FakeChain } from './fakeChain';
import type { MessageStore } from './messageStore';
import { inTx, placesOn, sale } from './subjectKit';

/** A chain of which most blocks have a sale or two. */
export function busyChain(length: number): FakeChain {
  const chain = createFakeChain();
  while (chain.head < length) mine(chain);
  return chain;
}

/** More blocks like those of {@link busyChain}. */
export function mine(chain: FakeChain, blocks = 1): void {
  for (let i = 0; i < blocks; i++)
    chain.mine(chain.head % 3 === 0 ? [sale, inTx(1)] : chain.head % 5 === 0 ? [] : [sale]);
}

/** What was stored is the chain's now, whatever happened before. */
export function expectChain(store: MessageStore, chain: FakeChain): void {
  expect(store.places).toEqual(placesOn(chain));
  expect(store.next).toBe(BigInt(chain.head + 1));
}

/** The blocks that reorgs went back to, by number. */
export const ancestors = ({ invalidations }: MessageStore): readonly number[] =>
  invalidations.map(({ ancestor }) => Number(ancestor.position));
