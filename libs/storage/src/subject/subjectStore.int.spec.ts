import { describeSubjectStore, SUBJECT } from '@imart/testing';
import { createMarketDatabase, type MarketDatabase } from '../testing/marketDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';

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

describeSubjectStore('in Postgres', {
  // Each is a database's work: a few are tried here, many by the store in memory.
  runs: 8,
  async open(lanes) {
    await market.clear();
    return {
      store: await market.open(SUBJECT, lanes),
      contents: () => market.contents(SUBJECT),
      kept: () => market.kept(SUBJECT),
    };
  },
  async afterEach() {
    // Every connection is back, and none is inside a transaction.
    expect(market.pool.idleCount).toBe(market.pool.totalCount);
    const { rows } = await market.pool.query(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
    );
    expect(rows).toEqual([]);
  },
});
