import type { ConfigOf, ConfigSchema, Environment, LoadedConfig } from '@imart/runtime';
import { loadWorkerConfig, type LoadWorkerConfigOptions } from './loadWorkerConfig';
import type { ArgumentSettings } from './program';
import { readsChain, type ReadingConfigOf, type WorkerSettings } from './settings';

/** What of a `WorkerProgram` follows from its settings. */
export interface ProgramSettings<S extends ConfigSchema & WorkerSettings> {
  /**
   * Reads all settings and reports every problem at once, before anything connects; those of the arguments come before the environment's.
   * @param environment the process's own, unless given.
   * @throws {ConfigError}
   */
  loadConfig(args: ArgumentSettings, environment?: Environment): Promise<LoadedConfig<ConfigOf<S>>>;
  /** Whether these settings are of a process that reads the chain: it has what that needs. */
  readsChain(config: ConfigOf<S>): config is ReadingConfigOf<S>;
}

export interface ProgramSettingsOptions<
  S extends ConfigSchema & WorkerSettings,
> extends LoadWorkerConfigOptions<S> {
  /** The process's environment. Asked for when settings are read, not before. */
  readonly environment: () => Environment;
}

/** How a program reads its settings, to be spread into its `WorkerProgram`. */
export function programSettings<S extends ConfigSchema & WorkerSettings>({
  environment: ofProcess,
  ...options
}: ProgramSettingsOptions<S>): ProgramSettings<S> {
  return {
    loadConfig: (args, environment = ofProcess()) =>
      loadWorkerConfig(options, { ...environment, ...Object.fromEntries(args) }),
    readsChain: (config): config is ReadingConfigOf<S> =>
      readsChain(config as ConfigOf<S> & ConfigOf<WorkerSettings>),
  };
}
