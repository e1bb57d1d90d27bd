import type { Setting } from './defineConfig';
import type { Environment } from './loadConfig';

/** The value of one setting, whatever is wrong with others; `undefined` when it has none, or none that is valid. */
export function validValueOf<T>(setting: Setting<T>, environment: Environment): T | undefined {
  const text = environment[setting.name]?.trim() || setting.default;
  try {
    return text === undefined ? undefined : (setting.type.parse(text) as T);
  } catch {
    return undefined;
  }
}
