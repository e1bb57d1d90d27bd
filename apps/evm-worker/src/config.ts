import { evmSeqNo, chainSettingProblems, evmChainSettings } from '@imart/chain-evm';
import { SECOND_PASS_RATE_DEFAULT } from '@imart/pipeline';
import { defineConfig, defineSetting, flag, integer, url, type ConfigOf } from '@imart/runtime';
import {
  engineSettings,
  pollSetting,
  positionSettings,
  positionWords,
  programSettings,
  roleSettings,
  whereChainIsRead,
  type ReadingConfigOf,
} from '@imart/worker';

/** What the positions of these chains are called. */
export const BLOCKS = positionWords('block');

/** Every setting of the worker. The table in docs/settings.md and .env.example are made from it. */
export const evmWorkerConfig = defineConfig({
  ...roleSettings,
  rpcUrls: whereChainIsRead(evmChainSettings.rpcUrls),
  rpcWsUrl: defineSetting({
    name: 'RPC_WS_URL',
    type: url('ws', 'wss'),
    secret: true,
    optional: true,
    group: 'Chain',
    example: 'wss://rpc.example.org',
    meaning: 'Where newHeads is subscribed to: a hint that a block is there, never a source of truth.',
  }),
  chainId: evmChainSettings.chainId,
  genesisHash: evmChainSettings.genesisHash,
  ...positionSettings(BLOCKS, evmSeqNo.max.position),
  finalityDepthBlocks: defineSetting({
    name: 'FINALITY_DEPTH_BLOCKS',
    type: integer({ min: 0, max: 100_000 }),
    default: '64',
    unit: 'blocks',
    group: 'Chain',
    meaning: 'How far below the head a block counts as final, where the chain has no finalized tag.',
  }),
  pollIntervalMs: pollSetting('the chain', 1_000),
  rangeBlocksMax: evmChainSettings.rangeBlocksMax,
  checkBlooms: evmChainSettings.checkBlooms,
  secondPassBlocksPerSecond: defineSetting({
    name: 'SECOND_PASS_BLOCKS_PER_SECOND',
    type: integer({ min: 0, max: 10_000 }),
    default: String(SECOND_PASS_RATE_DEFAULT),
    unit: 'blocks/s',
    group: 'Chain',
    meaning:
      'How fast the final blocks are read a second time, behind the head, to find what a provider has left out; a block read whole counts twice. 0: not at all.',
  }),
  secondPassWholeBlocks: defineSetting({
    name: 'SECOND_PASS_WHOLE_BLOCKS',
    type: flag,
    default: 'false',
    group: 'Chain',
    meaning:
      'Whether the second pass reads every block by the receipts of its transactions, which costs a provider much more than logs and headers. For chains whose blooms say nothing, with one endpoint.',
  }),
  markets: whereChainIsRead(evmChainSettings.markets),
  collections: evmChainSettings.collections,
  ...engineSettings,
});

export type EvmWorkerConfig = ConfigOf<typeof evmWorkerConfig>;

/** The settings of a process that reads the chain. */
export type ReadingConfig = ReadingConfigOf<typeof evmWorkerConfig>;

/** How they are read. */
export const evmWorkerSettings = programSettings({
  schema: evmWorkerConfig,
  chainProblems: chainSettingProblems,
  environment: () => process.env,
});
