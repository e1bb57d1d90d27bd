import type { FastifyInstance } from 'fastify';
import { createMetrics, silentLogger, type Metrics } from '@imart/runtime';
import {
  createReadDatabase,
  openCacheKeeping,
  readTouched,
  type ReadDatabase,
  type Reads,
} from '@imart/storage';
import {
  createCacheDropper,
  createReadCache,
  createRedisLink,
  type CachedAnswer,
  type CacheLook,
  type ReadCache,
  type RedisLink,
} from '@imart/stream';
import { ALICE, BOB, COLLECTION, createMarketScript, MARKET, SUBJECT, until } from '@imart/testing';
import { createMarketDatabase, type MarketDatabase } from '../../../libs/storage/src/testing/marketDatabase';
import { startTestServer, type TestServer } from '../../../libs/storage/src/testing/testDatabase';
import { describeWithOwnRedis, describeWithRedis } from '../../../libs/stream/src/testing/describeWithRedis';
import { openTestRedis, type TestRedisDatabase } from '../../../libs/stream/src/testing/redisDatabase';
import { startTestRedis, type TestRedis } from '../../../libs/stream/src/testing/redisServer';
import { createCacheKeeperStats, runCacheKeeper } from '../../../libs/worker/src/cache/cacheKeeper';
import { openToldChain, scriptAt, type ToldChain } from '../../../libs/worker/src/testing/toldDatabase';
import { createServer } from './createServer';
import { seqNosOf } from './seqNosOf';

const ORDER = `/v1/orders/${SUBJECT}/${MARKET}/1`;
const TOKEN = `/v1/tokens/${SUBJECT}/${COLLECTION}/1`;
const STATS = `/v1/collections/${SUBJECT}/${COLLECTION}`;

