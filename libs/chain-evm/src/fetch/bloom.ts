import { keccak256 } from 'ethers';
import type { LogQuery } from '../follow';

/** Three bits of a 2,048-bit bloom, as (place of the hex digit, mask within it). */
type BloomBits = readonly (readonly [number, number])[];

const HEX_DIGITS = 512;
const CACHE_MAX = 20_000;
const cache = new Map<string, BloomBits>();

/** The bits that an address or a topic sets: the low 11 bits of the first three 16-bit words of its hash. */
function bitsOf(item: string): BloomBits {
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

function has(digits: string, item: string): boolean {
  return bitsOf(item).every(([place, mask]) => (parseInt(digits[place] as string, 16) & mask) !== 0);
}

/**
 * Whether a block's bloom says that it may hold logs for this query. `false` proves nothing where chains fill their blooms
 * in ways of their own; `true` is a reason to look again. Without a bloom, or with an empty one, `false`; so for queries
 * of every contract, whose topics are in nearly every block.
 */
export function bloomMayHold(logsBloom: string | null, { address, topics }: LogQuery): boolean {
  if (address === undefined || logsBloom?.length !== HEX_DIGITS + 2) return false;
  const digits = logsBloom.slice(2);
  if (!/[^0]/.test(digits)) return false;
  const [first] = topics;
  return address.some((one) => has(digits, one)) && (first ?? []).some((topic) => has(digits, topic));
}
