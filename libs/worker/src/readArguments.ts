import { ConfigError } from '@imart/core';
import type { ArgumentSettings, WorkerProgram } from './program';
import { roleSettings } from './settings';

/** What `--help` shows. */
export const usageOf = ({
  name,
  summary,
}: Pick<WorkerProgram, 'name' | 'summary'>): string => `${name}: ${summary}

usage: ${name} [--role all|ingest|apply]

  --role ROLE   what this process does; the same as the setting ROLE
  --help        shows this

Everything else is set by environment variables: docs/settings.md, .env.example
`;

export type Arguments =
  { readonly kind: 'help' } | { readonly kind: 'run'; readonly settings: ArgumentSettings };

/** @throws {ConfigError} for an argument that there is not, or without its value. */
export function readArguments(args: readonly string[]): Arguments {
  const settings: [string, string][] = [];
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] as string;
    if (argument === '--help' || argument === '-h') return { kind: 'help' };
    const [name, inline] = splitOnce(argument);
    if (name !== '--role') {
      throw new ConfigError([{ setting: argument, problem: 'there is no such argument; see --help' }]);
    }
    const value = inline ?? args[++i];
    if (value === undefined || value === '') {
      throw new ConfigError([{ setting: '--role', problem: 'needs all, ingest or apply after it' }]);
    }
    settings.push([roleSettings.role.name, value]);
  }
  return { kind: 'run', settings };
}

function splitOnce(argument: string): [name: string, value: string | undefined] {
  const at = argument.indexOf('=');
  return at === -1 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}
