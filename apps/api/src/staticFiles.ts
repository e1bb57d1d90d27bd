import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * The directory of the files that a package serves to browsers: `static/<name>` beside the bundle, where the build has put
 * them, or in the installed package.
 *
 * @param path within the package.
 * @throws {Error} when they are in neither place: the installation is not complete.
 */
export function staticFiles(name: string, packageName: string, path: string): string {
  const beside = join(__dirname, 'static', name);
  if (existsSync(beside)) return beside;
  return join(dirname(createRequire(__filename).resolve(`${packageName}/package.json`)), path);
}
