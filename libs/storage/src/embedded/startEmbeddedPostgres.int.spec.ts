import { until } from '@imart/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { createTestDirectory } from '../testing/testDatabase';
import { findBinaries } from './binaries';
import { findPostmaster, hasExited } from './postmaster';
import { createScratchDatabase } from './scratchDatabase';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from './startEmbeddedPostgres';

const asRoot = process.getuid?.() === 0;
const repository = join(__dirname, '../../../..');

let dir: string;
let dataDir: string;
const started: EmbeddedPostgres[] = [];
const users: ChildProcess[] = [];

beforeEach(() => {
  dir = createTestDirectory();
  dataDir = join(dir, 'data');
});

afterEach(async () => {
  for (const user of users.splice(0)) user.kill('SIGKILL');
  for (const server of started.splice(0)) await server.stop();
  // Joining and leaving as the last user also ends what a killed user left behind.
  if (existsSync(join(dataDir, 'cluster'))) await (await startEmbeddedPostgres({ dataDir })).stop();
  const left = await findPostmaster(join(dataDir, 'cluster'));
  rmSync(dir, { recursive: true, force: true });
  expect(left).toBeUndefined();
});

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, ...options });
  started.push(server);
  return server;
}

async function query<Row>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
}

function spawnUser(options: object = {}): ChildProcess {
  const program = join(__dirname, '../testing/embeddedUser.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program, dataDir, JSON.stringify(options)], {
    cwd: repository,
    env: { ...process.env, TSX_TSCONFIG_PATH: join(repository, 'tsconfig.base.json') },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  users.push(child);
  return child;
}

async function readyLine(child: ChildProcess): Promise<{ url: string; pid: number; port: number }> {
  for await (const line of createInterface({ input: child.stdout! })) return JSON.parse(line);
  throw new Error('the user ended before its server was ready');
}

const ended = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', resolve));

describe('startEmbeddedPostgres', () => {
  it('makes a durable server with a password on the first start, and leaves nothing running', async () => {
    const server = await start();
    const settings = await query<{ name: string; setting: string }>(
      server.url,
      `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'listen_addresses')
       UNION ALL SELECT 'database', current_database() UNION ALL SELECT 'encoding', getdatabaseencoding() ORDER BY 1`,
    );
    expect(settings.map((s) => `${s.name}=${s.setting}`)).toEqual([
      'database=imart',
      'encoding=UTF8',
      'fsync=on',
      'listen_addresses=127.0.0.1',
      'synchronous_commit=on',
    ]);
    const stranger = new URL(server.url);
    stranger.password = 'guess';
    await expect(query(stranger.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
    await server.stop();
    await server.stop();
    expect(hasExited(server.pid)).toBe(true);
  });

  it('keeps data, port and connection string over a restart', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS n');
    await first.stop();
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
  });

  it('passes settings over the defaults, and refuses what is no name of a setting', async () => {
    const server = await start({ settings: { shared_buffers: '32MB', max_wal_size: '256MB' } });
    expect(await query(server.url, 'SHOW shared_buffers')).toEqual([{ shared_buffers: '32MB' }]);
    await expect(startEmbeddedPostgres({ dataDir, settings: { 'fsync=off -c x': 1 } })).rejects.toThrow(
      'not the name',
    );
  });

  it('brings the server back on the same port after kill -9 of it, with every acknowledged row', async () => {
    const server = await start();
    await query(server.url, 'CREATE TABLE acknowledged (n int)');
    const writer = new Client({ connectionString: server.url });
    writer.on('error', () => undefined);
    await writer.connect();
    const killed = server.pid;
    let acknowledged = 0;
    const writing = (async () => {
      for (;;) {
        await writer.query('INSERT INTO acknowledged VALUES ($1)', [acknowledged + 1]);
        acknowledged++;
      }
    })().catch(() => undefined);
    await until(() => acknowledged >= 50);
    process.kill(killed, 'SIGKILL');
    await writing;
    await writer.end().catch(() => undefined);
    await until(() => server.pid !== killed);
    const [row] = await query<{ count: string; max: number }>(
      server.url,
      'SELECT count(*), max(n) FROM acknowledged',
    );
    // The one in flight may have been committed without our being told.
    expect([acknowledged, acknowledged + 1]).toContain(Number(row!.count));
    expect(row!.max).toBe(Number(row!.count));
  });

  it('starts again after kill -9 of the server and its user together', async () => {
    const user = spawnUser();
    const { url, pid } = await readyLine(user);
    await query(url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n');
    user.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    await ended(user);
    const server = await start();
    expect(server.pid).not.toBe(pid);
    expect(await query(server.url, 'SELECT count(*)::int FROM kept')).toEqual([{ count: 1000 }]);
  });

  it('takes over the server that a user killed with kill -9 left behind, and stops it', async () => {
    const user = spawnUser();
    const left = await readyLine(user);
    user.kill('SIGKILL');
    await ended(user);
    const server = await start();
    expect({ pid: server.pid, url: server.url }).toEqual({ pid: left.pid, url: left.url });
    await server.stop();
    expect(await findPostmaster(join(dataDir, 'cluster'))).toBeUndefined();
  });

  it('is one server for processes that start at the same time on an empty directory, until the last of them leaves', async () => {
    const [a, b] = [spawnUser(), spawnUser()];
    const [first, second, own] = await Promise.all([readyLine(a), readyLine(b), start()]);
    expect([second.pid, own.pid]).toEqual([first.pid, first.pid]);
    expect(second.url).toBe(first.url);
    a.stdin!.write('stop\n');
    await ended(a);
    expect(await query(own.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
    await own.stop();
    expect(await query(second.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
    b.stdin!.write('stop\n');
    await ended(b);
    expect(await findPostmaster(join(dataDir, 'cluster'))).toBeUndefined();
    expect(readdirSync(dataDir).sort()).toEqual(['cluster', 'port', 'postgres.log']);
  });

  it('gives every user a working server while others come and go', async () => {
    for (let round = 0; round < 3; round++) {
      await Promise.all(
        [0, 1, 2, 3].map(async () => {
          const server = await startEmbeddedPostgres({ dataDir });
          expect(await query(server.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
          await server.stop();
        }),
      );
    }
  });

  it('redoes an initdb that was interrupted by kill -9', async () => {
    const user = spawnUser();
    const isInit = (name: string): boolean => name.startsWith('init-');
    await until(() => {
      if (!existsSync(dataDir)) return false;
      const work = readdirSync(dataDir).find(isInit);
      return work !== undefined && existsSync(join(dataDir, work, 'cluster', 'base'));
    });
    user.kill('SIGKILL');
    await ended(user);
    expect(existsSync(join(dataDir, 'cluster'))).toBe(false);
    const server = await start();
    expect(await query(server.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
    await server.stop();
    // An initdb that outlived its parent may still have been writing; by now it has ended.
    await until(async () => {
      await (await startEmbeddedPostgres({ dataDir })).stop();
      return !readdirSync(dataDir).some(isInit);
    });
  });

  describe('when its port is taken', () => {
    let other: Server;
    const listen = (port: number): Promise<void> =>
      new Promise((resolve) => (other = createServer().listen(port, '127.0.0.1', resolve)));
    afterEach(() => new Promise((resolve) => other.close(resolve)));

    it('uses another one, and remembers that', async () => {
      const first = await start();
      await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS n');
      await first.stop();
      await listen(first.port);
      const second = await start();
      expect(second.port).not.toBe(first.port);
      expect(await query(second.url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
      expect(readFileSync(join(dataDir, 'port'), 'utf8')).toBe(`${second.port}\n`);
    });

    it('says so when only that port will do', async () => {
      await listen(0);
      const { port } = other.address() as { port: number };
      await expect(start({ port })).rejects.toThrow(`port ${port} of 127.0.0.1`);
    });
  });

  it('is not misled by a pid file whose process id now belongs to another program', async () => {
    const first = await start();
    await first.stop();
    const pidFile = join(dataDir, 'cluster', 'postmaster.pid');
    writeFileSync(pidFile, `${process.pid}\n${dataDir}\n1700000000\n5432\n\n127.0.0.1\n\nready\n`);
    const server = await start();
    expect(server.pid).not.toBe(process.pid);
    expect(await query(server.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
  });

  it('does not try for long when a setting has a wrong value, and quotes the server', async () => {
    await expect(start({ settings: { shared_buffers: 'plenty' } })).rejects.toThrow(
      /does not start: .*invalid value for parameter "shared_buffers"/,
    );
  });

  it('leaves nothing running when its session was lost just before stop', async () => {
    const server = await start();
    await query(
      server.url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'imart embedded user'`,
    );
    await server.stop();
    expect(await findPostmaster(join(dataDir, 'cluster'))).toBeUndefined();
  });

  it('refuses a directory in the place of its cluster that is none, and touches nothing in it', async () => {
    mkdirSync(join(dataDir, 'cluster'), { recursive: true });
    writeFileSync(join(dataDir, 'cluster', 'diary.txt'), 'mine');
    await expect(start()).rejects.toThrow('is in the way and is not a PostgreSQL cluster');
    expect(readFileSync(join(dataDir, 'cluster', 'diary.txt'), 'utf8')).toBe('mine');
    rmSync(join(dataDir, 'cluster'), { recursive: true });
  });

  it('ends with its process, even by kill -9, where that is asked for', async () => {
    const user = spawnUser({ stopWithProcess: true });
    await readyLine(user);
    user.kill('SIGKILL');
    await until(async () => (await findPostmaster(join(dataDir, 'cluster'))) === undefined);
  });

  (asRoot ? describe : describe.skip)('as root', () => {
    const ownerOf = (pid: number): number => statSync(`/proc/${pid}`).uid;

    it('runs the server as uid 65534', async () => {
      const server = await start();
      expect(ownerOf(server.pid)).toBe(65534);
    });

    it('runs a copy of binaries that only root may reach', async () => {
      const native = join(dir, 'closed', `spec-${process.pid}`, 'native');
      mkdirSync(join(dir, 'closed'), { mode: 0o700 });
      const installed = findBinaries();
      cpSync(installed, native, { recursive: true, verbatimSymlinks: true });
      writeFileSync(join(native, '..', 'package.json'), '{ "version": "1" }');
      const copy = join(tmpdir(), `imart-postgres-spec-${process.pid}-1`);
      try {
        const first = await start({ nativeDir: native });
        expect(readlinkSync(`/proc/${first.pid}/exe`)).toBe(join(realpathSync(copy), 'bin', 'postgres'));
        await first.stop();
        const second = await start({ nativeDir: native });
        expect(await query(second.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
        await second.stop();
        expect(
          readdirSync(tmpdir()).filter((name) => name.startsWith(`imart-postgres-spec-${process.pid}`)),
        ).toHaveLength(1);
      } finally {
        rmSync(copy, { recursive: true, force: true });
      }
    });

    it('works below a directory that only root may pass', async () => {
      const closed = join(dir, 'closed');
      mkdirSync(closed, { mode: 0o700 });
      dataDir = join(closed, 'data');
      const first = await start();
      expect(ownerOf(first.pid)).toBe(65534);
      await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS n');
      const killed = first.pid;
      process.kill(killed, 'SIGKILL');
      await until(() => first.pid !== killed);
      expect(await query(first.url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
      expect(statSync(closed).mode & 0o777).toBe(0o700);
    });
  });
});

describe('createScratchDatabase', () => {
  it('gives each caller an empty database of its own, gone after drop even while it is in use', async () => {
    const server = await start();
    const [a, b] = await Promise.all([createScratchDatabase(server.url), createScratchDatabase(server.url)]);
    expect(a.name).not.toBe(b.name);
    await query(a.url, 'CREATE TABLE t AS SELECT 1 AS n');
    await expect(query(b.url, 'SELECT * FROM t')).rejects.toThrow('does not exist');
    const user = new Client({ connectionString: a.url });
    user.on('error', () => undefined);
    await user.connect();
    await a.drop();
    await a.drop();
    await b.drop();
    await expect(query(a.url, 'SELECT 1')).rejects.toThrow('does not exist');
  });
});
