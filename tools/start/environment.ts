import { readFileSync } from 'node:fs';

/** As loud as somebody wants it; everything else is said by `npm start` itself. */
const KEPT = new Set(['LOG_LEVEL']);

/** The names of all settings, as `.env.example` has them. */
export function settingNames(envExample: string): readonly string[] {
  return [...new Set([...envExample.matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name))];
}

/**
 * The environment of what `npm start` starts: that of the shell, without the settings of another installation that it may have. A worker of the
 * development chain that ends at somebody's `END_BLOCK`, or shares somebody's Redis, is not what was asked for.
 * @returns the environment, and the names of the settings that it lacks.
 */
export function withoutSettings(
  environment: NodeJS.ProcessEnv,
  settings: readonly string[],
): { readonly environment: NodeJS.ProcessEnv; readonly leftOut: readonly string[] } {
  const leftOut = settings.filter((name) => !KEPT.has(name) && (environment[name] ?? '') !== '');
  const names = new Set(leftOut);
  return {
    environment: Object.fromEntries(Object.entries(environment).filter(([name]) => !names.has(name))),
    leftOut,
  };
}

/** @param path of `.env.example`. */
export const readSettingNames = (path: string): readonly string[] => settingNames(readFileSync(path, 'utf8'));
