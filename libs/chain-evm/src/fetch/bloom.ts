import { keccak256 } from 'ethers';
import type { LogQuery } from '../follow';

/** Three bits of a 2,048-bit bloom, as (place of the hex digit, mask within it). */
export type BloomBits = readonly (readonly [number, number])[];

const HEX_DIGITS = 512;
const CACHE_MAX = 20_000;
const cache = new Map<string, BloomBits>();

/** The bits that an address or a topic sets: the low 11 bits of the first three 16-bit words of its hash. */
export function bloomBits(item: string): BloomBits {
  const known = cache.get(item);
  if (known !== undefined) return known;
  const hash = keccak256(item);
  const bits = [0, 1, 2].map((i): readonly [number, number] => {
    const bit = parseInt(hash.slice(2 + i * 4, 6 + i * 4), 16) & 2_047;
    // Bit 0 is the last bit of the last digit.
    return [HEX_DIGITS - 1 - (bit >> 2), 1 << (bit & 3)];
  });
  if (cache.size >= CACHE_MAX) cache.clear();
  cache.set(item, bits);
  return bits;
}

/** Places count the digits of a bloom from behind its `0x`. */
const isSet = (bloom: string, [place, mask]: readonly [number, number]): boolean =>
  (parseInt(bloom[place + 2] as string, 16) & mask) !== 0;

/** Whether a bloom may hold what has these bits. Not for text that is no bloom. */
export function bloomHolds(bloom: string, bits: BloomBits): boolean {
  return bloom.length === HEX_DIGITS + 2 && bits.every((bit) => isSet(bloom, bit));
}

/**
 * Whether a block's bloom says that it may hold logs for this query. `false` proves nothing where chains fill their blooms
 * in ways of their own; `true` is a reason to look again. Without a bloom, or with an empty one, `false`; so for queries
 * of every contract, whose topics are in nearly every block.
 */
export function bloomMayHold(logsBloom: string | null, { address, topics }: LogQuery): boolean {
  if (address === undefined || logsBloom?.length !== HEX_DIGITS + 2) return false;
  const holds = (item: string): boolean => bloomHolds(logsBloom, bloomBits(item));
  return address.some(holds) && (topics[0] ?? []).some(holds);
}
