import { ConfigError, type ConfigProblem } from '@imart/core';
import { resolve } from 'node:path';
import type { FollowedMarketplace } from '../follow';
import type { Marketplace } from '../marketplace';
import { createCollections, findMarketplace, loadMarketplace } from '../markets';
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

/**
 * What of the later text is not in the earlier one: contracts, each with its marketplace, whose past nobody has read.
 * @param before as {@link followedText} gives it; empty: not known, so nothing can be said to be new.
 * @example followedAdded('seaport:0xa', 'seaport:0xa+0xb,wyvern:0xc') // ['seaport:0xb', 'wyvern:0xc']
 */
export function followedAdded(before: string, now: string): readonly string[] {
  if (before === '') return [];
  const known = placesByName(before);
  return [...placesByName(now)].flatMap(([name, places]) => {
    const old = known.get(name) ?? new Set<string>();
    if (old.has('all')) return [];
    return [...places].filter((place) => place !== '' && !old.has(place)).map((place) => `${name}:${place}`);
  });
}

function placesByName(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    text.split(',').map((entry) => {
      const [name = '', where = ''] = entry.split(':', 2);
      return [name, new Set(where.split('+'))];
    }),
  );
}
