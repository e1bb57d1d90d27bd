import {
  findMarketplace,
  loadMarketplace,
  type Marketplace,
  type MarketplaceContract,
} from '@imart/chain-evm';
import { ConfigError, type ConfigProblem } from '@imart/core';
import { resolve } from 'node:path';
import type { MarketEntry } from './marketSetting';

/** A marketplace with where it is on this chain. */
export interface FollowedMarketplace {
  readonly marketplace: Marketplace;
  readonly contracts: readonly MarketplaceContract[];
}

/**
 * The marketplaces of the setting on this chain. Entries of one name are one marketplace with several contracts.
 * @throws {ConfigError} with every entry that has no address here.
 */
export async function followedMarketplaces(
  entries: readonly MarketEntry[],
  chainId: number,
): Promise<readonly FollowedMarketplace[]> {
  const problems: ConfigProblem[] = [];
  const followed = new Map<string, { marketplace: Marketplace; contracts: MarketplaceContract[] }>();
  for (const entry of entries) {
    const marketplace = entry.isFile
      ? await loadMarketplace(resolve(entry.name))
      : findMarketplace(entry.name);
    if (marketplace === undefined) throw new RangeError(`no marketplace ${entry.name}`);
    const contracts = entry.address === null ? marketplace.contracts(chainId) : [{ address: entry.address }];
    if (contracts.length === 0) {
      problems.push({
        setting: 'MARKETS',
        problem: `where ${entry.name} is on chain ${chainId} is not known; write ${entry.name}:0x... with its address`,
      });
      continue;
    }
    const known = followed.get(marketplace.name);
    if (known === undefined) followed.set(marketplace.name, { marketplace, contracts: [...contracts] });
    else
      known.contracts.push(...contracts.filter((c) => !known.contracts.some((k) => k.address === c.address)));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return [...followed.values()];
}
