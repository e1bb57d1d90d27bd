import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import {
  applyLateChange,
  createLaneWorker,
  createPipelineStats,
  runSweeper,
  type SubjectStore,
} from '@imart/pipeline';
import {
  ALICE,
  append,
  art,
  BOB,
  CAROL,
  COLLECTION,
  contentsOfStraightFold,
  createMarketScript,
  executeLanes,
  MARKET_OBSERVER,
  silentLogger,
  SUBJECT,
  wholeRange,
} from '@imart/testing';
import { createMarketDatabase, type MarketDatabase } from '../../libs/storage/src/testing/marketDatabase';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { until } from '../e2e/until';
import { appendBlocks, laneOf, takeBackTo } from './executor';

let server: TestServer;
let market: MarketDatabase;

beforeAll(async () => {
  server = await startTestServer();
  market = await createMarketDatabase(server);
});
afterAll(async () => {
  await market?.close();
  await server?.stop();
});
beforeEach(() => market.clear());

const never = new AbortController().signal;
const isExecuted = async (store: SubjectStore): Promise<boolean> => {
  const { executed, ingested } = await store.progress();
  return executed === ingested;
};

/** A history of few orders with many events each. */
const busy = (orders: number) => {
  const script = createMarketScript();
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < orders; i++) script.listed(`${i}`, { price: BigInt(round + 1) }).filled(`${i}`);
    script.nextBlock();
  }
  return script.events;
};

describe('an event', () => {
  it('is executed although its wake-up was taken and nothing came of it: nothing is sent on in its place (Q6)', async () => {
    const store = await market.open(SUBJECT, 2);
    const { events } = createMarketScript().listed('1').listed('2').filled('1');
    await append(store, wholeRange(events));
    // The queue counts them as done, and whoever took them is gone; nothing can be sent any more either.
    const lanes = new Map([0, 1].map((lane) => [lane, laneOf(store, lane)]));
    const worker = createLaneWorker({
      store,
      lanes,
      receiver: { start: () => Promise.resolve(), stop: () => Promise.resolve() },
      stats: createPipelineStats(),
      logger: silentLogger,
      random: () => 0,
      onExecuted: () => undefined,
      onStop: () => undefined,
    });
    await worker.start(never);
    const sweeping = new AbortController();
    const sweeper = runSweeper(
      {
        store,
        sender: { send: () => Promise.reject(new Error('the queue takes nothing')) },
        stats: createPipelineStats(),
        logger: silentLogger,
        intervalMs: 5,
        now: () => Date.now(),
        own: { lanes: new Set(lanes.keys()), wake: (lane) => worker.wake(lane, never) },
      },
      sweeping.signal,
    );
    await until('all is executed', () => isExecuted(store));
    sweeping.abort();
    await sweeper;
    expect(await market.contents(SUBJECT)).toEqual(await contentsOfStraightFold(events));
  });
});

