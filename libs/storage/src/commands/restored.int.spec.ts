import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { followTopic, type SubscriptionCursor } from '@imart/event-service';
import { stockItem, type StockEvents, type StockState } from '@imart/testing';
import { startEmbeddedPostgres } from '../embedded';
import { createCommandDatabase, type CommandDatabase, type CommandParts } from '../testing/commandDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';

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

/** `pg_dump` reads servers up to its own version; the embedded one may be newer than what is installed here. */
async function canDump(): Promise<boolean> {
  const { stdout } = spawnSync('pg_dump', ['--version'], { encoding: 'utf8' });
  const own = Number(/ (\d+)/.exec(stdout ?? '')?.[1] ?? 0);
  const { rows } = await commands.pool.query('SHOW server_version_num');
  return own >= Math.floor(Number((rows[0] as { server_version_num: string }).server_version_num) / 10_000);
}

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

it('a database that was dumped and restored into a fresh cluster goes on: readers miss nothing and see nothing twice (E6)', async () => {
  const before = await commands.open(stockItem);
  await add(before, 'a', 3);
  await before.drain();
  const first = await readOn(before, { afterFeedNo: 0n, partSeqNo: null });
  expect(first.read).toEqual(['a 1', 'a 2', 'a 3']);
  // In the log and not read, and accepted and not in the log.
  await add(before, 'b', 2);
  await before.drain();
  await add(before, 'a', 2);
  if (!(await canDump())) {
    console.warn('pg_dump is older than the server, or not installed: the dump is not tried');
    return;
  }
  const dump = spawnSync('pg_dump', ['--no-owner', commands.database.url], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  expect([dump.status, dump.stderr]).toEqual([0, '']);

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
    const restored = spawnSync('psql', ['--quiet', '--set', 'ON_ERROR_STOP=1', fresh.url], {
      encoding: 'utf8',
      input: dump.stdout.replace(/^SET transaction_timeout.*$/m, ''),
    });
    expect([restored.status, restored.stderr]).toEqual([0, '']);
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
});
