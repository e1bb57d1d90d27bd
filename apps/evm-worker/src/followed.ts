import {
  createCollections,
  findMarketplace,
  loadMarketplace,
  type FollowedMarketplace,
  type Marketplace,
} from '@imart/chain-evm';
import { ConfigError, type ConfigProblem } from '@imart/core';
import { resolve } from 'node:path';
import { placeUnknown } from './marketProblems';
import type { CollectionsSetting, MarketEntry } from './marketSetting';

/** Transfers of tokens have four topics, those of ERC-20 three (D6). */
const TOKEN_TRANSFER_TOPICS = 4;

/**
 * What the settings say to follow on this chain: marketplaces, and the transfers of collections. Entries of one name are
 * one marketplace with several contracts.
 * @throws {ConfigError} with every marketplace that has no address here.
 */
export async function followedOn(
  chainId: number,
  markets: readonly MarketEntry[],
  collections: CollectionsSetting,
): Promise<readonly FollowedMarketplace[]> {
  const problems: ConfigProblem[] = [];
  const followed = new Map<string, { marketplace: Marketplace; contracts: Set<string> }>();
  for (const entry of markets) {
    const marketplace = entry.isFile
      ? await loadMarketplace(resolve(entry.name))
      : findMarketplace(entry.name);
    if (marketplace === undefined) throw new RangeError(`no marketplace ${entry.name}`);
    const contracts =
      entry.address === null
        ? marketplace.contracts(chainId).map((c) => c.address.toLowerCase())
        : [entry.address];
    if (contracts.length === 0) {
      problems.push(placeUnknown(entry, marketplace, `on chain ${chainId}`));
      continue;
    }
    const known = followed.get(marketplace.name) ?? { marketplace, contracts: new Set<string>() };
    for (const address of contracts) known.contracts.add(address);
    followed.set(marketplace.name, known);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return [
    ...[...followed.values()].map(({ marketplace, contracts }) => ({
      marketplace,
      contracts: [...contracts],
    })),
    followedCollections(collections),
  ];
}

function followedCollections(setting: CollectionsSetting): FollowedMarketplace {
  const listed = setting.kind === 'listed' ? setting.collections : [];
  const unindexed = new Set(listed.filter((c) => c.unindexed).map((c) => c.address));
  return {
    marketplace: createCollections({ unindexedContracts: unindexed }),
    contracts: setting.kind === 'all' ? 'all' : listed.map((c) => c.address),
    discovered: true,
    ...(setting.kind === 'all' ? { topicCount: TOKEN_TRANSFER_TOPICS } : {}),
  };
}

/** What is followed as one text that is the same for the same settings, in whatever order they are written. */
export function followedText(followed: readonly FollowedMarketplace[]): string {
  return followed
    .map(({ marketplace, contracts }) => {
      const where = contracts === 'all' ? 'all' : [...contracts].sort().join('+');
      return `${marketplace.name}:${where}`;
    })
    .sort()
    .join(',');
}
