/**
 * The zero address stands for nobody: mints come from it, burns go to it, and as a currency it is the chain's native coin. Each chain has it in its own
 * form of addresses, which are all equally long.
 */
const ZERO = /^0x0+$/;

/** Whether it is the zero address of any chain. */
export function isZeroAddress(address: string | null): boolean {
  return address !== null && ZERO.test(address);
}

/** The zero address of the chain that this is an address of. */
export function zeroAddressLike(address: string): string {
  return `0x${'0'.repeat(Math.max(address.length - 2, 1))}`;
}

/**
 * The address itself; the zero address in the form of its chain, which `own` is an address of: events of before may have it in another
 * chain's form.
 */
export function inFormOf<T extends string | null>(own: string, address: T): T | string {
  if (address === null || address.length === own.length || !isZeroAddress(address)) return address;
  return zeroAddressLike(own);
}
