import fc from 'fast-check';
import type { Event } from '@imart/core';
/** A history with some events that their reducer always throws at, cut into ranges, some of them empty. */
export declare const histories: fc.Arbitrary<{
  events: Event<string, unknown>[];
  ends: bigint[];
}>;
