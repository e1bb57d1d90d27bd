import { ConfigError, type ConfigProblem } from '@imart/core';
import {
  loadConfig,
  validValueOf,
  type ConfigOf,
  type ConfigSchema,
  type Environment,
  type LoadedConfig,
} from '@imart/runtime';
import { asRead, readsChain, type WorkerSettings } from './settings';

export interface LoadWorkerConfigOptions<S extends ConfigSchema & WorkerSettings> {
  readonly schema: S;
  /**
   * What is wrong with the chain's settings beyond their form. Asked only of a process that reads the chain; connects to nothing.
   * @defaultValue nothing is
   */
  readonly chainProblems?: (environment: Environment) => Promise<readonly ConfigProblem[]>;
}

/**
 * Reads all settings of a worker and reports every problem at once, before anything connects. What is needed to read the
 * chain must be there only where the role does so.
 * @throws {ConfigError}
 */
export async function loadWorkerConfig<S extends ConfigSchema & WorkerSettings>(
  { schema, chainProblems }: LoadWorkerConfigOptions<S>,
  environment: Environment,
): Promise<LoadedConfig<ConfigOf<S>>> {
  const reads = readsChain({ role: validValueOf(schema.role, environment) ?? 'all' });
  const further = [
    ...positionProblems(schema, environment),
    ...(reads && chainProblems !== undefined ? await chainProblems(environment) : []),
  ];
  const needed = reads
    ? Object.fromEntries(Object.entries(schema).map(([key, setting]) => [key, asRead(setting)]))
    : schema;
  let loaded: LoadedConfig<ConfigOf<S>>;
  try {
    // The same settings, some of them not optional.
    loaded = loadConfig(needed as S, environment);
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError([...error.problems, ...further]) : error;
  }
  if (further.length > 0) throw new ConfigError(further);
  return loaded;
}

/** What is wrong with positions that are valid by themselves. */
function positionProblems(schema: WorkerSettings, environment: Environment): readonly ConfigProblem[] {
  const { startPosition, endPosition } = schema;
  const [start, end] = [validValueOf(startPosition, environment), validValueOf(endPosition, environment)];
  if (start === undefined || end === undefined || end >= start) return [];
  return [{ setting: endPosition.name, problem: `${end} lies before ${startPosition.name} ${start}` }];
}
