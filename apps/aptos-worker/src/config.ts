import {
  APTOS_REST_DEFAULTS,
  aptosChainSettings,
  aptosMarketSettings,
  aptosSeqNo,
  aptosSettingProblems,
} from '@imart/chain-aptos';
import { defineConfig, type ConfigOf } from '@imart/runtime';
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
export const VERSIONS = positionWords('version');

/** Every setting of the worker. The table in docs/settings.md and .env.example are made from it. */
export const aptosWorkerConfig = defineConfig({
  ...roleSettings,
  source: aptosChainSettings.source,
  urls: whereChainIsRead(aptosChainSettings.urls),
  apiKey: aptosChainSettings.apiKey,
  chainId: aptosChainSettings.chainId,
  genesisHash: aptosChainSettings.genesisHash,
  handles: aptosChainSettings.handles,
  ...positionSettings(VERSIONS, aptosSeqNo.max.position),
  pollIntervalMs: pollSetting('the ledger', APTOS_REST_DEFAULTS.pollIntervalMs),
  pagesInFlight: aptosChainSettings.pagesInFlight,
  markets: whereChainIsRead(aptosMarketSettings.markets),
  ...engineSettings,
});

export type AptosWorkerConfig = ConfigOf<typeof aptosWorkerConfig>;

/** The settings of a process that reads the ledger. */
export type ReadingConfig = ReadingConfigOf<typeof aptosWorkerConfig>;

/** How they are read. */
export const aptosWorkerSettings = programSettings({
  schema: aptosWorkerConfig,
  chainProblems: aptosSettingProblems,
  environment: () => process.env,
});
