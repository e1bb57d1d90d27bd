import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, migrate, prismaDirectory, startEmbeddedPostgres } from '@imart/storage';
import { silentLogger } from '@imart/runtime';
import { until } from '@imart/testing';
import { startTestServer, type TestServer } from '../../../libs/storage/src/testing/testDatabase';

const ROOT = join(__dirname, '../../..');
const TSX = join(ROOT, 'node_modules/tsx/dist/cli.mjs');

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'imart-test-command-line-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The command line as a process in an empty directory, with these settings and no others. */
function start(settings: Readonly<Record<string, string>>, ...args: string[]) {
  const child = spawn(
    process.execPath,
    [TSX, '--tsconfig', join(ROOT, 'tsconfig.base.json'), join(__dirname, 'main.ts'), ...args],
    { cwd: dir, env: { PATH: process.env['PATH'], ...settings }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said }));
  return { child, ended };
}

const imart = (settings: Readonly<Record<string, string>>, ...args: string[]) =>
  start(settings, ...args).ended;

const COMMANDS = [
  ['parked', 'list'],
  ['rewind', '--to-block', '1'],
  ['resume'],
  ['replay'],
  ['verify', '--from', '1'],
  ['keys', 'list'],
];

describe('every command', () => {
  it.each(COMMANDS)('says which settings cannot be used, with exit code 2: %s', async (...args) => {
    const { code, said } = await imart({ DATABASE_URL: 'no-url' }, ...args);
    expect([code, said]).toEqual([2, expect.stringContaining(`imart ${args[0]}: `)]);
    expect(said).toContain('DATABASE_URL: must be a URL');
  });

  it.each([['resume'], ['replay']])(
    'refuses an option that it does not have, and shows those that it has: %s',
    async (...args) => {
      const { code, said } = await imart({}, ...args, '--really');
      expect([code, said]).toEqual([
        2,
        expect.stringContaining(`imart ${args[0]}: Unknown option '--really'`),
      ]);
      expect(said).toContain('Exit code 0:');
    },
  );

  it.each(['0', '33', 'two', '1.5'])('refuses a number of threads that cannot be: %s', async (threads) => {
    const { code, said } = await imart({}, 'replay', '--threads', threads);
    expect([code, said]).toEqual([
      2,
      expect.stringContaining(`--threads must be a whole number from 1 to 32, not '${threads}'`),
    ]);
  });

  it('makes no embedded database where there is none: another directory was meant', async () => {
    const { code, said } = await imart({}, 'parked', 'list');
    expect([code, said]).toEqual([2, expect.stringContaining('DATA_DIR: there is no embedded database in ')]);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('calls an endpoint that was given as an option by that option', async () => {
    const settings = {
      DATABASE_URL: 'postgresql://127.0.0.1:1/none',
      MARKETS: 'imart:0x5fbdb2315678afecb367f032d93f642f64180aa3',
    };
    const { code, said } = await imart(settings, 'verify', '--rpc', 'no-url');
    expect([code, said]).toEqual([2, expect.stringContaining('--rpc: item 1 must be a URL')]);
    expect(said).not.toContain('RPC_URLS:');
  });
});

describe('a database whose tables are not those of the program', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server?.stop());

  it.each([
    ['has none yet', null, 'DATABASE_NOT_PREPARED', /start a worker on it once/],
    [
      'is of an older version',
      `DELETE FROM _prisma_migrations WHERE migration_name = (SELECT max(migration_name) FROM _prisma_migrations)`,
      'SCHEMA_VERSION',
      /made by an older version\. Start a worker of this version/,
    ],
    [
      'is of a newer version',
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('1', '', '99990101000000_later', now())`,
      'SCHEMA_VERSION',
      /made by a newer version/,
    ],
  ])('is refused before anything is done: it %s', async (_what, change, errorCode, says) => {
    const { url } = await server.createDatabase();
    if (change !== null) {
      const pool = createPool({
        connectionString: url,
        max: 1,
        applicationName: 'spec',
        logger: silentLogger,
      });
      try {
        await migrate(pool, join(prismaDirectory(), 'migrations'));
        await pool.query(change);
      } finally {
        await pool.end();
      }
    }
    const { code, said } = await imart({ DATABASE_URL: url }, 'parked', 'list');
    expect([code, said]).toEqual([1, expect.stringMatching(says)]);
    expect(said).toContain(`[${errorCode}]`);
  });
});

describe('a database that cannot be used', () => {
  it('is told without its password: it cannot be reached', async () => {
    const settings = { DATABASE_URL: 'postgresql://me:secret-word@127.0.0.1:1/none' };
    const { code, said } = await imart(settings, 'parked', 'list');
    expect(code).toBe(1);
    expect(said).toMatch(/the database cannot be reached: .*ECONNREFUSED.* correct DATABASE_URL/);
    expect(said).not.toContain('secret-word');
  });

  it('is told without its password: it does not let the program in', async () => {
    const server = await startTestServer();
    try {
      const url = new URL(server.adminUrl);
      [url.username, url.password, url.pathname] = ['postgres', 'secret-word', '/not_there'];
      const { code, said } = await imart({ DATABASE_URL: url.href }, 'parked', 'list');
      expect(code).toBe(1);
      expect(said).toMatch(/does not let this program in: .*Correct DATABASE_URL.*\[DATABASE_REFUSED\]/);
      expect(said).not.toContain('secret-word');
    } finally {
      await server.stop();
    }
  });
});

describe('an interrupted command', () => {
  it('ends at once, and leaves no embedded server behind', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'imart-test-interrupted-'));
    const home = join(dataDir, 'postgres');
    const connect = (url: string) =>
      createPool({ connectionString: url, max: 1, applicationName: 'spec', logger: silentLogger });
    try {
      const server = await startEmbeddedPostgres({ dataDir: home });
      const before = connect(server.url);
      await migrate(before, join(prismaDirectory(), 'migrations'));
      // The command is in the middle of something for as long as the spec needs.
      await before.query(`ALTER TABLE _prisma_migrations RENAME TO applied;
        CREATE VIEW _prisma_migrations AS SELECT applied.* FROM applied, (SELECT pg_sleep(300)) AS slowly`);
      await before.end();
      await server.stop();

      const { child, ended } = start({ DATA_DIR: dataDir }, 'parked', 'list');
      const beside = connect(server.url);
      const isWorking = async (): Promise<boolean> => {
        const found = await beside.query(
          `SELECT FROM pg_stat_activity WHERE application_name = 'imart' AND wait_event = 'PgSleep'`,
        );
        return found.rowCount === 1;
      };
      await until(isWorking, { everyMs: 20 });
      await beside.end();
      child.kill('SIGINT');
      expect(await ended).toEqual({ code: 130, said: '' });
      expect(existsSync(join(home, 'cluster', 'postmaster.pid'))).toBe(false);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
