import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SeqNo } from '@imart/core';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { dump, query } from '../realdata/tables';
import { bundleProgram, type Bundle } from './bundles';
import { createPrograms, type Program } from './programs';
import { PATIENCE_MS, until } from './until';
import { versionSeqNo } from './versionSeqNo';
import { pagesOf } from './workerPages';

/*
 * A worker of a kind of chains that the libs do not know: versions instead of blocks, no reorgs, no second readings. All that it gives is
 * in versionWorker.ts.
 */

const LAST_VERSION = 200;
const END = { END_VERSION: LAST_VERSION, NODE: 'here' };

describe('a worker of another kind of chains', () => {
  const programs = createPrograms();
  let directory: string;
  let server: TestServer;
  let bundle: Bundle;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'imart-test-other-chain-'));
    bundle = bundleProgram('version-worker', 'tools/e2e/versionWorker.ts');
    server = await startTestServer();
  });
  afterAll(async () => {
    await programs.close();
    await server?.stop();
    bundle?.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  const start = (env: Readonly<Record<string, string | number>>, ...args: string[]): Program =>
    programs.start({
      name: 'version-worker',
      args: [bundle.main, ...args],
      env: { LOG_DIR: join(directory, 'logs'), ...env },
      cwd: directory,
      patienceMs: PATIENCE_MS,
    });
  const toEnd = async (program: Program): Promise<string> => {
    const { code } = await program.ended;
    expect([code, program.said()]).toEqual([0, expect.any(String)]);
    return program.said();
  };
  const logLine = (said: string, message: string): unknown =>
    said
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { readonly message: string })
      .find((line) => line.message === message);

  it('executes everything up to END_VERSION, ends with 0, and speaks of versions', async () => {
    const { url } = await server.createDatabase();
    const said = await toEnd(start({ DATABASE_URL: url, ...END }));
    const orders = await query(url, 'SELECT opened_seq_no, status FROM orders ORDER BY opened_seq_no');
    expect(orders).toHaveLength(19);
    const opened = orders.map((order) =>
      versionSeqNo.decode(BigInt(order['opened_seq_no'] as string) as SeqNo),
    );
    expect(opened.slice(0, 2)).toEqual([1n, 6n].map((position) => ({ position, index: 0, part: 0 })));
    expect(await query(url, "SELECT kind FROM activities WHERE kind = 'SALE'")).toHaveLength(9);

    expect(logLine(said, 'following')).toMatchObject({
      app: 'version-worker',
      subject: 'versions:77',
      followed: 'everything at here',
      nextVersion: '0',
      endVersion: `${LAST_VERSION}`,
    });
    expect(logLine(said, 'END_VERSION is executed')).toMatchObject({
      endVersion: `${LAST_VERSION}`,
      events: 28,
      sourceRecords: LAST_VERSION + 1,
      nodes: 1,
    });
    expect(said).not.toMatch(/block/i);

    const before = await dump(url);
    await toEnd(start({ DATABASE_URL: url, ...END }));
    expect(await dump(url)).toEqual(before);
  });

  it('leaves the same in roles: one process reads, one executes, and waits for the chain to be there', async () => {
    const [apart, together] = [await server.createDatabase(), await server.createDatabase()];
    const applier = start({ DATABASE_URL: apart.url, END_VERSION: LAST_VERSION }, '--role', 'apply');
    await applier.line((text) => text.includes('waiting until a process'), 'that it waits');
    await Promise.all([toEnd(start({ DATABASE_URL: apart.url, ...END, ROLE: 'ingest' })), toEnd(applier)]);
    await toEnd(start({ DATABASE_URL: together.url, ...END }));
    expect(await dump(apart.url)).toEqual(await dump(together.url));
  });

  it('shows how far it is under the names that every chain has, and ends with 0 when it is told to', async () => {
    const { url } = await server.createDatabase();
    const worker = start({ DATABASE_URL: url, NODE: 'here' });
    const pages = await pagesOf(worker);
    await until(
      'everything is executed',
      async () => (await pages.metric('executed_block')) === LAST_VERSION,
    );
    expect(await pages.metric('nodes')).toBe(1);
    expect((await pages.get('/readyz')).status).toBe(200);
    worker.kill('SIGTERM');
    expect(await toEnd(worker)).toMatch(/"caught up".*"version":"\d+"/);
  });

  it('tells all wrong settings at once with exit code 2, and what it is with --help', async () => {
    const wrong = start({ LANES: 0, START_VERSION: 9, END_VERSION: 8 });
    const argument = start({}, '--rôle');
    const help = start({}, '--help');
    expect([(await wrong.ended).code, wrong.said()]).toEqual([
      2,
      expect.stringMatching(
        /^version-worker: 3 settings are not usable:\n {2}NODE: is required: .*\n {2}LANES: .*\n {2}END_VERSION: 8 lies before START_VERSION 9\n$/,
      ),
    ]);
    expect([(await argument.ended).code, argument.said()]).toEqual([
      2,
      expect.stringMatching(/^version-worker: .*--rôle/s),
    ]);
    expect([(await help.ended).code, help.said()]).toEqual([
      0,
      expect.stringMatching(/^version-worker: follows a chain of versions\n/),
    ]);
  });
});
