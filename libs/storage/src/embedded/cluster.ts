import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@imart/runtime';
import { dataDirArgument, type Account } from './account';
import { EmbeddedPostgresError } from './errors';

/** What lies in the data directory: the cluster itself and what the launcher remembers beside it. */
export interface ClusterFiles {
  /** The data directory as the caller gave it, absolute. */
  readonly home: string;
  /** PostgreSQL's own directory. Exists only when initdb has finished. */
  readonly cluster: string;
  readonly passwordFile: string;
  readonly portFile: string;
  readonly logFile: string;
}

export function clusterFiles(home: string): ClusterFiles {
  const cluster = join(home, 'cluster');
  return {
    home,
    cluster,
    passwordFile: join(cluster, 'imart.password'),
    portFile: join(home, 'port'),
    logFile: join(home, 'postgres.log'),
  };
}

/** The superuser's password, made at initdb: other users of the machine can reach the port, but not the data. */
export function readPassword(files: ClusterFiles): string {
  return readFileSync(files.passwordFile, 'utf8').trim();
}

/**
 * Makes the cluster when there is none. It is made in a directory beside its place and renamed when complete, so a
 * cluster is either absent or whole, whenever the process or the machine dies; of several processes that make it at
 * the same time, the first one's stays.
 */
export async function initialiseCluster(
  files: ClusterFiles,
  native: string,
  account: Account,
  logger: Logger,
): Promise<void> {
  mkdirSync(files.home, { recursive: true });
  removeAbandoned(files.home);
  if (existsSync(join(files.cluster, 'PG_VERSION'))) return;
  logger.info('initialising the embedded PostgreSQL', { dataDir: files.home });
  const work = join(files.home, `init-${process.pid}-${randomBytes(4).toString('hex')}`);
  const fresh = join(work, 'cluster');
  const passwordFile = join(work, 'password');
  const password = randomBytes(18).toString('base64url');
  try {
    mkdirSync(fresh, { recursive: true, mode: 0o700 });
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (account.uid !== undefined)
      for (const path of [work, fresh, passwordFile]) chownSync(path, account.uid, account.gid);
    await runInitdb(native, fresh, account);
    renameSync(passwordFile, clusterFiles(work).passwordFile);
    syncDirectory(fresh);
    putInPlace(fresh, files.cluster);
    syncDirectory(files.home);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function putInPlace(fresh: string, cluster: string): void {
  try {
    renameSync(fresh, cluster);
  } catch (error) {
    if (!existsSync(join(cluster, 'PG_VERSION'))) {
      throw new EmbeddedPostgresError(
        `${cluster} is in the way and is not a PostgreSQL cluster: move it away or use another data directory`,
        { cluster },
        error,
      );
    }
  }
}

async function runInitdb(native: string, dir: string, account: Account): Promise<void> {
  const args = ['-D', dataDirArgument(dir, account), '-U', 'postgres', '-E', 'UTF8', '--locale=C'];
  args.push('--auth=scram-sha-256', '--pwfile=../password');
  const child = spawn(join(native, 'bin', 'initdb'), args, {
    ...account,
    cwd: dir,
    env: serverEnvironment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-2000)));
  }
  const failure = await new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  if (failure !== undefined) {
    throw new EmbeddedPostgresError(`initdb failed (${failure}): ${output.trim()}`, { dataDir: dir });
  }
}

/** The server gets nothing of our environment: it may hold secrets, and its locale must not decide sort orders. */
export const serverEnvironment: NodeJS.ProcessEnv = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** Directories of initdb runs whose process is gone. */
function removeAbandoned(home: string): void {
  for (const name of readdirSync(home)) {
    const pid = /^init-(\d+)-[0-9a-f]+$/.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    try {
      rmSync(join(home, name), { recursive: true, force: true });
    } catch {
      // The initdb of a killed process may still write there; the next start removes it.
    }
  }
}

/** Whether a process with this id exists. It may be another one than the one that once had the id. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function syncDirectory(dir: string): void {
  const fd = openSync(dir, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Writes a small file so that a reader sees the old or the new text, never a part. */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  chmodSync(temporary, 0o644);
  renameSync(temporary, path);
}
