import { messageOf, type ConfigProblem } from '@imart/core';
import { resolve } from 'node:path';
import type { Marketplace } from '../marketplace';
import {
  evmMarketplaces,
  findMarketplace,
  knownChainIds,
  loadMarketplace,
  MarketplaceFileError,
} from '../markets';
import type { MarketEntry } from './marketSetting';

/**
 * What is wrong with entries of `MARKETS` that are well-formed: names that nobody knows, files that cannot be used, and
 * marketplaces without an address where it is not known. Connects to nothing; runs the files.
 * @param chainId `null` while it is not known: then a marketplace of ours that is known on no chain is a problem.
 */
export async function marketProblems(
  entries: readonly MarketEntry[],
  chainId: number | null,
): Promise<readonly ConfigProblem[]> {
  const problems = await Promise.all(entries.map((entry) => problemOf(entry, chainId)));
  return problems.filter((problem) => problem !== null);
}

/** That the marketplace needs an address. */
export function placeUnknown(entry: MarketEntry, marketplace: Marketplace, where: string): ConfigProblem {
  return {
    setting: 'MARKETS',
    problem: `where ${marketplace.name} is ${where} is not known; write ${entry.name}:0x... with its address`,
  };
}

async function problemOf(entry: MarketEntry, chainId: number | null): Promise<ConfigProblem | null> {
  try {
    const marketplace = entry.isFile
      ? await loadMarketplace(resolve(entry.name))
      : findMarketplace(entry.name);
    return problemWith(entry, marketplace, chainId);
  } catch (error) {
    const named = error instanceof MarketplaceFileError;
    return { setting: 'MARKETS', problem: `${named ? '' : `${entry.name}: `}${messageOf(error)}` };
  }
}

function problemWith(
  entry: MarketEntry,
  marketplace: Marketplace | undefined,
  chainId: number | null,
): ConfigProblem | null {
  if (marketplace === undefined) {
    const known = evmMarketplaces.map(({ name }) => name).join(', ');
    return {
      setting: 'MARKETS',
      problem: `there is no marketplace '${entry.name}'; there are ${known}, and files of your own by their path`,
    };
  }
  if (entry.address !== null) return null;
  if (chainId !== null) {
    return marketplace.contracts(chainId).length > 0
      ? null
      : placeUnknown(entry, marketplace, `on chain ${chainId}`);
  }
  // A file may know chains that we do not: it is asked when the endpoints have told which one it is.
  return entry.isFile || isKnownSomewhere(marketplace) ? null : placeUnknown(entry, marketplace, 'deployed');
}

const isKnownSomewhere = (marketplace: Marketplace): boolean =>
  knownChainIds.some((chainId) => marketplace.contracts(chainId).length > 0);
