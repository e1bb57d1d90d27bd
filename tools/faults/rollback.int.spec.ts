import type { Pool, PoolClient } from 'pg';
import type { Observer } from '@imart/core';
import { evmSeqNo } from '@imart/chain-evm';
import { marketEventCodec, marketReducers } from '@imart/market';
import { snapshotEvery } from '@imart/pipeline';
import {
  ALICE,
  append,
  appendMessage,
  BOB,
  contentsOfStraightFold,
  createMarketScript,
  executeLanes,
  SUBJECT,
  until,
} from '@imart/testing';
import { ensureSecondaryIndexes, replay } from '@imart/storage';
import {
  createMarketDatabase,
  VIEWS_FILE,
  type MarketDatabase,
} from '../../libs/storage/src/testing/marketDatabase';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { appendBlocks, takeBackTo } from './executor';

let server: TestServer;
let market: MarketDatabase;

beforeAll(async () => {
  server = await startTestServer();
  market = await createMarketDatabase(server);
  const client = await market.pool.connect();
  await ensureSecondaryIndexes(client);
  client.release();
});
afterAll(async () => {
  await market?.close();
  await server?.stop();
});
beforeEach(() => market.clear());

/**
 * The server's statistics have all that was read so far: every connection of the pool tells them, and those that the pool has ended are gone
 * from the server, too. One that idled for long is ended from this side at any moment, and tells what it read when it is.
 */
async function tellReads(pool: Pool): Promise<void> {
  const clients = await Promise.all(
    Array.from({ length: Math.max(1, pool.totalCount) }, () => pool.connect()),
  );
  const [first] = clients as [PoolClient, ...PoolClient[]];
  const pids: number[] = [];
  for (const client of clients) {
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid, pg_stat_force_next_flush()');
    pids.push((rows as { pid: number }[])[0]?.pid as number);
  }
  await until(async () => {
    const { rowCount } = await first.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> ALL($1::int[])
         AND backend_type IN ('client backend', 'parallel worker')`,
      [pids],
    );
    return rowCount === 0;
  });
  for (const client of clients) client.release();
}

describe('a reorg', () => {
  it.each([
    ['beside its folding', 'folding'],
    ['between its folding and its last look', 'indexing'],
  ])('during a replay, %s, leaves both where one clean pass does (R12)', async (_, when) => {
    const script = createMarketScript();
    for (let i = 0; i < 12; i++)
      script
        .listed(`${i % 4}`)
        .filled(`${i % 4}`)
        .minted(ALICE, BigInt(i))
        .nextBlock();
    const store = await market.open(SUBJECT, 2);
    await appendBlocks(store, script.events, 0n, 13n);
    await executeLanes(store);
    const kept = script.events.filter(({ source }) => source.position <= 8n);
    const branch = createMarketScript()
      .nextBlock(8n)
      .cancelled('1')
      .nextBlock()
      .transferred(ALICE, BOB, 2n).events;
    const steps: string[] = [];
    let meanwhile: Promise<void> | undefined;
    const fork = async (): Promise<void> => {
      await takeBackTo(store, 8n);
      await appendBlocks(store, branch, 9n, 11n);
      await executeLanes(store);
    };
    // What is asked for a connection after the fork began waits until it is over.
    const pool = market.createPool({ max: 8 });
    const { connect } = pool;
    if (when === 'indexing') {
      pool.connect = (async () => {
        await meanwhile;
        return (connect as () => Promise<unknown>).call(pool);
      }) as typeof connect;
    }
    const result = await replay({
      pool,
      viewsFile: VIEWS_FILE,
      codec: marketEventCodec,
      seqNosOf: () => evmSeqNo,
      observerOf: (subjectId): Observer => ({ name: 'market', subjectId, reducers: marketReducers }),
      onDifference: 'refuse',
      onProgress: ({ step }) => {
        steps.push(step);
        if (step === when) meanwhile ??= fork();
      },
    });
    await meanwhile;
    expect(steps).toContain(when);
    expect(meanwhile).toBeDefined();
    expect(result).toMatchObject({ differences: [], switched: true });
    expect(await market.contents(SUBJECT)).toEqual(await contentsOfStraightFold([...kept, ...branch]));
  });

  it('reads no large table whole: what is taken back is found by its place (R13)', async () => {
    const store = await market.open(SUBJECT, 1);
    const script = createMarketScript();
    for (let i = 0; i < 8_000; i++) {
      script.listed(`${i}`);
      if (i % 20 === 19) script.nextBlock();
    }
    const last = script.events.at(-1)!.source.position;
    await append(store, appendMessage(script.events, 0n, last - 20n));
    await appendBlocks(store, script.events, last - 19n, last);
    // A snapshot of each: a table that is nearly empty is read whole, and rightly.
    await executeLanes(store, snapshotEvery(1));
    await market.pool.query('ANALYZE');
    const scans = async (): Promise<unknown[]> => {
      await tellReads(market.pool);
      const { rows } = await market.pool.query(
        `SELECT relname, seq_scan::int AS scans FROM pg_stat_user_tables
         WHERE relname IN ('event_log', 'activities', 'orders', 'snapshots') ORDER BY relname`,
      );
      return rows as unknown[];
    };
    // A connection that is ended with reads that it has not told yet.
    const ended = await market.pool.connect();
    await ended.query('SELECT count(data) FROM event_log');
    ended.release(true);
    const before = await scans();
    await takeBackTo(store, last - 10n);
    expect(await scans()).toEqual(before);
    const left = script.events.filter(({ source }) => source.position <= last - 10n);
    expect(await market.contents(SUBJECT)).toEqual(await contentsOfStraightFold(left));
    // The count sees a table that is read whole.
    await market.pool.query('SELECT count(data) FROM event_log');
    expect(await scans()).not.toEqual(before);
  }, 240_000);
});
