import type { FoldState } from '@imart/core';

/** JSON of a reducer state. Bigints become `{"$n":"..."}`; no state has an object with that one key. */
export function encodeState(state: FoldState): string {
  return JSON.stringify(state, (_key, value: unknown) =>
    typeof value === 'bigint' ? { $n: value.toString() } : value,
  );
}

export function decodeState(text: string): FoldState {
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value === 'object' && value !== null && '$n' in value) return BigInt(value.$n as string);
    return value;
  }) as FoldState;
}
