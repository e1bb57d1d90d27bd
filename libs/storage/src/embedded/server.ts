import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, fchownSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@imart/runtime';
import { dataDirArgument, type Account } from './account';
import { serverEnvironment, writeWhole, type ClusterFiles } from './cluster';
import { EmbeddedPostgresError } from './errors';
import { findFreePort, isPortFree, rememberedPort } from './port';
import { findPostmaster, hasExited, removeMisleadingPidFile, type Postmaster } from './postmaster';

/** What is needed to start the server of a cluster. */
export interface ServerPlan {
  readonly files: ClusterFiles;
  readonly native: string;
  readonly account: Account;
  /** Only this port will do; otherwise the remembered one, or a free one. */
  readonly port: number | undefined;
  readonly settings: Readonly<Record<string, string>>;
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly logger: Logger;
}

/** How often files and processes are looked at: PostgreSQL's postmaster tells nobody that it is ready. */
const pollIntervalMs = 10;
/** What passes by itself: survivors of a killed server, another process that starts it too, a port lost in between. */
const PASSING_FAILURE = /shared memory block|lock file|TCP\/IP sockets/;
/** Anything else, such as a setting with a wrong value, is not tried for longer than it takes to be sure. */
const unexplainedFailuresMax = 3;
/** A log that has grown beyond this is set aside as `.1` at the next start. */
const logBytesMax = 8 * 1024 * 1024;

/**
 * The server of the cluster, running and ready: the one that already runs, or a new one. Several processes may ask at the
 * same time: PostgreSQL itself admits one server per cluster, and the others find it.
 *
 * A start is repeated: the first one after a crash may meet survivors of the old server, and a free port may be gone by the
 * time it is used.
 */
export async function ensureServer(plan: ServerPlan): Promise<Postmaster> {
  const { files, logger } = plan;
  const deadline = performance.now() + plan.startTimeoutMs;
  let lastFailure = 'it did not get ready in time';
  let unexplained = 0;
  for (let attempt = 0; performance.now() < deadline && unexplained < unexplainedFailuresMax; attempt++) {
    const running = await findPostmaster(files.cluster);
    if (running !== undefined) {
      const ready = await untilReady(files.cluster, running.pid, deadline);
      if (ready !== undefined) return ready;
      continue; // It was stopping, and is gone now.
    }
    await removeMisleadingPidFile(files.cluster);
    const port = await choosePort(plan);
    const logStart = beginLog(files.logFile);
    const child = launch(plan, port);
    const started = await untilReady(files.cluster, child, deadline);
    if (started !== undefined) {
      if (started.port !== rememberedPort(files.portFile)) writeWhole(files.portFile, `${started.port}\n`);
      return started;
    }
    lastFailure = failureIn(files.logFile, logStart);
    if (!PASSING_FAILURE.test(lastFailure)) unexplained++;
    if (!hasEnded(child)) child.kill('SIGQUIT');
    logger.debug('embedded PostgreSQL did not start, trying again', { attempt, reason: lastFailure });
    await delay(Math.min(50 * 2 ** attempt, 1000));
  }
  throw new EmbeddedPostgresError(
    `the embedded PostgreSQL does not start: ${lastFailure} (its log: ${files.logFile})`,
    { dataDir: files.home, logFile: files.logFile },
  );
}

async function choosePort({ port, files, logger }: ServerPlan): Promise<number> {
  if (port !== undefined) {
    if (await isPortFree(port)) return port;
    throw new EmbeddedPostgresError(
      `port ${port} of 127.0.0.1, asked for by the embedded PostgreSQL, is taken by another program: ` +
        'free it, name another one, or name none to get a free one',
      { port, dataDir: files.home },
    );
  }
  const remembered = rememberedPort(files.portFile);
  if (remembered !== undefined && (await isPortFree(remembered))) return remembered;
  const free = await findFreePort();
  if (remembered !== undefined)
    logger.info('the port of the last start is taken, using another', { remembered, port: free });
  return free;
}

function launch(plan: ServerPlan, port: number): ChildProcess {
  const { files, native, account } = plan;
  // A file and no pipe: the server may outlive us, and must not die of a closed pipe.
  const log = openSync(files.logFile, 'a', 0o600);
  try {
    // Used with and without sudo in turn, the log stays writable for both.
    if (account.uid !== undefined) fchownSync(log, account.uid, account.gid);
    const args = ['-D', dataDirArgument(files.cluster, account), '-p', String(port)];
    args.push('-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=');
    for (const [name, value] of Object.entries(plan.settings)) args.push('-c', `${name}=${value}`);
    const child = spawn(join(native, 'bin', 'postgres'), args, {
      ...account,
      cwd: files.cluster,
      env: serverEnvironment,
      stdio: ['ignore', log, log],
      // A session of its own: Ctrl-C in the terminal must reach its users first, who stop it when they are done.
      detached: true,
    });
    child.on('error', (error) => plan.logger.warn('embedded PostgreSQL cannot be executed', { error }));
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

/**
 * Waits until the server of the cluster is ready; `undefined` when the process named is gone, or the time is up. Any server
 * of the cluster will do: two processes may have started one each, and only one of them stays.
 */
async function untilReady(
  cluster: string,
  process: ChildProcess | number,
  deadline: number,
): Promise<Postmaster | undefined> {
  while (performance.now() < deadline) {
    const found = await findPostmaster(cluster);
    if (found?.status === 'ready') return found;
    if (typeof process === 'number' ? found?.pid !== process : hasEnded(process) && found === undefined)
      return undefined;
    await delay(pollIntervalMs);
  }
  return undefined;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

/**
 * Stops the server fast: open transactions are rolled back, everything committed is checkpointed. A server that does not obey
 * in time is ended without a checkpoint, which loses nothing either: its next start replays the log.
 */
export async function stopServer({ files, stopTimeoutMs, logger }: ServerPlan): Promise<void> {
  for (const [signal, patienceMs] of [
    ['SIGINT', stopTimeoutMs],
    ['SIGQUIT', 5000],
  ] as const) {
    const running = await findPostmaster(files.cluster);
    if (running === undefined) return;
    if (signal === 'SIGQUIT')
      logger.warn('embedded PostgreSQL does not stop, ending it without a checkpoint', { pid: running.pid });
    process.kill(running.pid, signal);
    const deadline = performance.now() + patienceMs;
    while (performance.now() < deadline) {
      if (hasExited(running.pid)) return;
      await delay(pollIntervalMs);
    }
  }
  throw new EmbeddedPostgresError('the embedded PostgreSQL does not stop', { dataDir: files.home });
}

/** Sets a long log aside; gives where the log of the next start begins. */
function beginLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= logBytesMax) return size;
  renameSync(file, `${file}.1`);
  return 0;
}

function failureIn(file: string, logStart: number): string {
  const lines = readFileSync(file).subarray(logStart).toString('utf8').trimEnd().split('\n');
  const line = lines.findLast((text) => /FATAL|PANIC/.test(text)) ?? lines.at(-1);
  return line === undefined || line === '' ? 'it wrote nothing' : line;
}
