/**
 * A worker as a program, for any chain. Guarantees: all problems of the settings are told before anything connects; its pages are
 * there before anything else; a server that is away is waited for; a process reads the chain only while it holds the lease; a shutdown
 * finishes what runs; it names no chain, and no source.
 */
export { holderName, openDatabase, type Database } from './database';
export { databaseThere, type DatabaseThereOptions } from './databaseThere';
export { loadWorkerConfig, type LoadWorkerConfigOptions } from './loadWorkerConfig';
export type {
  ArgumentSettings,
  ChainWords,
  OpenChainOptions,
  OpenedChain,
  SecondReadings,
  WorkerProgram,
} from './program';
export { programSettings, type ProgramSettings, type ProgramSettingsOptions } from './programSettings';
export {
  engineSettings,
  pollSetting,
  positionSettings,
  readsChain,
  roleSettings,
  whereChainIsRead,
  type ReadingConfigOf,
  type SettingOfReaders,
  type WorkerConfig,
  type WorkerSettings,
} from './settings';
export { startWorker } from './startWorker';
export { positionWords, type PositionWords } from './words';
