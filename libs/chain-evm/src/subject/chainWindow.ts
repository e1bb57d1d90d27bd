import type { BlockRef } from '@imart/core';

/** Final blocks that are still known, so that an operator can be told how far a chain that took them back has to be rewound. */
const SETTLED_MAX = 2_048;

/** The blocks that were read and may still be taken back, and the last one that was read. */
export interface ChainWindow {
  /** Ascending. The first one is final, or the first that was ever read. */
  readonly blocks: readonly BlockRef[];
  /** The last block that was read; `null` before the first one. */
  readonly tip: BlockRef | null;
  /** Final blocks below `blocks` that were read in this session, ascending; at most {@link SETTLED_MAX}. */
  readonly settled: readonly BlockRef[];
  at(position: bigint): BlockRef | null;
  /** The last block at or below this position; `null`: none is remembered. */
  atOrBelow(position: bigint): BlockRef | null;
  /** Blocks above the tip, ascending. */
  push(blocks: readonly BlockRef[]): void;
  /** Lets go of every block above this one, which is the tip then. */
  cutAbove(block: BlockRef): void;
  /** Settles blocks below a final one; the tip stays. */
  trim(finalized: bigint): void;
}

export function createChainWindow(blocks: readonly BlockRef[]): ChainWindow {
  let window = [...blocks];
  let settled: readonly BlockRef[] = [];
  const atOrBelow = (position: bigint): BlockRef | null =>
    window.findLast((block) => block.position <= position) ?? null;
  return {
    get blocks() {
      return window;
    },
    get tip() {
      return window.at(-1) ?? null;
    },
    get settled() {
      return settled;
    },
    at(position) {
      const block = atOrBelow(position);
      return block?.position === position ? block : null;
    },
    atOrBelow,
    push(more) {
      window.push(...more);
    },
    cutAbove({ position }) {
      window = window.filter((block) => block.position <= position);
    },
    trim(finalized) {
      const last = window.length - 1;
      const first = window.findIndex((block) => block.position >= finalized);
      const keep = first === -1 ? last : Math.min(first, last);
      if (keep <= 0) return;
      settled = [...settled, ...window.slice(0, keep)].slice(-SETTLED_MAX);
      window = window.slice(keep);
    },
  };
}
