/** The most that a fullnode gives at once; more is cut to this without a word. */
export const PAGE_MAX = 100;
/** Pages after which one that took too long is asked for a tenth more. */
const PAGES_BEFORE_GROWTH = 20;

/** How many transactions are asked for at once. Learns from what is answered. */
export interface PageSize {
  readonly size: number;
  /** A page of the size that was asked for came. */
  whole(asked: number): void;
  /** The node has more, but gives only so many at once. */
  cut(to: number): void;
  /** A page of this size took too long, or was too large. */
  tooSlow(asked: number): void;
}

export function createPageSize(max = PAGE_MAX): PageSize {
  let ceiling = max;
  let size = max;
  let wholePages = 0;
  return {
    get size() {
      return size;
    },
    whole(asked) {
      if (size >= ceiling || asked < size || ++wholePages < PAGES_BEFORE_GROWTH) return;
      wholePages = 0;
      size = Math.min(ceiling, size + Math.max(1, Math.floor(size / 10)));
    },
    cut(to) {
      ceiling = Math.max(1, Math.min(ceiling, to));
      size = Math.min(size, ceiling);
    },
    tooSlow(asked) {
      wholePages = 0;
      size = Math.max(1, Math.min(size, Math.floor(asked / 2)));
    },
  };
}
