import type { BlockRef } from '@imart/core';

/** How far the source and the log are, as far as a process knows. */
export interface Heights {
  /** The newest position that the source was said to have; `null` before that is known. */
  readonly head: BlockRef | null;
  /** The last position in the log; `null` before that is known. */
  readonly ingestedPosition: bigint | null;
}

/** How many positions of the source are not in the log; `null` before that is known. */
export function behindHead({ head, ingestedPosition }: Heights): bigint | null {
  return head === null || ingestedPosition === null ? null : head.position - ingestedPosition;
}
