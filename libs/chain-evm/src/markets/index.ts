/**
 * The marketplaces that this library knows, one file each. Guarantees of all: pure, and the same events for the same
 * transaction in any batching.
 */
import type { Marketplace } from '../marketplace';
import { blurV1 } from './blurV1';
import { blurV2 } from './blurV2';
import { createCollections } from './collections';
import { multipleCollective, singleCollective } from './collectives';
import { cryptoPunks } from './cryptoPunks';
import { foundation } from './foundation';
import { imartCommissionPool } from './imartCommissionPool';
import { imartCuration } from './imartCuration';
import { imartLottery } from './imartLottery';
import { imartMarket } from './imartMarket';
import { looksRareV1 } from './looksRareV1';
import { looksRareV2 } from './looksRareV2';
import { mixverseSpace } from './mixverseSpace';
import { seaport11, seaport14, seaport15, seaport16 } from './seaport';
import { wyvern } from './wyvern';
import { x2y2 } from './x2y2';

export { createCollections, UNINDEXED_ROLE } from './collections';
export { knownChainIds } from './knownChains';
export { loadMarketplace, MarketplaceFileError } from './loadMarketplace';
export { createSeaport } from './seaport';

/**
 * Every marketplace by its name, in the order in which a transaction's events of several of them at one log would stand.
 * `collections` here takes every contract for one that indexes its token ids; with contracts configured that do not, make
 * it by {@link createCollections} and use it in the place of this one.
 */
export const evmMarketplaces: readonly Marketplace[] = [
  imartMarket,
  mixverseSpace,
  singleCollective,
  multipleCollective,
  imartCuration,
  imartCommissionPool,
  imartLottery,
  seaport11,
  seaport14,
  seaport15,
  seaport16,
  wyvern,
  looksRareV1,
  looksRareV2,
  x2y2,
  blurV1,
  blurV2,
  cryptoPunks,
  foundation,
  createCollections({ unindexedContracts: new Set() }),
];

const byName = new Map(evmMarketplaces.map((marketplace) => [marketplace.name, marketplace]));

/** The marketplace of this name, as in the `MARKETS` setting; `undefined` when there is none. */
export function findMarketplace(name: string): Marketplace | undefined {
  return byName.get(name);
}