describeWithRedis('the API with a cache', () => {
  let server: TestServer;
  let database: MarketDatabase;
  let redis: TestRedisDatabase;
  let link: RedisLink;
  let db: ReadDatabase;
  let chain: ToldChain;
  let app: FastifyInstance;
  let metrics: Metrics;
  let origin: string;
  let keeping: { stop(): Promise<void>; readonly stats: ReturnType<typeof createCacheKeeperStats> };
  /** Called between reading an answer and keeping it. */
  let beforeKeep: () => Promise<void>;
  let kept: Promise<void>[];

  beforeAll(async () => {
    server = await startTestServer();
    database = await createMarketDatabase(server);
    redis = await openTestRedis();
    db = createReadDatabase({ seqNosOf, connectionString: database.database.url });
  });
  afterAll(async () => {
    await db?.close();
    await redis?.stop();
    await database?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    await database.clear();
    await redis.clear();
    chain = await openToldChain(database);
    await begin(chain);
    beforeKeep = () => Promise.resolve();
    kept = [];
    await open(redis.url);
  });
  afterEach(() => close());

  /** The API, and whoever keeps its cache true. */
  async function open(redisUrl: string): Promise<void> {
    link = createRedisLink({
      url: redisUrl,
      timeoutMs: 2_000,
      restMs: 5,
      logger: silentLogger,
      now: () => performance.now(),
    });
    await until(async () => (await link.ask((one) => one.ping())) !== undefined);
    metrics = createMetrics({ processMetrics: false });
    app = await createServer({
      db,
      logger: silentLogger,
      metrics,
      cache: held(createReadCache(link, 60_000)),
    });
    origin = await app.listen({ host: '127.0.0.1', port: 0 });
    keeping = await keep();
  }

  async function close(): Promise<void> {
    await keeping.stop();
    await app.close();
    link.close();
  }

  const begin = (of: ToldChain): Promise<void> =>
    of.grow(
      createMarketScript()
        .minted(ALICE)
        .listed('1', { expiresAtUs: 1_600_000_000_000_000n + 10n * 12_000_000n })
        .nextBlock()
        .minted(BOB, 2n).events,
      3n,
    );

  const held = (cache: ReadCache): ReadCache => ({
    look: (...args) => cache.look(...args),
    keep: (kind, subject, id, look: CacheLook, answer: CachedAnswer) => {
      const done = beforeKeep().then(() => cache.keep(kind, subject, id, look, answer));
      kept.push(done);
      return done;
    },
  });

  async function keep() {
    const over = new AbortController();
    const stats = createCacheKeeperStats();
    const running = runCacheKeeper(
      {
        subjectId: SUBJECT,
        feed: chain.store,
        leases: await openCacheKeeping(database.pool, 1),
        dropper: createCacheDropper(link, SUBJECT),
        progress: () => chain.store.progress(),
        touchedBy: (events) => readTouched(database.pool, 1, events),
        isNearHead: () => Promise.resolve(true),
        holder: `spec-${Math.random()}`,
        leaseMs: 1_000,
        logger: silentLogger,
        random: () => 0.01,
        now: () => performance.now(),
        pollMs: 5,
        stats,
      },
      over.signal,
    );
    await until(() => stats.keeping);
    return {
      stats,
      async stop() {
        over.abort();
        await running;
      },
    };
  }

  /** Everything that is executed is dropped from the cache. */
  async function dropped(): Promise<void> {
    const { lastFeedNo } = await chain.store.progress();
    await until(
      async () =>
        (await link.ask((one) => one.hget(`cache:imart:feed:${SUBJECT}`, 'feedNo'))) === String(lastFeedNo),
    );
  }

  async function get(path: string) {
    const answer = await fetch(`${origin}${path}`);
    const executed = answer.headers.get('x-imart-executed');
    const body = JSON.parse(await answer.text());
    await Promise.all(kept);
    return { status: answer.status, executed, body };
  }

  async function counts(): Promise<{ hits: number; misses: number; bypasses: number }> {
    const text = await metrics.render();
    const sum = (name: string): number =>
      [...text.matchAll(new RegExp(`^imart_cache_${name}_total\\{.*\\} (\\d+)$`, 'gm'))].reduce(
        (all, [, value]) => all + Number(value),
        0,
      );
    return { hits: sum('hits'), misses: sum('misses'), bypasses: sum('bypasses') };
  }

  it('gives the same from the cache as from the database, with the cursor that it was read at', async () => {
    const { executed } = await chain.store.progress();
    for (const path of [ORDER, TOKEN, `${TOKEN}?limit=3`, STATS]) {
      const fresh = await get(path);
      expect(fresh).toMatchObject({ status: 200, executed: `${SUBJECT};${executed}` });
      expect(await get(path)).toEqual(fresh);
    }
    expect(await counts()).toEqual({ hits: 4, misses: 4, bypasses: 0 });
    expect((await get(ORDER.replace(/1$/, '99'))).status).toBe(404);
  });

  it('drops what a change touches after it is committed, and nothing else', async () => {
    for (const path of [ORDER, TOKEN, STATS]) await get(path);
    const other = `/v1/tokens/${SUBJECT}/${COLLECTION}/2`;
    await chain.grow(scriptAt(4n).transferred(ALICE, BOB).events, 4n);
    await dropped();
    // The seller does not own it any more.
    expect((await get(ORDER)).body.state).toBe('UNFILLABLE');
    expect((await get(TOKEN)).body).toMatchObject({ owner: BOB, listings: [] });
    expect((await get(STATS)).body.ownerCount).toBe('1');
    const { hits } = await counts();
    expect(hits).toBe(0);
    await get(other);
    await chain.grow(scriptAt(5n).received(BOB, ALICE, 7n, 1n).events, 5n);
    await dropped();
    await get(other);
    await get(ORDER);
    expect((await counts()).hits).toBe(2);
  });

  it('drops the orders of a maker who voids them, and what they were for', async () => {
    for (const path of [ORDER, TOKEN, STATS]) await get(path);
    await chain.grow(scriptAt(4n).voided(ALICE).events, 4n);
    await dropped();
    expect((await get(ORDER)).body.state).toBe('VOIDED');
    expect((await get(TOKEN)).body.listings).toEqual([]);
    expect((await get(STATS)).body.listedCount).toBe('0');
  });

  it('an answer that was read before a change and kept after it was dropped is not given (E18)', async () => {
    for (const path of [ORDER, TOKEN, STATS]) {
      const position = (await chain.store.progress()).nextPosition;
      beforeKeep = async () => {
        beforeKeep = () => Promise.resolve();
        await chain.grow(scriptAt(position).transferred(ALICE, BOB).filled('1').events, position);
        await dropped();
      };
      const before = await get(path);
      const after = await get(path);
      expect(after.body).not.toEqual(before.body);
      expect(BigInt(after.executed?.split(';')[1] ?? 0)).toBeGreaterThan(
        BigInt(before.executed?.split(';')[1] ?? 0),
      );
      // Taken back, for the next one: a reorg drops everything.
      await get(path);
      await chain.takeBackAfter(position - 1n);
      await dropped();
      expect((await get(path)).body).toEqual(before.body);
    }
  });

  it('an order expires by the time of the chain without any event', async () => {
    for (const path of [ORDER, TOKEN, STATS]) await get(path);
    await chain.grow([], 9n);
    await dropped();
    expect((await get(ORDER)).body.state).toBe('LISTING');
    await chain.grow([], 10n);
    await dropped();
    expect((await get(ORDER)).body.state).toBe('EXPIRED');
    expect((await get(TOKEN)).body.listings).toEqual([]);
    expect((await get(STATS)).body.listedCount).toBe('0');
  });

  it('what is not executed yet is dropped when it is, not before', async () => {
    await get(ORDER);
    await chain.ingest(scriptAt(4n).filled('1').events, 4n);
    await get(ORDER);
    expect((await counts()).hits).toBe(1);
    await chain.execute();
    await dropped();
    expect((await get(ORDER)).body.status).toBe('SOLD');
  });

  it('a database that is behind what was dropped gives answers, and none to keep', async () => {
    const behind = await createServer({
      db: { ...db, snapshot: (work) => db.snapshot((reads) => work(asReplica(reads))) },
      logger: silentLogger,
      metrics,
      cache: held(createReadCache(link, 60_000)),
    });
    const at = await behind.listen({ host: '127.0.0.1', port: 0 });
    expect((await fetch(`${at}${ORDER}`)).status).toBe(200);
    await Promise.all(kept);
    expect(kept).toHaveLength(0);
    await get(ORDER);
    expect((await counts()).hits).toBe(0);
    await behind.close();
  });

  it('an answer is of the cursor that it shows, where what is asked goes to replicas of which one is behind (E10)', async () => {
    const replica = await createMarketDatabase(server);
    const late = createReadDatabase({ seqNosOf, connectionString: replica.database.url });
    try {
      const behind = await openToldChain(replica);
      await begin(behind);
      await chain.grow(scriptAt(4n).transferred(ALICE, BOB).filled('1').events, 4n);
      const executed = await Promise.all(
        [behind, chain].map(async ({ store }) => `${SUBJECT};${(await store.progress()).executed}`),
      );
      let asked = 0;
      const next = (): ReadDatabase => (asked++ % 3 === 0 ? late : db);
      const balanced = await createServer({
        db: { ...db, query: (sql) => next().query(sql), snapshot: (work) => next().snapshot(work) },
        logger: silentLogger,
        metrics: createMetrics({ processMetrics: false }),
      });
      const at = await balanced.listen({ host: '127.0.0.1', port: 0 });
      const seen = new Set<string>();
      for (let i = 0; i < 12; i++) {
        const [order, token] = await Promise.all([ORDER, TOKEN].map((path) => fetch(`${at}${path}`)));
        const said = [order, token].map((answer) => answer?.headers.get('x-imart-executed'));
        const { status } = (await order?.json()) as { status: string };
        const { owner } = (await token?.json()) as { owner: string };
        expect([said[0], status]).toEqual([said[0], said[0] === executed[0] ? 'LISTING' : 'SOLD']);
        expect([said[1], owner]).toEqual([said[1], said[1] === executed[0] ? ALICE : BOB]);
        for (const one of said) seen.add(one as string);
      }
      expect([...seen].sort()).toEqual([...executed].sort());
      await balanced.close();
    } finally {
      await late.close();
      await replica.close();
    }
  });

  describeWithOwnRedis('in a Redis that goes away', () => {
    let own: TestRedis;
    beforeEach(async () => {
      await close();
      own = await startTestRedis();
      await open(own.url);
    });
    afterEach(() => own.stop());

    it('goes on without Redis, and with it again when it is back, with nothing of before', async () => {
      await get(ORDER);
      await own.kill();
      await chain.grow(scriptAt(4n).filled('1').events, 4n);
      const started = performance.now();
      expect((await get(ORDER)).body.status).toBe('SOLD');
      for (let i = 0; i < 20; i++) expect((await get(ORDER)).status).toBe(200);
      expect(performance.now() - started).toBeLessThan(5_000);
      expect((await counts()).bypasses).toBeGreaterThan(0);
      await own.restart();
      await dropped();
      expect((await get(ORDER)).body.status).toBe('SOLD');
      const { hits } = await counts();
      expect((await get(ORDER)).body.status).toBe('SOLD');
      expect((await counts()).hits).toBe(hits + 1);
    });
  });

  it('is emptied by whoever takes over', async () => {
    await get(ORDER);
    await keeping.stop();
    keeping = await keep();
    await get(ORDER);
    expect(await counts()).toEqual({ hits: 0, misses: 2, bypasses: 0 });
    expect(keeping.stats.eras).toBe(1);
  });
});

/** What a replica gives that lacks the last change. */
const asReplica = (reads: Reads): Reads => ({
  seqNosOf: reads.seqNosOf,
  query: async <Row>(sql: Parameters<Reads['query']>[0]) =>
    (await reads.query<Row>(sql)).map((row) =>
      typeof row === 'object' && row !== null && 'lastFeedNo' in row
        ? { ...row, lastFeedNo: String(BigInt(row.lastFeedNo as string) - 1n) }
        : row,
    ),
});
