import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { openTraffic, startDevnet, type Devnet, type Traffic } from '../devnet/src';
import { dump, query, type Row } from '../realdata/tables';
import { chooseSeed, createRandom } from './kills';
import { startLyingProxy } from './lyingProxy';
import {
  chainOf,
  createMarket,
  executedReaches,
  settingsFor,
  type Chain,
  type Market,
  type Settings,
} from './market';
import type { Program } from './programs';
import { compareWithExpected } from './storedTables';
import { until } from './until';

/*
 * Second readings by the worker as a process: the past of what is followed newly, and what a provider has left out.
 */

const SEED = chooseSeed();
/** More than lie between the head and what is final here. */
const EMPTY_BLOCKS = 70;

describe(`second readings beside the live stream (IMART_SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  let market: Market;
  let server: TestServer;
  let devnet: Devnet;
  let traffic: Traffic;
  let chain: Chain;

  const trade = async (blocks: number, perBlock: number): Promise<void> => {
    for (let block = 0; block < blocks; block++) {
      await traffic.submit(perBlock, false);
      await devnet.mine();
      while (traffic.pending > 0) await traffic.confirm();
    }
  };
  const mineEmpty = async (blocks: number): Promise<void> => {
    for (let i = 0; i < blocks; i++) await devnet.mine();
  };
  const head = async (): Promise<number> => Number(await devnet.rpc.call<string>('eth_blockNumber'));
  const passes = (url: string): Promise<readonly Row[]> =>
    query(
      url,
      `SELECT kind, from_position::int AS from, to_position::int AS to, next_position::int AS next, missing_events::int AS missing,
         extra_events::int AS extra, different_events::int AS different, finished_at IS NOT NULL AS finished FROM passes ORDER BY id`,
    );
  const endInOrder = async (worker: Program): Promise<void> => {
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
  };
  /** The tables of a run that had all settings from the first block on. */
  const fromTheStart = async (): Promise<Readonly<Record<string, string>>> => {
    const { url } = await server.createDatabase();
    await market.startWorker(chain, url, { END_BLOCK: await head() }).ended;
    return dump(url);
  };

  beforeAll(() => console.log(`random moments by IMART_SEED=${SEED}`));
  beforeEach(async () => {
    market = createMarket();
    server = await startTestServer();
    devnet = await startDevnet();
    traffic = await openTraffic(devnet, 31);
    chain = chainOf(devnet);
  });
  afterEach(async () => {
    await market?.close();
    await devnet?.stop();
    await server?.stop();
  });

  it('gives a marketplace, factories and collections that are added later the tables that they would have from the start, through kills -9 (Q1)', async () => {
    const { url } = await server.createDatabase();
    const all = settingsFor(chain, url);
    const little: Settings = { MARKETS: `imart:${chain.market}`, COLLECTIONS: String(chain.collections[0]) };
    await trade(30, 12);
    const before = market.startWorker(chain, url, little);
    await executedReaches(url, await head(), before);
    await trade(5, 12);
    await executedReaches(url, await head(), before);
    await endInOrder(before);
    expect(await query(url, 'SELECT * FROM collections')).toEqual([]);
    expect(await passes(url)).toMatchObject([{ kind: 'second' }]);

    // In steps of few blocks, so that kills meet it in the middle.
    const slowly: Settings = { RANGE_BLOCKS_MAX: 1, LANES: 1 };
    let worker = market.startWorker(chain, url, slowly);
    const told: string[] = [];
    for (let kill = 0; kill < 4; kill++) {
      await trade(1, 8);
      const next = 2 + kill * 6 + random.below(5);
      await until(`the backfill has come to block ${next}`, async () => {
        const [pass] = (await passes(url)).filter(({ kind }) => kind === 'backfill');
        return pass !== undefined && (pass['finished'] === true || Number(pass['next']) >= next);
      });
      worker.kill('SIGKILL');
      await worker.ended;
      told.push(JSON.stringify((await passes(url)).filter(({ kind }) => kind === 'backfill')));
      worker = market.startWorker(chain, url, slowly);
    }
    console.log(`killed in the middle of ${told.join('; ')}`);
    await trade(5, 8);
    await executedReaches(url, await head(), worker);
    await until('the backfill is done', async () =>
      (await passes(url)).some(({ kind, finished }) => kind === 'backfill' && finished === true),
    );
    await trade(3, 8);
    await executedReaches(url, await head(), worker);
    expect((await compareWithExpected(url, traffic.expected())).differences).toEqual([]);
    expect(await dump(url)).toEqual(await fromTheStart());
    // One change of the settings is one backfill, however often the worker was started.
    expect((await passes(url)).filter(({ kind }) => kind === 'backfill')).toHaveLength(1);
    expect(all['COLLECTIONS']).not.toBe(little['COLLECTIONS']);
    await endInOrder(worker);
  });

  it('is done when the worker ends at END_BLOCK, and settings that change several times are read once', async () => {
    const { url } = await server.createDatabase();
    await trade(15, 12);
    const end = { END_BLOCK: await head() };
    const only = (markets: string): Settings => ({ ...end, MARKETS: markets, COLLECTIONS: 'factories' });
    const imart = `imart:${chain.market}`;
    expect(await market.startWorker(chain, url, only(imart)).ended).toMatchObject({ code: 0 });
    const two = only(`${imart},mixverse:${chain.mixverse}`);
    expect(await market.startWorker(chain, url, two).ended).toMatchObject({ code: 0 });
    expect(await market.startWorker(chain, url, end).ended).toMatchObject({ code: 0 });
    expect((await compareWithExpected(url, traffic.expected())).differences).toEqual([]);
    expect(await dump(url)).toEqual(await fromTheStart());
    // What is left out stays as it is.
    const settled = await dump(url);
    expect(await market.startWorker(chain, url, only(imart)).ended).toMatchObject({ code: 0 });
    expect(await dump(url)).toEqual(settled);
    expect((await passes(url)).filter(({ kind }) => kind === 'backfill')).toMatchObject([
      { finished: true },
      { finished: true },
    ]);
  });

  it('finds what the provider has left out below finality, beside the live stream, over restarts (P2)', async () => {
    const { url } = await server.createDatabase();
    await trade(30, 12);
    await mineEmpty(EMPTY_BLOCKS);
    const missed = (log: Readonly<Record<string, unknown>>): boolean =>
      Number(log['blockNumber']) % 2 === 0 && Number(log['logIndex']) % 3 === 0;
    const proxy = await startLyingProxy(chain.rpcUrl, missed);
    try {
      const settings: Settings = { RPC_URLS: proxy.url, SECOND_PASS_BLOCKS_PER_SECOND: 0 };
      const reader = market.startWorker(chain, url, settings);
      await executedReaches(url, await head(), reader);
      await endInOrder(reader);
      expect(proxy.omitted).toBeGreaterThan(20);
      expect((await compareWithExpected(url, traffic.expected())).differences).not.toEqual([]);

      // The endpoint goes on leaving them out: blocks are read whole.
      const pass: Settings = {
        ...settings,
        SECOND_PASS_BLOCKS_PER_SECOND: 100,
        SECOND_PASS_WHOLE_BLOCKS: 'true',
        // In steps of few blocks, so that the kill meets it in the middle.
        RANGE_BLOCKS_MAX: 4,
      };
      const killed = market.startWorker(chain, url, pass);
      const isAt = (block: number) => async (): Promise<boolean> =>
        (await passes(url)).some(({ kind, next }) => kind === 'second' && Number(next) >= block);
      await until('the second pass has come to block 8', isAt(8));
      killed.kill('SIGKILL');
      await killed.ended;
      const worker = market.startWorker(chain, url, pass);
      await until('the second pass has read everything that is final', isAt((await head()) - 65));
      await executedReaches(url, await head(), worker);
      expect((await compareWithExpected(url, traffic.expected())).differences).toEqual([]);
      expect(await dump(url)).toEqual(await fromTheStart());
      const [second] = await passes(url);
      expect(second).toMatchObject({ kind: 'second' });
      expect(Number(second?.['missing'])).toBeGreaterThan(20);
      expect(`${killed.said()}${worker.said()}`).toMatch(
        /the second pass found an event that had been left out/,
      );
      await endInOrder(worker);
    } finally {
      await proxy.close();
    }
  });

  it('asks another endpoint than the live stream trusts, where there is one (P2)', async () => {
    const { url } = await server.createDatabase();
    await trade(12, 10);
    await mineEmpty(EMPTY_BLOCKS);
    const proxy = await startLyingProxy(chain.rpcUrl, (log) => Number(log['blockNumber']) % 2 === 0);
    try {
      const settings: Settings = {
        RPC_URLS: `${proxy.url},${chain.rpcUrl}`,
        CHECK_BLOOMS: 'false',
        SECOND_PASS_BLOCKS_PER_SECOND: 1_000,
      };
      const worker = market.startWorker(chain, url, settings);
      await until(
        'the tables are those of the chain',
        async () => (await compareWithExpected(url, traffic.expected())).differences.length === 0,
      );
      expect(proxy.omitted).toBeGreaterThan(10);
      await endInOrder(worker);
    } finally {
      await proxy.close();
    }
  });
});
