import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { openTraffic, startDevnet, type Devnet, type DevnetOptions, type Expected } from '../devnet/src';
import { startFakeMarket, unlucky, type FakeMarket } from '../fake-chain/src';
import { dump, query } from '../realdata/tables';
import { chooseSeed, createRandom } from './kills';
import { chainOf, createMarket, executedBlock, type Chain, type Market } from './market';
import type { Program } from './programs';
import { compareWithExpected, rowsOf } from './storedTables';
import { until } from './until';

/*
 * The worker as a process, on chains that take blocks back: anvil with `anvil_reorg` and `anvil_rollback`, and the fake chain. What
 * it leaves is compared, row by row, with a clean run over the final chain, and with what the traffic knows that it did.
 */

const SEED = chooseSeed();

interface Head {
  readonly number: number;
  readonly hash: string;
}

/** Waits until the worker has executed everything up to this block, and has read this one and no other at its height. */
async function follows(url: string, head: Head, worker: Program): Promise<void> {
  let is = false;
  await until(`block ${head.number} ${head.hash} is executed`, async () => {
    if (!worker.isRunning()) return true;
    const [last] = await query(url, 'SELECT position, hash FROM blocks ORDER BY position DESC LIMIT 1');
    is = last?.['hash'] === head.hash && (await executedBlock(url)) >= head.number;
    return is;
  });
  if (!is) throw new Error(`the worker ended before block ${head.number}:\n${worker.said()}`);
}

async function headOf(rpcUrl: string): Promise<Head> {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'eth_getBlockByNumber',
    params: ['latest', false],
  });
  const response = await fetch(rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const { result } = (await response.json()) as { result: { number: string; hash: string } };
  return { number: Number(result.number), hash: result.hash };
}

