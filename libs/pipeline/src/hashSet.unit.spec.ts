import fc from 'fast-check';
import { createHashSet } from './hashSet';

describe('a set of hashes', () => {
  it('holds what was added and nothing else, however it grows', () => {
    const hashes = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(
        fc.array(hashes, { maxLength: 500 }),
        fc.array(hashes, { maxLength: 50 }),
        (added, others) => {
          const set = createHashSet(2);
          for (const hash of added) set.add(hash);
          const reference = new Set(added);
          expect(set.size).toBe(reference.size);
          for (const hash of [...added, ...others, 0n]) expect(set.has(hash)).toBe(reference.has(hash));
        },
      ),
    );
  });

  it('tells apart hashes that share their low bits', () => {
    const set = createHashSet(4);
    set.add(1n);
    set.add(1n + 2n ** 32n);
    expect(set.has(1n + 2n ** 33n)).toBe(false);
    expect(set.size).toBe(2);
  });
});
