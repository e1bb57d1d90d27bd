/** A growing set of 64-bit hashes in one typed array: 8 to 16 bytes an entry, where a Set of bigints takes about 60. */
export interface HashSet {
  add(hash: bigint): void;
  has(hash: bigint): boolean;
  readonly size: number;
}

/** Open addressing with linear probing; at most half full. */
export function createHashSet(initialCapacity = 1024): HashSet {
  let slots = new BigInt64Array(initialCapacity);
  let size = 0;
  // An empty slot holds 0, so 0 itself is remembered apart.
  let hasZero = false;

  const slotOf = (table: BigInt64Array, hash: bigint): number => {
    const mask = table.length - 1;
    let slot = Number(BigInt.asUintN(32, hash)) & mask;
    while (table[slot] !== 0n && table[slot] !== hash) slot = (slot + 1) & mask;
    return slot;
  };

  const grow = (): void => {
    const larger = new BigInt64Array(slots.length * 2);
    for (const hash of slots) if (hash !== 0n) larger[slotOf(larger, hash)] = hash;
    slots = larger;
  };

  return {
    get size() {
      return size;
    },
    add(hash) {
      if (hash === 0n) {
        if (!hasZero) size++;
        hasZero = true;
        return;
      }
      const slot = slotOf(slots, hash);
      if (slots[slot] === hash) return;
      slots[slot] = hash;
      if (++size * 2 > slots.length) grow();
    },
    has: (hash) => (hash === 0n ? hasZero : slots[slotOf(slots, hash)] === hash),
  };
}
