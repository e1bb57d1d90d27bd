/** Blocks `from` to `to`, both inclusive; never empty. */
export interface BlockRange {
  readonly from: number;
  readonly to: number;
}

export function blocksIn({ from, to }: BlockRange): number {
  return to - from + 1;
}

export function rangeText({ from, to }: BlockRange): string {
  return from === to ? `block ${from}` : `blocks ${from}..${to}`;
}
