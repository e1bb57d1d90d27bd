import { keccak256 } from 'ethers';
import type { Json } from './recording';

export const EMPTY_BLOOM = `0x${'00'.repeat(256)}`;

/** Recordings repeat a few thousand addresses and topics; hashing them is what verification costs. */
const positions = new Map<string, readonly number[]>();

function positionsOf(hex: string): readonly number[] {
  let known = positions.get(hex);
  if (known === undefined) {
    const hash = keccak256(hex);
    known = [2, 6, 10].map((at) => parseInt(hash.slice(at, at + 4), 16) & 2047);
    positions.set(hex, known);
  }
  return known;
}

/** The logsBloom of these logs: three bits for the address and for each topic. */
export function bloomOf(logs: readonly Json[]): string {
  const bytes = Buffer.alloc(256);
  for (const log of logs) {
    for (const item of [log['address'], ...(log['topics'] as unknown[])]) {
      for (const bit of positionsOf(String(item).toLowerCase())) bytes[255 - (bit >> 3)]! |= 1 << (bit & 7);
    }
  }
  return `0x${bytes.toString('hex')}`;
}

/** Whether every bit of `part` is set in `whole`. */
export function bloomIncludes(whole: string, part: string): boolean {
  return (BigInt(whole) & BigInt(part)) === BigInt(part);
}
