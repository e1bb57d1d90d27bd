import { execFile } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isRunning } from './cluster';

/** What `postmaster.pid` says about the server of a cluster. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** `starting`, `ready`, `stopping`, ...; empty while the file is being written. */
  readonly status: string;
}

/**
 * The server that runs on this cluster, or `undefined` when none does. A process id alone proves nothing, since ids are
 * used again: the process must be a `postgres` that works in this very directory.
 */
export async function findPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const written = readPidFile(cluster);
  if (written === undefined || !isRunning(written.pid)) return undefined;
  return (await isServerOf(written.pid, cluster)) ? written : undefined;
}

/**
 * Removes a `postmaster.pid` whose process id now belongs to some other program; PostgreSQL would refuse to start for its
 * sake for ever. One whose process is gone is left to PostgreSQL, which first looks for survivors in shared memory.
 */
export async function removeMisleadingPidFile(cluster: string): Promise<void> {
  const written = readPidFile(cluster);
  if (written === undefined || !isRunning(written.pid) || (await isServerOf(written.pid, cluster))) return;
  if (readPidFile(cluster)?.pid === written.pid) rmSync(join(cluster, 'postmaster.pid'), { force: true });
}

/** Whether the process has ended; one that only waits for its parent to notice has. */
export function hasExited(pid: number): boolean {
  if (!isRunning(pid)) return true;
  if (process.platform !== 'linux') return false;
  try {
    // "pid (name) state ...": the name may hold anything, so the state is what follows the last parenthesis.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return true;
  }
}

function readPidFile(cluster: string): Postmaster | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return undefined;
  }
  // Lines: pid, data directory, start time, port, socket directory, listen address, shared memory key, status.
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
  return { pid, port: Number(lines[3] ?? 0), status: (lines[7] ?? '').trim() };
}

async function isServerOf(pid: number, cluster: string): Promise<boolean> {
  return process.platform === 'linux' ? isServerByProc(pid, cluster) : isServerByPs(pid, cluster);
}

function isServerByProc(pid: number, cluster: string): boolean {
  try {
    const program = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '';
    // The server's working directory is its cluster, by whatever name it was told it.
    const works = statSync(`/proc/${pid}/cwd`);
    const expected = statSync(cluster);
    return /(^|\/)postgres$/.test(program) && works.dev === expected.dev && works.ino === expected.ino;
  } catch {
    // Gone meanwhile, a zombie, or a process of somebody else that we may not look at: ours would be visible to us.
    return false;
  }
}

async function isServerByPs(pid: number, cluster: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)('/bin/ps', ['-ww', '-o', 'command=', '-p', String(pid)]);
    return /(^|\/)postgres /.test(stdout) && stdout.includes(`-D ${cluster} `);
  } catch {
    return false;
  }
}
