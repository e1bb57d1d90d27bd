import { ConfigError, messageOf, type ConfigProblem } from '@imart/core';
import { labelOfUrl } from '../logging/redactUrls';
import type { ConfigOf, ConfigSchema, Setting } from './defineConfig';
import { similarName } from './similarName';

/** Names and texts of settings, as `process.env` gives them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What {@link loadConfig} gives besides the values. */
export interface LoadedConfig<C> {
  readonly config: C;
  /** About names that look like a mistyped setting; for the log. */
  readonly warnings: readonly string[];
  /** Texts of all secret settings that have one: give them to the logger. */
  readonly secrets: readonly string[];
  /** Every setting's text by name, with secrets hidden: safe to log. Settings without a value are absent. */
  readonly shown: Readonly<Record<string, string>>;
}

/**
 * Reads all settings. Connects to nothing and reads nothing but `env`. An empty text counts as absent; spaces around a text
 * do not count.
 *
 * @param check what must hold between settings; asked only when each of them is valid by itself.
 * @throws {ConfigError} with all problems at once. It names secrets, and never repeats their text.
 */
export function loadConfig<const S extends ConfigSchema>(
  schema: S,
  env: Environment,
  check?: (config: ConfigOf<S>) => readonly ConfigProblem[],
): LoadedConfig<ConfigOf<S>> {
  const problems: ConfigProblem[] = [];
  const values: Record<string, unknown> = {};
  const secrets: string[] = [];
  const shown: Record<string, string> = {};
  for (const [key, setting] of Object.entries(schema)) {
    const given = env[setting.name]?.trim();
    const text = given === undefined || given === '' ? setting.default : given;
    values[key] = undefined;
    if (text === undefined) {
      if (setting.optional !== true) problems.push({ setting: setting.name, problem: missing(setting) });
      continue;
    }
    if (setting.secret === true && text !== setting.default) secrets.push(text);
    shown[setting.name] = setting.secret === true ? hidden(text) : text;
    try {
      values[key] = setting.type.parse(text);
    } catch (error) {
      const got = setting.secret === true ? '' : `, got '${text}'`;
      problems.push({ setting: setting.name, problem: `${messageOf(error)}${got}` });
    }
  }
  const config = values as ConfigOf<S>;
  if (problems.length === 0 && check !== undefined) problems.push(...check(config));
  const warnings = unknownNames(schema, env);
  if (problems.length > 0) {
    // A required setting that is missing is often one that is mistyped.
    throw new ConfigError([...problems, ...warnings.map(({ setting, problem }) => ({ setting, problem }))]);
  }
  return { config, warnings: warnings.map((w) => `${w.setting} ${w.problem}`), secrets, shown };
}

function missing(setting: Setting<unknown>): string {
  const example = setting.example === undefined ? '' : `, for example ${setting.example}`;
  return `is required: ${setting.type.label}${example}`;
}

function hidden(text: string): string {
  const labels = text.split(',').map((part) => labelOfUrl(part.trim()));
  return labels.every((label) => label !== undefined) ? labels.join(',') : '[secret]';
}

function unknownNames(schema: ConfigSchema, env: Environment): ConfigProblem[] {
  const known = new Set(Object.values(schema).map((setting) => setting.name));
  return Object.keys(env).flatMap((name) => {
    // A setting that is given under its right name was not mistyped under another.
    const missed = [...known].filter((candidate) => env[candidate] === undefined);
    const meant = known.has(name) || env[name] === '' ? undefined : similarName(name, missed);
    return meant === undefined
      ? []
      : [{ setting: name, problem: `is not a setting; did you mean ${meant}?` }];
  });
}
