import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string };
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: readonly { readonly path: string; readonly required: boolean }[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>> | readonly string[];
  readonly restart?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly logging?: { readonly driver: string; readonly options: Readonly<Record<string, string>> };
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/**
 * A compose file as Compose reads it: with what `<<` merges, and variables replaced.
 * @throws {Error} as Compose would for a variable that must be set, with its message.
 */
export function readComposeFile(path: string, variables: Readonly<Record<string, string>>): ComposeFile {
  const text = readFileSync(path, 'utf8').replace(
    /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_all, name: string, operator: string | undefined, rest = '') => {
      const value = variables[name] ?? '';
      if (value !== '') return value;
      if (operator === '?') throw new Error(`${name}: ${rest}`);
      return rest as string;
    },
  );
  return parse(text, { merge: true }) as ComposeFile;
}

/** Seconds of `30s`, `1m`. */
export function secondsOf(duration: string | undefined): number {
  const [, number = 'NaN', unit = ''] = /^(\d+)(s|m)$/.exec(duration ?? '') ?? [];
  return Number(number) * (unit === 'm' ? 60 : 1);
}
