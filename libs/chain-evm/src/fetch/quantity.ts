/**
 * A chain quantity that fits a JavaScript number exactly, from any form that nodes give it: hex with or without leading
 * zeros, decimal text, a JSON number. `null` for everything else: empty, negative, above 2^53.
 */
export function parseQuantity(value: unknown): number | null {
  if (typeof value === 'string') {
    if (!/^(?:0x[0-9a-f]+|\d+)$/i.test(value)) return null;
  } else if (typeof value !== 'number') return null;
  const number = Number(value);
  return Number.isSafeInteger(number) && number >= 0 ? number : null;
}

/** A block number as JSON-RPC wants it. */
export function toQuantity(value: number): string {
  return `0x${value.toString(16)}`;
}
