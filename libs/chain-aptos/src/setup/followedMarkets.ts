import { ConfigError, messageOf, type ConfigProblem } from '@imart/core';
import { validValueOf, type Environment } from '@imart/runtime';
import type { AptosMarket } from '../market';
import {
  aptosMarketplaces,
  findAptosMarketplace,
  loadAptosMarketplace,
  MarketFileError,
  type AptosMarketplace,
} from '../markets';
import { aptosChainSettings } from './aptosSettings';
import { aptosMarketEntry, aptosMarketSettings, type AptosMarketEntry } from './marketSetting';

/** The networks whose packages this library knows: mainnet and testnet. */
const KNOWN_CHAIN_IDS = [1, 2];

/** A marketplace at its package. */
export interface FollowedAptosMarket {
  readonly packageAddress: string;
  readonly market: AptosMarket;
}

const problem = (text: string): ConfigProblem => ({
  setting: aptosMarketSettings.markets.name,
  problem: text,
});

const marketplaceOf = (entry: AptosMarketEntry): Promise<AptosMarketplace> | AptosMarketplace | undefined =>
  entry.isFile ? loadAptosMarketplace(entry.name) : findAptosMarketplace(entry.name);

const placeUnknown = (entry: AptosMarketEntry, { name }: AptosMarketplace, where: string): ConfigProblem =>
  problem(`where ${name} is ${where} is not known; write ${entry.name}:0x... with its package`);

/** A file may know networks that we do not: it is asked when the endpoints have told which one it is. */
function isKnownSomewhere(entry: AptosMarketEntry, marketplace: AptosMarketplace): boolean {
  return entry.isFile || KNOWN_CHAIN_IDS.some((chainId) => marketplace.packageOn(chainId) !== null);
}

async function problemOf(entry: AptosMarketEntry, chainId: number | null): Promise<ConfigProblem | null> {
  let marketplace: AptosMarketplace | undefined;
  try {
    marketplace = await marketplaceOf(entry);
  } catch (error) {
    return problem(error instanceof MarketFileError ? error.message : `${entry.name}: ${messageOf(error)}`);
  }
  if (marketplace === undefined) {
    const known = aptosMarketplaces.map(({ name }) => name).join(', ');
    return problem(
      `there is no marketplace '${entry.name}'; there are ${known}, and files of your own by their path`,
    );
  }
  if (entry.packageAddress !== null) return null;
  if (chainId === null) {
    return isKnownSomewhere(entry, marketplace) ? null : placeUnknown(entry, marketplace, 'published');
  }
  return marketplace.packageOn(chainId) === null
    ? placeUnknown(entry, marketplace, `on network ${chainId}`)
    : null;
}

/** The entries of `MARKETS` that are well-formed, whatever is wrong with others. */
function validEntries(environment: Environment): readonly AptosMarketEntry[] {
  return (environment[aptosMarketSettings.markets.name] ?? '').split(',').flatMap((part) => {
    try {
      return [aptosMarketEntry.parse(part.trim())];
    } catch {
      return [];
    }
  });
}

/** Handles are needed by the source that reads by them, and by no other. */
function handleProblems(environment: Environment): readonly ConfigProblem[] {
  const { source, handles } = aptosChainSettings;
  const chosen = validValueOf(source, environment);
  if ((chosen !== 'handles' && chosen !== 'events') || (environment[handles.name] ?? '') !== '') return [];
  return [{ setting: handles.name, problem: `is required where ${source.name} is ${chosen}` }];
}

/**
 * What is wrong with these settings of a ledger and its markets beyond the form of each; to be told with all other problems at once. Loads
 * the files that they name; connects to nothing.
 */
export async function aptosSettingProblems(environment: Environment): Promise<readonly ConfigProblem[]> {
  const chainId = validValueOf(aptosChainSettings.chainId, environment);
  const problems = await Promise.all(
    validEntries(environment).map((entry) =>
      problemOf(entry, chainId === undefined ? null : Number(chainId)),
    ),
  );
  return [...handleProblems(environment), ...problems.filter((found) => found !== null)];
}

/**
 * What the settings say to follow on this network, in the same order however they are written. What has the same events is followed once:
 * the same package twice, or a marketplace whose events have one place only.
 * @throws {ConfigError} with every marketplace whose package there is not known.
 * @throws {MarketFileError} a file cannot be used.
 */
export async function followedAptosMarkets(
  chainId: number,
  entries: readonly AptosMarketEntry[],
): Promise<readonly FollowedAptosMarket[]> {
  const problems: ConfigProblem[] = [];
  const followed: FollowedAptosMarket[] = [];
  for (const entry of entries) {
    const marketplace = await marketplaceOf(entry);
    if (marketplace === undefined) throw new RangeError(`no marketplace ${entry.name}`);
    const packageAddress = entry.packageAddress ?? marketplace.packageOn(chainId);
    if (packageAddress === null) {
      problems.push(placeUnknown(entry, marketplace, `on network ${chainId}`));
      continue;
    }
    followed.push({ packageAddress, market: marketplace.at(packageAddress) });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const once = new Map<string, FollowedAptosMarket>();
  for (const one of followed.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))) {
    const what = [one.market.name, ...one.market.eventTypes].join(' ');
    if (!once.has(what)) once.set(what, one);
  }
  return [...once.values()];
}

const placeOf = ({ market, packageAddress }: FollowedAptosMarket): string =>
  `${market.name}:${packageAddress}`;

/** What is followed as one text that is the same for the same settings, in whatever order they are written. */
export function followedAptosText(followed: readonly FollowedAptosMarket[]): string {
  return followed.map(placeOf).sort().join(',');
}
