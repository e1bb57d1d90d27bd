const UINT256_MAX = (1n << 256n) - 1n;

/**
 * A sum or product of what logs say, or `null` when it is more than a contract can count to: nobody can pay it, whatever
 * the logs say, and nothing downstream need have room for it (D2).
 */
export function uint256OrNull(value: bigint): bigint | null {
  return value > UINT256_MAX ? null : value;
}
