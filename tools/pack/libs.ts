import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(__dirname, '..', '..');

/** What its package.json says, as far as packing needs it. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly main: string;
  readonly types: string;
  readonly exports: unknown;
  readonly dependencies: Readonly<Record<string, string>>;
}

export interface Lib {
  /** Of its directory in libs/. */
  readonly directory: string;
  readonly path: string;
  readonly manifest: Manifest;
  /** Whether it has a src/index.ts: what it is for its users. */
  readonly hasEntry: boolean;
}

/** Every package of libs/, in the order of their names. */
export function listLibs(): Lib[] {
  return readdirSync(join(ROOT, 'libs'))
    .filter((directory) => existsSync(join(ROOT, 'libs', directory, 'package.json')))
    .sort()
    .map((directory) => {
      const path = join(ROOT, 'libs', directory);
      const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest;
      return { directory, path, manifest, hasEntry: existsSync(join(path, 'src', 'index.ts')) };
    });
}
