import type { Event } from '@imart/core';
import { FeedGapError, type SubjectStore } from '@imart/pipeline';
import {
  append,
  appendMessage,
  createMarketScript,
  executeLanes,
  liveThrough,
  MARKET,
  SUBJECT,
  wholeRange,
} from '@imart/testing';
import { ensureSecondaryIndexes } from '../secondaryIndexes';
import { createMarketDatabase, type MarketDatabase } from '../testing/marketDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { deleteEach } from './deleteEach';

let server: TestServer;
let market: MarketDatabase;

beforeAll(async () => {
  server = await startTestServer();
  market = await createMarketDatabase(server);
  const client = await market.pool.connect();
  // As after the first catch-up; the contract's specs run as before it.
  await ensureSecondaryIndexes(client);
  client.release();
});
afterAll(async () => {
  await market?.close();
  await server?.stop();
});
beforeEach(() => market.clear());

const events: readonly Event[] = createMarketScript().listed('1').nextBlock().filled('1').events;

async function filled(): Promise<SubjectStore> {
  const store = await market.open(SUBJECT, 1);
  await append(store, wholeRange(events));
  await executeLanes(store);
  return store;
}

describe('changes of what was told, once the log has its index by aggregate', () => {
  it.each([11, 22, 33, 44, 55, 66])('end with the tables of one clean pass: history %i', async (seed) => {
    const opened = {
      store: await market.open(SUBJECT, (seed % 3) + 1),
      contents: () => market.contents(SUBJECT),
      kept: () => market.kept(SUBJECT),
    };
    const { actual, expected } = await liveThrough(opened, { seed, rounds: 12, faults: 0.02 });
    expect(actual).toEqual(expected);
  });
});

describe('the rows of many aggregates', () => {
  it('are deleted by looking each of them up, also while their table has no statistics (R13)', async () => {
    const script = createMarketScript();
    for (let i = 1; i <= 20_000; i++) script.listed(String(i));
    const store = await market.open(SUBJECT, 1);
    await append(store, appendMessage(script.events, 0n, 1n));
    await executeLanes(store);
    const ids = Array.from({ length: 500 }, (_, i) => String(i * 40 + 1));
    const { rows } = await market.pool.query(
      `EXPLAIN ${deleteEach(
        'orders',
        'unnest($2::text[], $3::text[], $4::bigint[]) AS k(k0, k1, k2)',
        `t.contract = k.k0 AND t.order_id = k.k1 AND t.opened_seq_no > k.k2 AND t.aggregate_type = 'order'`,
      )}`,
      [1, ids.map(() => MARKET), ids, ids.map(() => '-1')],
    );
    const plan = (rows as { 'QUERY PLAN': string }[]).map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Index.* Scan using orders_pkey on orders t/);
    expect(plan).not.toMatch(/Seq Scan on orders/);
  });
});

describe('a part of the log', () => {
  it('tells which of its events somebody has changed behind the back of the worker', async () => {
    const store = await filled();
    const range = { fromPosition: 0n, toPosition: 9n };
    expect(await store.tamperedEvents(range)).toEqual([]);
    await market.pool.query(`UPDATE event_log SET tx_hash = '\\x00' WHERE name = 'OrderFilled'`);
    expect(await store.tamperedEvents(range)).toEqual([events[1]!.seqNo]);
    expect(await store.tamperedEvents({ fromPosition: 0n, toPosition: 1n })).toEqual([]);
  });
});

describe('the feed', () => {
  it('is a fault when a number is missing', async () => {
    const store = await filled();
    await append(store, appendMessage([], 4n, 4n));
    await append(store, appendMessage([], 5n, 5n));
    await executeLanes(store);
    expect((await store.readFeed(0n)).map(({ feedNo }) => feedNo)).toEqual([1n, 2n, 3n]);
    await market.pool.query('DELETE FROM feed WHERE feed_no = 2');
    await expect(store.readFeed(0n)).rejects.toBeInstanceOf(FeedGapError);
    await expect(store.readFeed(1n)).rejects.toBeInstanceOf(FeedGapError);
    await market.pool.query('DELETE FROM feed WHERE feed_no = 3');
    await expect(store.readFeed(2n)).rejects.toBeInstanceOf(FeedGapError);
  });
});
