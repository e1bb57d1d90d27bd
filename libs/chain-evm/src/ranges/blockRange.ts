/** Blocks `from` to `to`, both inclusive; never empty. */
export interface BlockRange {
  readonly from: number;
  readonly to: number;
}

export function blocksIn({ from, to }: BlockRange): number {
  return to - from + 1;
}

/** The range in parts of at most `blocksMax` blocks: ascending, disjoint, their union is the range (Q9). */
export function splitRange(range: BlockRange, blocksMax: number): BlockRange[] {
  const parts: BlockRange[] = [];
  for (let from = range.from; from <= range.to; from += blocksMax) {
    parts.push({ from, to: Math.min(from + blocksMax - 1, range.to) });
  }
  return parts;
}

/** `[from, end]` and `[end + 1, to]`. `end` must be at least `from` and below `to`. */
export function splitAfter({ from, to }: BlockRange, end: number): [BlockRange, BlockRange] {
  if (end < from || end >= to) throw new RangeError(`blocks ${from}..${to} cannot be split after ${end}`);
  return [
    { from, to: end },
    { from: end + 1, to },
  ];
}

export function rangeText({ from, to }: BlockRange): string {
  return from === to ? `block ${from}` : `blocks ${from}..${to}`;
}
