import type { ValueType } from './valueTypes';

/** What is known about a setting without its value: enough to read, check, document and hide it. */
export interface Setting<T> {
  /** Of the environment variable. */
  readonly name: string;
  readonly type: ValueType<unknown>;
  /** What it does, in a sentence or two, for people. */
  readonly meaning: string;
  /** `ms`, `blocks`, `bytes`, ... */
  readonly unit?: string;
  /** As text, parsed like a given value. Without it the setting is required, unless it is optional. */
  readonly default?: string;
  /** May be absent; the value is then `undefined`. */
  readonly optional?: boolean;
  /** Of an optional setting that is not always optional: when it is required, for documents. Who reads the settings checks it. */
  readonly requiredWhen?: string;
  /** Its value is never printed. */
  readonly secret?: boolean;
  /** A value to show in documents; never a real secret. */
  readonly example?: string;
  /** Heading under which documents list it; settings of one group stand together. */
  readonly group?: string;
  /** Type only: what {@link ConfigOf} gives. */
  readonly value?: T;
}

type Definition<T> = Omit<Setting<T>, 'type' | 'value'> & { readonly type: ValueType<T> };

/** One setting of a {@link defineConfig}. */
export function defineSetting<T>(
  setting: Definition<T> & { readonly optional: true },
): Setting<T | undefined>;
export function defineSetting<T>(setting: Definition<T>): Setting<T>;
export function defineSetting<T>(setting: Definition<T>): Setting<T> {
  return setting;
}

/** All settings of a program, by the name that its code uses. */
export type ConfigSchema = Readonly<Record<string, Setting<unknown>>>;

/** The values of a schema. */
export type ConfigOf<S extends ConfigSchema> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

/**
 * The settings of a program, checked: names are unique and every default is a valid value.
 *
 * @example
 * const schema = defineConfig({
 *   pollIntervalMs: defineSetting({
 *     name: 'POLL_INTERVAL_MS',
 *     type: integer({ min: 10, max: 60_000 }),
 *     unit: 'ms',
 *     default: '1000',
 *     meaning: 'How often the head of the chain is asked for.',
 *   }),
 * });
 * const { config } = loadConfig(schema, process.env); // config.pollIntervalMs: number
 */
export function defineConfig<const S extends ConfigSchema>(schema: S): S {
  const names = new Set<string>();
  for (const setting of Object.values(schema)) {
    if (names.has(setting.name)) throw new Error(`the setting ${setting.name} is defined twice`);
    names.add(setting.name);
    if (setting.default === undefined) continue;
    try {
      setting.type.parse(setting.default);
    } catch (cause) {
      throw new Error(`the default of the setting ${setting.name} is not a valid value`, { cause });
    }
  }
  return schema;
}