describe('a run', () => {
  it('that goes on after its time was up and another one has taken over writes nothing (Q7)', async () => {
    const events = busy(3);
    const slowPool = market.createPool({ max: 2, application_name: 'the slow one' });
    const slow = await market.open(SUBJECT, 1, slowPool);
    const other = await market.open(SUBJECT, 1);
    await append(other, wholeRange(events));
    let folded: () => void = () => undefined;
    const hasFolded = new Promise<void>((resolve) => (folded = resolve));
    let goOn: () => void = () => undefined;
    const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));
    const paused: SubjectStore = {
      ...slow,
      transaction: (work) =>
        slow.transaction((tx) =>
          work({
            ...tx,
            writeRun: async (prepared) => {
              folded();
              await mayGoOn;
              return tx.writeRun(prepared);
            },
          }),
        ),
    };
    const late = laneOf(paused, 0).advance();
    late.catch(() => undefined);
    await hasFolded;
    // Its time is up: the server lets its locks go, and another process does the work.
    await market.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'the slow one' AND xact_start IS NOT NULL`,
    );
    await laneOf(other, 0).advance();
    const right = await market.contents(SUBJECT);
    goOn();
    await expect(late).rejects.toMatchObject({ disposition: 'retry' });
    expect(await market.contents(SUBJECT)).toEqual(right);
    expect(right).toEqual(await contentsOfStraightFold(events));
    // It finds the work done when it tries again.
    await laneOf(slow, 0).advance();
    expect(await market.contents(SUBJECT)).toEqual(right);
  });
});

describe('runs', () => {
  it('of several lanes at once in one process do not see each other’s runs (Q11)', async () => {
    const events = busy(12);
    const store = await market.open(SUBJECT, 5);
    const lanes = Array.from({ length: 5 }, (_, lane) => laneOf(store, lane, 3));
    for (const message of [wholeRange(events)]) await append(store, message);
    await Promise.all([...lanes, ...lanes].map((lane) => lane.advance()));
    expect(await isExecuted(store)).toBe(true);
    expect(await market.contents(SUBJECT)).toEqual(await contentsOfStraightFold(events));
  });
});

describe('two processes', () => {
  it('make one row of one order, whoever is first (Q14)', async () => {
    const stores = await Promise.all(
      [market.createPool({ max: 3 }), market.createPool({ max: 3 })].map((pool) =>
        market.open(SUBJECT, 1, pool),
      ),
    );
    const [first] = stores as [SubjectStore, SubjectStore];
    const script = createMarketScript();
    const lanes = stores.map((store) => laneOf(store, 0, 1));
    for (let round = 0; round < 8; round++) {
      script.listed('1', { price: BigInt(round + 1) }).minted(ALICE, BigInt(round + 1));
      const position = BigInt(round + 1);
      await appendBlocks(first, script.events, round === 0 ? 0n : position, position);
      script.nextBlock();
      // Both want to make, and then to change, the same rows.
      await Promise.all(lanes.map((lane) => lane.advance()));
    }
    const { rows } = await market.pool.query(`SELECT count(*)::int AS n FROM orders WHERE order_id = '1'`);
    expect(rows).toEqual([
      {
        n: (await contentsOfStraightFold(script.events)).rows.filter((row) => row.table === 'orders').length,
      },
    ]);
    expect(await market.contents(SUBJECT)).toEqual(await contentsOfStraightFold(script.events));
  });
});

describe('a block', () => {
  it('of 20,000 events is taken within a bound of memory (Q17)', async () => {
    const child = spawn(
      process.execPath,
      ['--max-old-space-size=220', '--import', 'tsx', join(__dirname, 'largeBlock.ts'), market.database.url],
      { cwd: join(__dirname, '../..'), stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    expect([code, output.slice(-600)]).toEqual([
      0,
      expect.stringContaining('executed 20000 events of one block'),
    ]);
    const { rows } = await market.pool.query('SELECT count(*)::int AS n FROM activities');
    expect(rows).toEqual([{ n: 20_000 }]);
  }, 240_000);
});

describe('floors, counts, volumes and owners', () => {
  /** Of the one collection: what the views say of it and of its tokens. */
  const shown = async (): Promise<unknown> => {
    const { rows: collections } = await market.pool.query(
      `SELECT floors->0->>'unit_price' AS floor, listed_count::int AS listed, volumes->0->>'amount' AS volume,
         sale_count::int AS sales, owner_count::int AS owners
       FROM collection_view WHERE address = '${COLLECTION}'`,
    );
    const { rows: tokens } = await market.pool.query(
      `SELECT owner FROM token_view WHERE collection = '${COLLECTION}' ORDER BY token_id`,
    );
    return [...collections, tokens.map(({ owner }: { owner: string }) => owner)];
  };
  /** Every row of every view that is computed, without the number that the database has for the subject. */
  const computed = async (): Promise<ReadonlyMap<string, readonly unknown[]>> => {
    const all = new Map<string, readonly unknown[]>();
    for (const view of ['order_view', 'offer_view', 'sale_view', 'token_view', 'collection_view']) {
      const { rows } = await market.pool.query(
        `SELECT to_jsonb(v) - 'subject' AS row FROM ${view} v ORDER BY 1`,
      );
      all.set(
        view,
        rows.map(({ row }: { row: unknown }) => row),
      );
    }
    return all;
  };

  it('are what the rows say, after reorgs and late events too: nothing is counted up and down (Q19)', async () => {
    /** Alice has the first token, listed for 5, and Bob the second one. */
    const begun = () =>
      createMarketScript()
        .minted(ALICE, 1n)
        .minted(BOB, 2n)
        .nextBlock()
        .listed('1', { price: 5n })
        .nextBlock();
    const orphaned = begun()
      .filled('1', { price: 5n, buyer: CAROL })
      .transferred(ALICE, CAROL, 1n)
      .transferred(BOB, CAROL, 2n).events;
    // The other branch: Bob lists the second token for 3, Carol buys it and lists it for 1.
    const { events } = begun()
      .listed('2', { maker: BOB, items: [art(2n)], price: 3n })
      .nextBlock()
      .transferred(BOB, CAROL, 2n)
      .filled('2', { price: 3n, buyer: CAROL })
      .nextBlock()
      .listed('3', { maker: CAROL, items: [art(2n)], price: 1n });
    // What the node leaves out at first: the sale, and the second listing of the token.
    const late = events.slice(-2);
    expect(late.map(({ name }) => name)).toEqual(['OrderFilled', 'OrderListed']);

    const store = await market.open(SUBJECT, 1);
    await appendBlocks(store, orphaned, 0n, 3n);
    await executeLanes(store);
    expect(await shown()).toEqual([
      { floor: null, listed: 0, volume: '5', sales: 1, owners: 1 },
      [CAROL, CAROL],
    ]);

    await takeBackTo(store, 2n);
    expect(await shown()).toEqual([
      { floor: '5', listed: 1, volume: null, sales: 0, owners: 2 },
      [ALICE, BOB],
    ]);

    const told = events.filter((event) => !late.includes(event));
    await appendBlocks(store, told, 3n, 5n);
    await executeLanes(store);
    // Bob's listing is open, as far as is known, but the token is not his any more.
    expect(await shown()).toEqual([
      { floor: '5', listed: 1, volume: null, sales: 0, owners: 2 },
      [ALICE, CAROL],
    ]);

    const { epoch } = await store.progress();
    const change = await applyLateChange(
      { store, observer: MARKET_OBSERVER, logger: silentLogger },
      { epoch, blocks: [], inserted: late, replaced: [], retracted: [], discovered: [] },
    );
    expect(change.kind).toBe('applied');
    expect(await shown()).toEqual([
      { floor: '1', listed: 2, volume: '3', sales: 1, owners: 2 },
      [ALICE, CAROL],
    ]);

    const changed = await computed();
    await market.clear();
    const clean = await market.open(SUBJECT, 1);
    await appendBlocks(clean, events, 0n, 5n);
    await executeLanes(clean);
    expect(changed).toEqual(await computed());
  });
});
