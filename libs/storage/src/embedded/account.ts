import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './errors';

/** Whom the server runs as. Empty: as ourselves. */
export type Account = { readonly uid: number; readonly gid: number } | Record<string, never>;

const NOBODY = 65534;

/**
 * PostgreSQL refuses to run as root. As root it runs as the owner of the existing cluster, so that a directory used
 * with and without sudo stays usable by both; a new cluster belongs to uid 65534, which needs no entry in /etc/passwd.
 */
export function serverAccount(clusterDir: string): Account {
  if (process.getuid?.() !== 0) return {};
  const owner = statSync(clusterDir, { throwIfNoEntry: false });
  return owner !== undefined && owner.uid !== 0
    ? { uid: owner.uid, gid: owner.gid }
    : { uid: NOBODY, gid: NOBODY };
}

/**
 * The name by which the server is told its own directory, which is also its working directory. Where the account may
 * not pass the directories above it (a checkout below /root), that is the kernel's link to the working directory:
 * we change into it before the account changes, and following that link asks no permission of the path.
 */
export function dataDirArgument(dir: string, account: Account): string {
  if (account.uid === undefined || canEnter(dir, account)) return dir;
  if (process.platform === 'linux') return '/proc/self/cwd';
  throw new EmbeddedPostgresError(
    `PostgreSQL cannot run as root, and uid ${account.uid} may not pass the directories above ${dir}: ` +
      'put the data directory elsewhere, run as another user, or set DATABASE_URL',
    { dataDir: dir },
  );
}

/**
 * The binaries at a place where the account can run them: where they are, or a copy in the directory for temporary
 * files, made once per version.
 */
export function reachableBinaries(native: string, account: Account): string {
  if (account.uid === undefined || canRun(join(native, 'bin', 'postgres'), account)) return native;
  const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = join(tmpdir(), `imart-postgres-${basename(dirname(native))}-${version}`);
  const existing = lstatSync(copy, { throwIfNoEntry: false });
  // Only what root made and nobody else may write is run.
  if (
    existing?.isDirectory() &&
    existing.uid === 0 &&
    (existing.mode & 0o022) === 0 &&
    canRun(join(copy, 'bin', 'postgres'), account)
  ) {
    return copy;
  }
  const fresh = mkdtempSync(`${copy}-`);
  cpSync(native, fresh, { recursive: true, verbatimSymlinks: true });
  openForReading(fresh);
  try {
    if (existing !== undefined) rmSync(copy, { recursive: true, force: true });
    renameSync(fresh, copy);
  } catch {
    // Another process put its copy there first, or the name is not ours to take: the fresh copy serves as well.
    if (!canRun(join(copy, 'bin', 'postgres'), account) || lstatSync(copy).uid !== 0)
      return checked(fresh, account);
    rmSync(fresh, { recursive: true, force: true });
  }
  return checked(copy, account);
}

function checked(native: string, account: Account): string {
  if (canRun(join(native, 'bin', 'postgres'), account)) return native;
  throw new EmbeddedPostgresError(
    `PostgreSQL cannot run as root, and uid ${account.uid} cannot run ${join(native, 'bin', 'postgres')}: ` +
      'install below a directory that every user may pass, run as another user, or set DATABASE_URL',
    { native },
  );
}

function openForReading(path: string): void {
  const entry = lstatSync(path);
  if (entry.isSymbolicLink()) return;
  chmodSync(path, entry.isDirectory() || (entry.mode & 0o100) !== 0 ? 0o755 : 0o644);
  if (entry.isDirectory()) for (const name of readdirSync(path)) openForReading(join(path, name));
}

// Asking the system is surer than computing it from mode bits: access lists and mount options count too.
function canEnter(dir: string, account: Account): boolean {
  return (
    spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', dir], { ...account, cwd: '/', stdio: 'ignore' }).status === 0
  );
}

function canRun(program: string, account: Account): boolean {
  return spawnSync(program, ['--version'], { ...account, cwd: '/', stdio: 'ignore' }).status === 0;
}