describe(`the worker on a chain that takes blocks back (IMART_SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  let market: Market;
  let server: TestServer;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    console.log(`random moments by IMART_SEED=${SEED}`);
    market = createMarket();
    server = await startTestServer();
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  afterAll(async () => {
    await market?.close();
    await server?.stop();
  });

  /** The tables are those of a clean run over the chain as it is now, and those that the traffic expects. */
  const expectTables = async (url: string, chain: Chain, expected: Expected): Promise<void> => {
    const clean = await server.createDatabase();
    await market.runWorker(chain, clean.url, expected);
    expect(await dump(url)).toEqual(await dump(clean.url));
    const { differences, rows } = await compareWithExpected(url, expected);
    expect(differences).toEqual([]);
    expect(rows).toEqual(rowsOf(expected));
  };
  const retracted = async (url: string): Promise<number> =>
    Number((await query(url, 'SELECT count(*) AS count FROM retracted_events'))[0]?.['count']);
  const endInOrder = async (worker: Program): Promise<void> => {
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
  };

  describe('anvil', () => {
    interface Anvil {
      readonly devnet: Devnet;
      readonly chain: Chain;
      /** Mines so many blocks of so many actions. @param done after each block. */
      trade(blocks: number, perBlock: number, done?: () => Promise<void>): Promise<Expected>;
      /** The transactions of the last blocks, as they were sent, each with its place among them from 0. */
      sent(blocks: number): Promise<[string, number][]>;
      reorg(depth: number, transactions?: readonly (readonly [string, number])[]): Promise<void>;
    }
    const open = async (options: DevnetOptions = {}): Promise<Anvil> => {
      const devnet = await startDevnet(options);
      closing.push(() => devnet.stop());
      return {
        devnet,
        chain: chainOf(devnet),
        async trade(blocks, perBlock, done) {
          // Opened anew: what a reorg took back is forgotten.
          const traffic = await openTraffic(devnet, SEED + 1);
          for (let block = 0; block < blocks; block++) {
            await traffic.submit(perBlock, false);
            await devnet.mine();
            while (traffic.pending > 0) await traffic.confirm();
            await done?.();
          }
          return traffic.expected();
        },
        async sent(blocks) {
          const head = Number(await devnet.rpc.call<string>('eth_blockNumber'));
          const found: [string, number][] = [];
          for (let place = 0; place < blocks; place++) {
            const number = `0x${(head - blocks + 1 + place).toString(16)}`;
            const block = await devnet.rpc.call<{ transactions: string[] }>(
              'eth_getBlockByNumber',
              number,
              false,
            );
            for (const hash of block.transactions)
              found.push([await devnet.rpc.call<string>('eth_getRawTransactionByHash', hash), place]);
          }
          return found;
        },
        async reorg(depth, transactions = []) {
          await devnet.rpc.call('anvil_reorg', depth, transactions);
        },
      };
    };
    const startWorker = (
      anvil: Anvil,
      url: string,
      more: Readonly<Record<string, string | number>> = {},
    ): Program => market.startWorker(anvil.chain, url, more);

    it.each([1, 5])(
      'of depth %i, the same transactions included again elsewhere: each is there once, at its new place (R6)',
      async (depth) => {
        const { url } = await server.createDatabase();
        const anvil = await open();
        const worker = startWorker(anvil, url);
        const atHead = async () => follows(url, await headOf(anvil.chain.rpcUrl), worker);
        await anvil.trade(12, 8, atHead);
        const again = await anvil.sent(depth);
        // One block later each; the last ones share their block.
        await anvil.reorg(
          depth,
          again.map(([raw, place]) => [raw, Math.min(depth - 1, place + 1)]),
        );
        await atHead();
        const moved = await anvil.trade(3, 8, atHead);
        expect(moved.actions).toBeGreaterThanOrEqual(12 * 8 + 3 * 8 - 8);
        expect(await retracted(url)).toBeGreaterThan(5);
        await expectTables(url, anvil.chain, moved);
        // And without them.
        await anvil.reorg(depth);
        await atHead();
        await expectTables(url, anvil.chain, await anvil.trade(3, 8, atHead));
        await endInOrder(worker);
      },
    );

    it('with a collection that only the old branch created: it is forgotten, with its tokens (R9)', async () => {
      const { url } = await server.createDatabase();
      const anvil = await open();
      const worker = startWorker(anvil, url);
      const atHead = async () => follows(url, await headOf(anvil.chain.rpcUrl), worker);
      const collections = async () =>
        await query(
          url,
          'SELECT address, discovered_seq_no >> 31 AS block FROM discovered_contracts ORDER BY 2',
        );
      let expected = await anvil.trade(4, 8, atHead);
      const before = await collections();
      // Until another one is created, and traded with.
      for (let rounds = 0; (await collections()).length === before.length && rounds < 40; rounds++)
        expected = await anvil.trade(1, 12, atHead);
      const [, newest] = [before, (await collections()).at(-1)];
      expect((await collections()).length).toBeGreaterThan(before.length);
      const depth = (await headOf(anvil.chain.rpcUrl)).number - Number(newest?.['block']) + 1;
      await anvil.reorg(depth);
      await atHead();
      expect(await collections()).toEqual(before);
      expect(Number((await query(url, `SELECT count(*) AS count FROM collections`))[0]?.['count'])).toBe(
        before.length,
      );
      expected = await anvil.trade(10, 12, atHead);
      await expectTables(url, anvil.chain, expected);
      await endInOrder(worker);
    });

    it('while the worker is down, by a branch that is shorter too (R2)', async () => {
      const { url } = await server.createDatabase();
      const anvil = await open();
      const first = startWorker(anvil, url);
      await anvil.trade(12, 8, async () => follows(url, await headOf(anvil.chain.rpcUrl), first));
      await endInOrder(first);
      const again = await anvil.sent(4);
      await anvil.reorg(
        4,
        again.map(([raw, place]) => [raw, Math.min(3, place + 1)]),
      );
      const second = startWorker(anvil, url);
      await follows(url, await headOf(anvil.chain.rpcUrl), second);
      await expectTables(
        url,
        anvil.chain,
        await anvil.trade(1, 8, async () => follows(url, await headOf(anvil.chain.rpcUrl), second)),
      );
      await endInOrder(second);
      await anvil.devnet.rpc.call('anvil_rollback', 5);
      const expected = await anvil.trade(2, 8);
      const third = startWorker(anvil, url);
      await follows(url, await headOf(anvil.chain.rpcUrl), third);
      await expectTables(url, anvil.chain, expected);
      await endInOrder(third);
    });

    it('while it catches up, also across the border to what it follows (R1)', async () => {
      const { url } = await server.createDatabase();
      const anvil = await open();
      await anvil.trade(60, 6);
      // Small ranges: the reorg comes in the middle.
      const worker = startWorker(anvil, url, { RANGE_BLOCKS_MAX: 2 });
      await until('it has begun', async () => (await executedBlock(url)) > 5);
      const again = await anvil.sent(6);
      await anvil.reorg(
        6,
        again.map(([raw, place]) => [raw, Math.min(5, place + 2)]),
      );
      await follows(url, await headOf(anvil.chain.rpcUrl), worker);
      // Everything above the border of what was final when it was read.
      await anvil.reorg(7);
      await follows(url, await headOf(anvil.chain.rpcUrl), worker);
      const expected = await anvil.trade(3, 8, async () =>
        follows(url, await headOf(anvil.chain.rpcUrl), worker),
      );
      await expectTables(url, anvil.chain, expected);
      await endInOrder(worker);
    });
  });

  describe('the fake chain', () => {
    const open = async (endpoints: number): Promise<{ fake: FakeMarket; chain: Chain; head: () => Head }> => {
      const fake = await startFakeMarket({ seed: SEED, endpoints, recordCalls: false });
      closing.push(() => fake.close());
      const { chain } = fake.traffic;
      return {
        fake,
        chain: fake.places,
        head: () => ({ number: chain.head, hash: chain.blocks.at(-1)?.hash ?? '' }),
      };
    };
    /** The clean run asks a node that has no faults. */
    const expectFakeTables = async (url: string, fake: FakeMarket): Promise<void> => {
      const { url: rpcUrl, wsUrl } = await fake.cleanNode();
      const expected = fake.traffic.expected();
      await expectTables(url, { ...fake.places, rpcUrl, wsUrl }, expected);
    };

    it('of any depth above finality, again and again, with nodes that lag and fail: the tables of one clean pass (P1-P15, R1-R6, R9)', async () => {
      const { url } = await server.createDatabase();
      const { fake, chain, head } = await open(2);
      const { traffic, nodes } = fake;
      const draw = (): number => random.below(2 ** 31) / 2 ** 31;
      for (const { rules } of nodes) rules.chance = unlucky(draw, 0.05);
      for (let i = 0; i < 40; i++) traffic.mine(6);
      const worker = market.startWorker(chain, url, { RPC_URLS: fake.places.rpcUrls.join(',') });
      let finalized = 0;
      for (let round = 0; round < 12; round++) {
        if (random.chance(0.5)) await follows(url, head(), worker);
        for (const { rules } of nodes) rules.lag = random.chance(0.2) ? random.below(4) : 0;
        // Branches may be shorter, again and again: what was final once stays so.
        finalized = Math.max(finalized, head().number - 20);
        for (const { rules } of nodes) rules.finalized = finalized;
        const depthMax = Math.min(15, head().number - finalized);
        if (random.chance(0.6) && depthMax > 0) {
          const depth = 1 + random.below(depthMax);
          traffic.reorg({
            depth,
            blocks: 1 + random.below(depth + 3),
            keep: draw(),
            actions: random.below(6),
          });
        } else traffic.mine(random.below(12));
      }
      for (const { rules } of nodes) {
        rules.lag = 0;
        delete rules.chance;
      }
      traffic.mine(5);
      await follows(url, head(), worker);
      expect(await retracted(url)).toBeGreaterThan(0);
      await expectFakeTables(url, fake);
      await endInOrder(worker);
    });

    it('while the worker is killed and started again and again (Q1, R2)', async () => {
      const { url } = await server.createDatabase();
      const { fake, chain, head } = await open(1);
      const { traffic, nodes } = fake;
      for (const { rules } of nodes) rules.finalized = 0;
      for (let i = 0; i < 20; i++) traffic.mine(6);
      let worker = market.startWorker(chain, url);
      for (let round = 0; round < 6; round++) {
        const before = await executedBlock(url);
        traffic.mine(8);
        await until('it works', async () => (await executedBlock(url)) !== before || random.chance(0.05));
        traffic.reorg({ depth: 1 + random.below(10), blocks: 1 + random.below(12), actions: 3 });
        if (random.chance(0.7)) {
          worker.kill('SIGKILL');
          await worker.ended;
          if (random.chance(0.5)) traffic.reorg({ depth: 1 + random.below(4), actions: 2 });
          worker = market.startWorker(chain, url);
        }
      }
      traffic.mine(5);
      await follows(url, head(), worker);
      await expectFakeTables(url, fake);
      await endInOrder(worker);
    });
  });
});
