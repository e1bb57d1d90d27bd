import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { followTopic, type SubscriptionCursor } from '@imart/event-service';
import { stockItem, type StockEvents, type StockState } from '@imart/testing';
import { startEmbeddedPostgres } from '../embedded';
import { findBinaries } from '../embedded/binaries';
import { migrate } from '../migrate';
import { createCommandDatabase, type CommandDatabase, type CommandParts } from '../testing/commandDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';

const MIGRATIONS = join(__dirname, '../../../../prisma/migrations');

let server: TestServer;
let commands: CommandDatabase;

beforeAll(async () => {
  server = await startTestServer();
  commands = await createCommandDatabase(server);
});
afterAll(async () => {
  await commands?.close();
  await server?.stop();
});

type Parts = CommandParts<StockState, StockEvents>;

const add = async (parts: Parts, id: string, times: number): Promise<void> => {
  for (let i = 0; i < times; i++)
    await parts.service.request({ type: 'stock-item', id, name: 'Added', data: { quantity: 1 } });
};

/** Reads on from a cursor to the end of what is executed. */
async function readOn(
  parts: Parts,
  from: SubscriptionCursor,
): Promise<{ readonly read: string[]; readonly cursor: SubscriptionCursor }> {
  const over = new AbortController();
  const read: string[] = [];
  let cursor = from;
  const events = followTopic(
    { feed: parts.store.subject, from, wait: async () => over.abort() },
    over.signal,
  );
  for await (const one of events) {
    read.push(`${one.event.aggregateId} ${(one.event.data as { version: number }).version}`);
    ({ cursor } = one);
  }
  return { read, cursor };
}

/** Writes the database at one URL into the empty one at another. */
type Restore = (from: string, into: string) => Promise<void>;

async function goesOnAfter(restore: Restore): Promise<void> {
  await commands.clear();
  const before = await commands.open(stockItem);
  await add(before, 'a', 3);
  await before.drain();
  const first = await readOn(before, { afterFeedNo: 0n, partSeqNo: null });
  expect(first.read).toEqual(['a 1', 'a 2', 'a 3']);
  // In the log and not read, and accepted and not in the log.
  await add(before, 'b', 2);
  await before.drain();
  await add(before, 'a', 2);

  const dir = mkdtempSync(join(tmpdir(), 'imart-test-restored-'));
  chmodSync(dir, 0o755);
  const fresh = await startEmbeddedPostgres({
    dataDir: join(dir, 'data'),
    database: 'restored',
    settings: { fsync: 'off', synchronous_commit: 'off' },
    stopWithProcess: true,
  });
  const pool = commands.createPool({ connectionString: fresh.url });
  try {
    await restore(commands.database.url, fresh.url);
    // Transaction numbers begin anew there: nothing in the log depends on them.
    const after = await commands.open(stockItem, { pool });
    await add(after, 'a', 1);
    await after.drain();
    const rest = await readOn(after, first.cursor);
    expect(rest.read).toEqual(['b 1', 'b 2', 'a 4', 'a 5', 'a 6']);
    expect(await after.queries.state('a')).toMatchObject({ state: { left: 6 }, version: 6 });
  } finally {
    await fresh.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What any tool does that takes rows and numbers and nothing of the server: other servers' own versions do not matter to it. */
const copyRows: Restore = async (from, into) => {
  const source = commands.createPool({ connectionString: from, max: 1 });
  const target = commands.createPool({ connectionString: into, max: 1 });
  await migrate(target, MIGRATIONS);
  const { rows: tables } = await source.query<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%migration%'`,
  );
  for (const { name } of tables) {
    const { rows } = await source.query<{ all: string | null }>(
      `SELECT json_agg(t)::text AS all FROM ${name} t`,
    );
    await target.query(`INSERT INTO ${name} SELECT * FROM json_populate_recordset(NULL::${name}, $1)`, [
      rows[0]?.all ?? '[]',
    ]);
  }
  const { rows: sequences } = await source.query<{ name: string; last: string }>(
    `SELECT format('%I.%I', schemaname, sequencename) AS name, last_value::text AS last FROM pg_sequences WHERE last_value IS NOT NULL`,
  );
  for (const { name, last } of sequences) await target.query('SELECT setval($1, $2)', [name, last]);
};

const dumpAndRestore: Restore = async (from, into) => {
  const dump = spawnSync('pg_dump', ['--no-owner', from], { encoding: 'utf8', maxBuffer: 64 << 20 });
  expect([dump.status, dump.stderr]).toEqual([0, '']);
  const restored = spawnSync('psql', ['--quiet', '--set', 'ON_ERROR_STOP=1', into], {
    encoding: 'utf8',
    input: dump.stdout.replace(/^SET transaction_timeout.*$/m, ''),
  });
  expect([restored.status, restored.stderr]).toEqual([0, '']);
};

/** The major version that a program tells; NaN when it is not there. */
function majorVersion(program: string, ...args: string[]): number {
  const { stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return Number(/\b(\d+)\b/.exec(stdout ?? '')?.[1] ?? NaN);
}

/** `pg_dump` reads servers up to its own version; the embedded one may be newer than what is installed here. */
function canDump(): boolean {
  const given = process.env['IMART_TEST_DATABASE_URL'];
  const server = given
    ? majorVersion('psql', given, '-tAc', 'SHOW server_version')
    : majorVersion(join(findBinaries(), 'bin', 'postgres'), '--version');
  // In CI a running server comes with its programs: that they are missing there is to be told.
  return (Boolean(given) && process.env['CI'] === 'true') || majorVersion('pg_dump', '--version') >= server;
}
const possible = canDump();
if (!possible) console.warn('pg_dump is older than the server, or not installed: its restore is skipped');

it('a database whose rows were copied into a fresh cluster goes on: readers miss nothing and see nothing twice (E6)', () =>
  goesOnAfter(copyRows));

(possible ? it : it.skip)(
  'a database that was dumped and restored into a fresh cluster goes on: readers miss nothing and see nothing twice (E6)',
  () => goesOnAfter(dumpAndRestore),
);
