import type { ConfigProblem } from '@imart/core';
import {
  bigInteger,
  defineSetting,
  flag,
  integer,
  listOf,
  url,
  validValueOf,
  type Environment,
  type ValueType,
} from '@imart/runtime';
import { marketProblems } from './marketProblems';
import { collectionsSetting, marketEntry, type MarketEntry } from './marketSetting';

const blockHash: ValueType<string> = {
  label: '0x and 64 hex digits',
  parse(value) {
    if (!/^0x[0-9a-fA-F]{64}$/.test(value)) throw new Error('must be 0x and 64 hex digits');
    return value.toLowerCase();
  },
};

/**
 * The settings that say which chain is read, from whom, and what of it is followed: the same ones for every program that
 * reads a chain, so that two of them with one environment mean the same.
 */
export const evmChainSettings = {
  rpcUrls: defineSetting({
    name: 'RPC_URLS',
    type: listOf(url('http', 'https')),
    secret: true,
    group: 'Chain',
    example: 'https://rpc.example.org,https://rpc2.example.org',
    meaning: 'JSON-RPC endpoints of one chain, best first; the others take over while it fails.',
  }),
  chainId: defineSetting({
    name: 'CHAIN_ID',
    type: bigInteger({ min: 1n, max: 2n ** 53n - 1n }),
    optional: true,
    group: 'Chain',
    example: '1',
    meaning: 'The chain that the endpoints must serve. Without it, the first endpoint tells.',
  }),
  genesisHash: defineSetting({
    name: 'GENESIS_HASH',
    type: blockHash,
    optional: true,
    group: 'Chain',
    meaning: 'Hash of block 0, for providers that no longer have it.',
  }),
  rangeBlocksMax: defineSetting({
    name: 'RANGE_BLOCKS_MAX',
    type: integer({ min: 1, max: 1_000_000 }),
    default: '50000',
    unit: 'blocks',
    group: 'Chain',
    meaning: 'Most blocks in one eth_getLogs; the range adapts to the provider below it.',
  }),
  checkBlooms: defineSetting({
    name: 'CHECK_BLOOMS',
    type: flag,
    default: 'true',
    group: 'Chain',
    meaning:
      'Whether blocks are looked at again whose header promises logs that the answer lacks. Off for chains whose blooms lie, or promise everything.',
  }),
  markets: defineSetting({
    name: 'MARKETS',
    type: listOf(marketEntry),
    group: 'Market',
    example: 'seaport-1.5,blur-v2,imart:0x5fbdb2315678afecb367f032d93f642f64180aa3',
    meaning:
      'Marketplaces to follow, each where it is known to be or at the address after its colon; a file with a marketplace of your own by its path.',
  }),
  collections: defineSetting({
    name: 'COLLECTIONS',
    type: collectionsSetting,
    default: 'factories',
    group: 'Market',
    meaning:
      "Whose token transfers are followed: addresses, 'all', or only the collections that the markets' factories create (these are followed in any case).",
  }),
};

/** The entries of `MARKETS` that are well-formed, whatever is wrong with others. */
function validMarkets(environment: Environment): readonly MarketEntry[] {
  return (environment[evmChainSettings.markets.name] ?? '').split(',').flatMap((part) => {
    try {
      return [marketEntry.parse(part.trim())];
    } catch {
      return [];
    }
  });
}

/**
 * What is wrong with the markets of these settings beyond their form; to be told with all other problems at once. Loads the
 * files that they name; connects to nothing.
 */
export function chainSettingProblems(environment: Environment): Promise<readonly ConfigProblem[]> {
  const chainId = validValueOf(evmChainSettings.chainId, environment);
  return marketProblems(validMarkets(environment), chainId === undefined ? null : Number(chainId));
}
