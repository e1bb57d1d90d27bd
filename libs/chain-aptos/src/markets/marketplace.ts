import type { AptosMarket } from '../market';

/** A marketplace, wherever it is deployed. */
export interface AptosMarketplace {
  /** As in the `MARKETS` setting: lower case, digits, `-`, `.`. */
  readonly name: string;
  /** The package on a chain when the setting names none, canonical; `null`: not known there. */
  packageOn(chainId: number): string | null;
  /** The marketplace as deployed at a package, canonical. */
  at(packageAddress: string): AptosMarket;
}

/** Aptos mainnet. */
export const MAINNET = 1;
