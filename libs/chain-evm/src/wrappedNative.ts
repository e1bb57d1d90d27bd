/** Wrapped native coins by chain id (reservoirprotocol/indexer's SDK; those met in recorded logs confirmed). */
const WRAPPED_NATIVE: ReadonlyMap<number, string> = new Map([
  [1, '0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2'],
  [56, '0xbb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c'],
  [137, '0x0d500b1d8e8ef31e21c99d1db9a6444d3adf1270'],
  [204, '0x4200000000000000000000000000000000000006'],
  [324, '0x5aea5775959fbc2557cc8789bc1bf90a239d9a91'],
]);

/** The contract of a chain's wrapped native coin, in canonical form; `null` where it is not known. */
export function wrappedNativeOf(chainId: number): string | null {
  return WRAPPED_NATIVE.get(chainId) ?? null;
}
