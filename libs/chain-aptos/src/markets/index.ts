/**
 * The marketplaces that this library knows, one file each. Guarantees of all: pure, and the same events for the same transaction from any
 * source and in any batching.
 */
import type { AptosMarketplace } from './marketplace';
import { blueMove } from './blueMove';
import { imart } from './imart';
import { imartCreation } from './imartCreation';
import { imartCuration } from './imartCuration';
import { okx } from './okx';
import { rarible } from './rarible';
import { souffl3 } from './souffl3';
import { tokens } from './tokens';
import { topaz } from './topaz';
import { tradeport, tradeportV1 } from './tradeport';
import { wagmi } from './wagmi';
import { wapal } from './wapal';

export type {
  CollectionPaths,
  EventDeclaration,
  MarketDeclaration,
  Meaning,
  ResourcePath,
  TimePath,
  TokenPaths,
  V1NamePaths,
  ValuePath,
} from './declaration';
export { declareMarketplace } from './declareMarketplace';
export { loadAptosMarketplace, MarketFileError } from './loadMarketplace';
export type { AptosMarketplace } from './marketplace';
export type { FieldPath } from './paths';
export type { TimeUnit } from './times';
export {
  objectOf,
  splitV1TokenId,
  v1CollectionId,
  v1Token,
  v2Token,
  type AptosToken,
  type V1Names,
} from './tokenIds';

/** Every marketplace by its name, in the order in which what several say of one event would stand. */
export const aptosMarketplaces: readonly AptosMarketplace[] = [
  tokens,
  imart,
  imartCreation,
  imartCuration,
  wapal,
  tradeport,
  tradeportV1,
  topaz,
  blueMove,
  souffl3,
  wagmi,
  rarible,
  okx,
];

const byName = new Map(aptosMarketplaces.map((marketplace) => [marketplace.name, marketplace]));

/** The marketplace of this name, as in the `MARKETS` setting; `undefined` when there is none. */
export function findAptosMarketplace(name: string): AptosMarketplace | undefined {
  return byName.get(name);
}
