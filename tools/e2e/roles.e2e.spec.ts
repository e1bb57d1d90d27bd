import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import type { Expected } from '../devnet/src';
import { dump, query } from '../realdata/tables';
import { createMarket, executedReaches, type ChainProcess, type Market, type Settings } from './market';
import type { Program } from './programs';
import { compareWithExpected, rowsOf } from './storedTables';
import { until } from './until';
import { pagesOf } from './workerPages';

/*
 * One chain, several processes: some read it into the log, some execute the log. What they leave is compared with what one process
 * leaves, row by row, and with what the traffic knows that it did.
 */

const SCRIPT_ACTIONS = 500;
const SEED = 31;

/** A process that executes needs nothing of the chain. */
const APPLY: Settings = { ROLE: 'apply', RPC_URLS: '', RPC_WS_URL: '', MARKETS: '', START_BLOCK: '' };

describe('the roles of the worker', () => {
  let market: Market;
  let server: TestServer;
  let script: { chain: ChainProcess; expected: Expected };
  let straight: Readonly<Record<string, string>>;

  beforeAll(async () => {
    market = createMarket();
    server = await startTestServer();
    const chain = await market.startChain('--script', String(SCRIPT_ACTIONS), '--seed', String(SEED));
    script = { chain, expected: await chain.expected };
    const { url } = await server.createDatabase();
    await market.runWorker(chain, url, script.expected);
    straight = await dump(url);
  });
  afterAll(async () => {
    await market?.close();
    await server?.stop();
  });

  const start = (url: string, settings: Settings): Program => market.startWorker(script.chain, url, settings);
  const end = (): Settings => ({ END_BLOCK: script.expected.lastBlock });
  const expectEnd = async (...programs: Program[]): Promise<void> => {
    for (const program of programs) {
      const { code, signal } = await program.ended;
      expect([code, signal, program.said()]).toEqual([0, null, expect.any(String)]);
    }
  };
  const expectStraight = async (url: string): Promise<void> => {
    const { differences, rows } = await compareWithExpected(url, script.expected);
    expect(differences).toEqual([]);
    expect(rows).toEqual(rowsOf(script.expected));
    expect(await dump(url)).toEqual(straight);
  };

  it.each([1, 3])(
    'apart leave the rows of one process, and each ends with END_BLOCK: one reads, two execute %s lanes',
    async (LANES) => {
      const { url } = await server.createDatabase();
      const appliers = [0, 1].map(() => start(url, { ...APPLY, ...end(), LANES }));
      const reader = start(url, { ROLE: 'ingest', ...end(), LANES, RANGE_BLOCKS_MAX: 5 });
      await expectEnd(reader, ...appliers);
      await expectStraight(url);
      expect(reader.said()).toMatch(/"END_BLOCK is executed".*"events":0/);
    },
  );

  it('find the only chain of the database without being told which, and wait until it is there', async () => {
    const { url } = await server.createDatabase();
    const applier = start(url, { ...APPLY, ...end(), CHAIN_ID: '' });
    await applier.line((text) => text.includes('waiting until a process'), 'that it waits');
    const pages = await pagesOf(applier);
    expect(await pages.get('/readyz')).toMatchObject({
      status: 503,
      checks: { chain: { ok: false, detail: 'not there yet' } },
    });
    await expectEnd(start(url, { ROLE: 'ingest', ...end() }), applier);
    await expectStraight(url);
  });

  it('are refused where it is not clear what to execute: several chains, another number of lanes, no such role', async () => {
    const { url } = await server.createDatabase();
    await market.runWorker(script.chain, url, script.expected);
    const lanes = start(url, { ...APPLY, LANES: 2 });
    expect([(await lanes.ended).code, lanes.said()]).toEqual([1, expect.stringContaining('LANES_CHANGED')]);
    await query(
      url,
      `INSERT INTO subjects (subject_id, genesis_hash, lanes, start_position, next_position)
       VALUES ('eip155:1', '0x00', 1, 0, 0);
       INSERT INTO checkpoints (observer, subject, lane) SELECT 'market', id, 0 FROM subjects WHERE subject_id = 'eip155:1'`,
    );
    const unclear = start(url, { ...APPLY, CHAIN_ID: '' });
    expect([(await unclear.ended).code, unclear.said()]).toEqual([
      2,
      expect.stringMatching(/CHAIN_ID: is required: the database has several chains \(1, 31337\)/),
    ]);
    const role = start(url, { ROLE: 'read' });
    expect([(await role.ended).code, role.said()]).toEqual([
      2,
      expect.stringContaining("ROLE: must be one of all, ingest, apply, got 'read'"),
    ]);
  });

  it('know how far the others are: who reads counts what is not executed, until somebody executes it (P19)', async () => {
    const { url } = await server.createDatabase();
    const reader = start(url, { ROLE: 'ingest' });
    const pages = await pagesOf(reader);
    const { lastBlock } = script.expected;
    await until('everything is read', async () => (await pages.metric('ingested_block')) === lastBlock);
    expect(await pages.metric('events_ahead')).toBeGreaterThan(SCRIPT_ACTIONS / 2);
    // What the database tells is read anew every half second, what the process knows at once.
    await until(
      'both count the same',
      async () =>
        (await pages.metric('lane_lag_events', 'lane="0"')) === (await pages.metric('events_ahead')),
    );
    await until(
      'the wait is shown',
      async () => Number(await pages.metric('lane_oldest_unapplied_seconds', 'lane="0"')) > 0,
    );
    expect(await query(url, 'SELECT count(*)::int AS orders FROM orders')).toEqual([{ orders: 0 }]);
    const applier = start(url, APPLY);
    await until('everything is executed', async () => (await pages.metric('events_ahead')) === 0);
    await executedReaches(url, lastBlock, applier);
    await until('nothing waits', async () => (await pages.metric('lane_lag_events', 'lane="0"')) === 0);
    await expectStraight(url);
    for (const program of [reader, applier]) program.kill('SIGTERM');
    await expectEnd(reader, applier);
  });
});
