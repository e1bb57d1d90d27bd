import type { BlockRef } from '@imart/core';

/** The blocks that were read and may still be taken back, and the last one that was read. */
export interface ChainWindow {
  /** The last block that was read; `null` before the first one. */
  readonly tip: BlockRef | null;
  at(position: bigint): BlockRef | null;
  /** Blocks above the tip, ascending. */
  push(blocks: readonly BlockRef[]): void;
  /** Forgets blocks below a final one; the tip stays. */
  trim(finalized: bigint): void;
}

export function createChainWindow(blocks: readonly BlockRef[]): ChainWindow {
  let window = [...blocks];
  return {
    get tip() {
      return window.at(-1) ?? null;
    },
    at: (position) => window.find((block) => block.position === position) ?? null,
    push(more) {
      window.push(...more);
    },
    trim(finalized) {
      const last = window.length - 1;
      const keep = window.findIndex((block) => block.position >= finalized);
      window = window.slice(keep === -1 ? last : Math.min(keep, last));
    },
  };
}
