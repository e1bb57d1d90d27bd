import { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { applyLateChange, retryParked, type FeedReader } from '@imart/pipeline';
import type { NotificationStore } from '@imart/storage';
import {
  createNotificationLists,
  createRedisLink,
  notificationListKey,
  type NotificationMessage,
  type RedisLink,
} from '@imart/stream';
import {
  ALICE,
  art,
  BOB,
  CAROL,
  createMarketScript,
  DAVE,
  MARKET,
  MARKET_OBSERVER,
  multi,
  MULTIPLE,
  NATIVE,
  silentLogger,
  until,
  type MarketScript,
} from '@imart/testing';
import { createMarketDatabase, type MarketDatabase } from '../../../storage/src/testing/marketDatabase';
import { startTestServer, type TestServer } from '../../../storage/src/testing/testDatabase';
import { describeWithOwnRedis, describeWithRedis } from '../../../stream/src/testing/describeWithRedis';
import { openTestRedis, type TestRedisDatabase } from '../../../stream/src/testing/redisDatabase';
import { startTestRedis } from '../../../stream/src/testing/redisServer';
import { openTold, openToldChain, scriptAt, type ToldChain } from '../testing/toldDatabase';
import { createNotifierStats, runNotifier, type NotifierOptions } from './notifier';

let server: TestServer;
let database: MarketDatabase;
let pool: Pool;
let chain: ToldChain;

beforeAll(async () => {
  server = await startTestServer();
  database = await createMarketDatabase(server);
  pool = database.pool;
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});
beforeEach(async () => {
  await database.clear();
  chain = await openToldChain(database);
});

const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const reader of started.splice(0)) await reader.stop().catch(() => undefined);
});

const LISTS_AWAY = { push: () => Promise.resolve(false) };

function notifier(store: NotificationStore, more: Partial<NotifierOptions> = {}) {
  const over = new AbortController();
  const stats = createNotifierStats();
  const run = runNotifier(
    {
      store,
      feed: chain.store,
      lists: null,
      when: 'executed',
      holder: `spec-${Math.random()}`,
      logger: silentLogger,
      random: () => 0.01,
      pollMs: 5,
      stats,
      ...more,
    },
    over.signal,
  );
  const reader = {
    stats,
    run,
    async stop(): Promise<void> {
      over.abort();
      await run;
    },
  };
  started.push(reader);
  return reader;
}

/** Reads until everything that is shown is read. */
async function readAll(store: NotificationStore, more: Partial<NotifierOptions> = {}): Promise<void> {
  const reader = notifier(store, more);
  await until(async () => {
    const { afterFeedNo, lastFeedNo } = await store.position();
    return afterFeedNo === lastFeedNo && (more.lists === undefined || (await store.outgoing(1)).length === 0);
  });
  await reader.stop();
}

interface Row {
  readonly id: string;
  readonly kind: string;
  readonly receiver: string;
  readonly price: string | null;
  readonly revision: number;
  readonly retracted: boolean;
}

async function rows(): Promise<readonly Row[]> {
  const { rows: found } = await pool.query(
    `SELECT id, kind, receiver, price::text, revision, retracted_at IS NOT NULL AS retracted FROM notifications ORDER BY seq_no, kind, receiver`,
  );
  return found as Row[];
}

const told = async (): Promise<readonly string[]> =>
  (await rows())
    .filter(({ retracted }) => !retracted)
    .map(({ kind, receiver }) => `${kind} ${nameOf(receiver)}`);

const NAMES = new Map([
  [ALICE, 'alice'],
  [BOB, 'bob'],
  [CAROL, 'carol'],
  [DAVE, 'dave'],
]);
const nameOf = (address: string): string => NAMES.get(address) ?? address;

/** A listing of Alice that Bob fills, an offer of Bob that Alice accepts. */
const trades = (position = 1n): MarketScript =>
  scriptAt(position)
    .minted(ALICE)
    .listed('1')
    .offered('2')
    .nextBlock()
    .filled('1', { price: 100n })
    .nextBlock()
    .accepted('2', { price: 70n });

const curation = (script: MarketScript, status: 'pending' | 'accepted' | 'rejected' | 'canceled', id = '9') =>
  script.event('curation-offer', `${MARKET}:${id}`, 'CurationOfferChanged', {
    market: 'imart',
    status,
    collection: null,
    tokenId: null,
    standard: null,
    galleryId: null,
    from: status === 'pending' ? CAROL : null,
    to: status === 'pending' ? ALICE : null,
    price: status === 'pending' ? 5n : null,
    currency: null,
    startsAtUs: null,
    expiresAtUs: null,
    exhibitExpiresAtUs: null,
    url: null,
    detail: null,
  });

const exhibit = (script: MarketScript, status: 'listing' | 'sold') =>
  script.event('exhibit', `${MARKET}:4`, 'ExhibitChanged', {
    market: 'imart',
    status,
    collection: null,
    tokenId: 3n,
    standard: 'erc721',
    galleryId: 1n,
    origin: ALICE,
    curator: CAROL,
    owner: status === 'sold' ? BOB : ALICE,
    price: 50n,
    currency: null,
    expiresAtUs: null,
    location: null,
    url: null,
    detail: null,
  });

describe('who is told what', () => {
  it('tells the seller of a filled order, the owner of an offer received, the bidder of its acceptance', async () => {
    await chain.grow(trades().events, 5n);
    await readAll(await openTold(pool));
    expect(await told()).toEqual([
      'MarketOfferReceived alice',
      'MarketOrderFilled alice',
      'MarketOfferAccepted bob',
    ]);
    expect((await rows()).map(({ price }) => price)).toEqual(['100', '100', '70']);
  });

  it('tells curation as the original did: received, accepted, rejected, not cancelled; a sold exhibit to origin and curator once', async () => {
    const script = createMarketScript();
    for (const [id, answer] of [
      ['1', 'accepted'],
      ['2', 'rejected'],
      ['3', 'canceled'],
    ] as const) {
      curation(curation(script, 'pending', id).nextBlock(), answer, id);
    }
    exhibit(exhibit(exhibit(script, 'listing').nextBlock(), 'sold').nextBlock(), 'sold');
    await chain.grow(script.events, 20n);
    await readAll(await openTold(pool));
    expect(await told()).toEqual([
      'CurationOfferReceived alice',
      'CurationOfferAccepted carol',
      'CurationOfferReceived alice',
      'CurationOfferRejected carol',
      'CurationOfferReceived alice',
      'CurationExhibitSold alice',
      'CurationExhibitSold carol',
    ]);
  });

  it('takes for the owner whoever had the token at the offer: while a market keeps it, its seller; of several pieces, the holders', async () => {
    const script = createMarketScript()
      .minted(ALICE)
      .transferred(ALICE, CAROL)
      .offered('1')
      .nextBlock()
      .transferred(CAROL, DAVE)
      .minted(ALICE, 2n)
      .listed('2', { items: [art(2n)], escrow: true })
      .transferred(ALICE, MARKET, 2n)
      .offered('3', { items: [art(2n)] })
      .nextBlock()
      .received(CAROL, ALICE, 7n, 3n)
      .received(BOB, ALICE, 7n, 2n)
      .nextBlock()
      .offered('4', { items: [multi(7n, 1n)] })
      .offered('5', { items: [{ ...art(), tokenId: null }] });
    await chain.grow(script.events, 9n);
    await readAll(await openTold(pool));
    // Not the bidder, and nobody of an offer on a collection.
    expect(await told()).toEqual([
      'MarketOfferReceived carol',
      'MarketOfferReceived alice',
      'MarketOfferReceived carol',
    ]);
    expect(MULTIPLE).not.toBe(MARKET);
  });

  /** Of these, Carol gets and Dave loses theirs after the offer; Alice has less after it than before, and Bob makes it. */
  const V1_TOKEN = 2n ** 256n + 9n;
  const onV1 = (script: MarketScript, owner: string, name: 'TokenReceived' | 'TokenSent', balance: bigint) =>
    script.event('balance', `${MULTIPLE}:${V1_TOKEN}:${owner}`, name, {
      ...{ from: null, to: null, quantity: 1n, standard: 'aptos-v1' as const, balance },
    });
  const severalOwners = {
    'ERC-1155': {
      token: 7n,
      before: (script: MarketScript) =>
        script
          .received(ALICE, NATIVE, 7n, 5n)
          .received(DAVE, NATIVE, 7n, 4n)
          .sent(ALICE, BOB, 7n, 1n)
          .received(BOB, ALICE, 7n, 1n),
      after: (script: MarketScript) =>
        script
          .sent(ALICE, CAROL, 7n, 4n)
          .received(CAROL, ALICE, 7n, 4n)
          .sent(DAVE, NATIVE, 7n, 4n)
          .received(ALICE, NATIVE, 7n, 1n),
    },
    "tokens of Aptos' first standard": {
      token: V1_TOKEN,
      before: (script: MarketScript) => {
        // What they had before the first version that was read, the chain tells.
        onV1(script, ALICE, 'TokenReceived', 5n);
        onV1(script, DAVE, 'TokenSent', 4n);
        return onV1(script, BOB, 'TokenReceived', 1n);
      },
      after: (script: MarketScript) => {
        onV1(script, ALICE, 'TokenSent', 0n);
        onV1(script, CAROL, 'TokenReceived', 9n);
        return onV1(script, DAVE, 'TokenSent', 0n);
      },
    },
  };
  it.each(Object.entries(severalOwners))(
    'takes for the owners of %s who had them at the offer, whenever it is told, and tells the same when all is read again',
    async (_name, { token, before, after }) => {
      const script = before(createMarketScript())
        .nextBlock()
        .offered('1', { items: [multi(token, 1n)] });
      await chain.grow(script.events, 3n);
      const store = await openTold(pool);
      await readAll(store);
      const first = await pool.query('SELECT * FROM notifications ORDER BY no');
      expect((await told()).toSorted()).toEqual(['MarketOfferReceived alice', 'MarketOfferReceived dave']);
      await chain.grow(after(scriptAt(4n)).events, 5n);
      const { rows: now } = await pool.query('SELECT owner FROM balances WHERE quantity > 0 ORDER BY owner');
      expect(now.map(({ owner }) => nameOf(owner as string))).not.toContain('dave');
      // Another offer is told by what they have now.
      await chain.grow(scriptAt(6n).offered('2', { items: [multi(token, 1n)] }).events, 6n);
      await readAll(store);
      expect((await told()).slice(2)).toContain('MarketOfferReceived carol');
      expect((await told()).slice(2)).not.toContain('MarketOfferReceived dave');
      const all = await rows();
      expect((await pool.query('SELECT * FROM notifications ORDER BY no LIMIT 2')).rows).toEqual(first.rows);
      await pool.query('UPDATE subscriptions SET feed_no = 0; DELETE FROM notification_outbox');
      await readAll(store);
      expect(await rows()).toEqual(all);
      expect(await store.outgoing(10)).toEqual([]);
      // From the beginning, after all of it happened.
      await pool.query('TRUNCATE notifications, notification_outbox, subscriptions');
      await readAll(await openTold(pool));
      expect(await rows()).toEqual(all);
    },
  );

  it('tells the seller whose listing was one half of a match, with the price of the listing', async () => {
    const script = createMarketScript().listed('1').nextBlock().filled('1', { isSale: false, buyer: null });
    await chain.grow(script.events, 5n);
    await readAll(await openTold(pool));
    expect(await told()).toEqual(['MarketOrderFilled alice']);
    expect((await rows())[0]?.price).toBe('100');
  });
});

describe('when', () => {
  it('at once: what a reorg takes back is retracted, and told again under the same id with the next revision (R11)', async () => {
    const script = trades();
    await chain.grow(script.events, 5n);
    const store = await openTold(pool);
    await readAll(store);
    const before = await rows();
    await chain.takeBackAfter(2n);
    await readAll(store);
    expect(await told()).toEqual(['MarketOfferReceived alice', 'MarketOrderFilled alice']);
    expect((await rows()).at(-1)).toMatchObject({
      kind: 'MarketOfferAccepted',
      revision: 2,
      retracted: true,
    });
    await chain.grow(script.events, 5n);
    await readAll(store);
    const after = await rows();
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    expect(after.map(({ revision }) => revision)).toEqual([1, 1, 3]);
    expect(after.some(({ retracted }) => retracted)).toBe(false);
  });

  it('when final: nobody is ever told of what was rolled back before', async () => {
    const script = trades();
    await chain.grow(script.events.slice(0, 4), 2n);
    await chain.grow(script.events, 5n);
    await chain.finalize(1n);
    const store = await openTold(pool);
    let looks = 0;
    const position = (): ReturnType<typeof store.position> => {
      looks++;
      return store.position();
    };
    const reader = notifier({ ...store, position }, { when: 'final' });
    // The first range ends with an event that is not final: it waits.
    await until(() => looks > 2);
    expect(await rows()).toEqual([]);
    await chain.finalize(2n);
    await until(async () => (await rows()).length === 2);
    await chain.takeBackAfter(2n);
    await until(() => reader.stats.behind === 0);
    await chain.grow([], 9n);
    await chain.finalize(9n);
    await until(async () => (await store.position()).afterFeedNo === (await store.position()).lastFeedNo);
    await reader.stop();
    expect((await rows()).map(({ kind, revision }) => [kind, revision])).toEqual([
      ['MarketOfferReceived', 1],
      ['MarketOrderFilled', 1],
    ]);
  });

  it('from now on: nothing of a history that is read later than it happened, and everything that happens afterwards', async () => {
    const store = await openTold(pool, { from: 'now' });
    const { sinceUs } = await store.position();
    await chain.grow(trades().events, 5n);
    await readAll(store);
    expect(await rows()).toEqual([]);
    // The chain's blocks are 12 s apart: this one is of the minute after the start.
    const position = ((sinceUs as bigint) - 1_600_000_000_000_000n) / 12_000_000n + 5n;
    await chain.grow(trades(position).events, position + 5n);
    await readAll(store);
    expect(await told()).toHaveLength(3);
    // Found later, of long ago.
    await late(trades(20n).events.slice(3));
    await readAll(store);
    expect(await rows()).toHaveLength(3);
  });

  it('from a moment on; the setting counts at the first start alone', async () => {
    await chain.grow(trades().events, 5n);
    const second = 1_600_000_000_000_000n + 2n * 12_000_000n;
    await readAll(await openTold(pool, { from: second }));
    expect(await told()).toEqual(['MarketOrderFilled alice', 'MarketOfferAccepted bob']);
    expect((await (await openTold(pool, { from: 'beginning' })).position()).sinceUs).toBe(second);
  });

  it('not again when the whole feed is read again', async () => {
    await chain.grow(trades().events, 5n);
    const store = await openTold(pool);
    await readAll(store);
    const before = await pool.query('SELECT * FROM notifications ORDER BY no');
    await pool.query(`UPDATE subscriptions SET feed_no = 0; DELETE FROM notification_outbox`);
    await readAll(store);
    expect((await pool.query('SELECT * FROM notifications ORDER BY no')).rows).toEqual(before.rows);
    expect(await store.outgoing(10)).toEqual([]);
  });
});

async function late(inserted: MarketScript['events'], replaced: MarketScript['events'] = []): Promise<void> {
  const { epoch } = await chain.store.progress();
  await applyLateChange(
    { store: chain.store, observer: MARKET_OBSERVER, logger: silentLogger },
    { epoch, blocks: [], inserted, replaced, retracted: [], discovered: [] },
  );
}

describe('late knowledge and parked aggregates', () => {
  it('tells what a late event makes of the later ones, and retracts what it makes untrue', async () => {
    const script = createMarketScript().listed('1', { maker: ALICE }).nextBlock().filled('1');
    const [listed, filled] = script.events as [MarketScript['events'][0], MarketScript['events'][0]];
    await chain.grow([filled], 5n);
    const store = await openTold(pool);
    await readAll(store);
    expect(await told()).toEqual([]);
    await late([listed]);
    await readAll(store);
    expect(await told()).toEqual(['MarketOrderFilled alice']);
    await late([], [{ ...listed, data: { ...listed.data, maker: CAROL } } as typeof listed]);
    await readAll(store);
    expect((await rows()).map(({ receiver, retracted }) => [nameOf(receiver), retracted])).toEqual(
      [
        ['alice', true],
        ['carol', false],
      ].sort(),
    );
  });

  it('tells what a parked aggregate did when it is released, not before', async () => {
    const script = createMarketScript();
    curation(script, 'pending');
    await chain.grow(script.events, 1n);
    const more = scriptAt(2n);
    curation(more, 'accepted');
    await pool.query(
      `INSERT INTO park_markers (subject, aggregate_type, aggregate_id, from_seq_no, code, message)
       VALUES (1, 'curation-offer', '${MARKET}:9', ${more.events[0]?.seqNo}, 'SPEC', 'as if it had failed')`,
    );
    await chain.grow(more.events, 3n);
    const store = await openTold(pool);
    await readAll(store);
    expect(await told()).toEqual(['CurationOfferReceived alice']);
    await retryParked(
      { store: chain.store, observer: MARKET_OBSERVER, logger: silentLogger },
      { aggregateType: 'curation-offer', aggregateId: `${MARKET}:9`, actedBy: 'me', reason: 'spec' },
    );
    await readAll(store);
    expect(await told()).toEqual(['CurationOfferReceived alice', 'CurationOfferAccepted carol']);
  });
});

describe('crashes', () => {
  /** A store and lists that die at the n-th thing they do: before it, or after it was done. */
  function dying(
    store: NotificationStore,
    feed: FeedReader,
    lists: NotifierOptions['lists'],
    at: number,
    after: boolean,
  ) {
    let done = 0;
    let died = false;
    const step = async <T>(work: () => Promise<T>): Promise<T> => {
      const mine = ++done;
      if (died || (mine === at && !after)) throw dead();
      const result = await work();
      if (mine === at) throw dead();
      return result;
    };
    const dead = (): Error => {
      died = true;
      // Of disposition stop: as a kill, it ends the reader where it is.
      return Object.assign(new KilledError(), {});
    };
    return {
      hasDied: () => died,
      store: {
        ...store,
        position: () => step(() => store.position()),
        skip: (...args: Parameters<NotificationStore['skip']>) => step(() => store.skip(...args)),
        wanted: (...args: Parameters<NotificationStore['wanted']>) => step(() => store.wanted(...args)),
        reconcile: (...args: Parameters<NotificationStore['reconcile']>) =>
          step(() => store.reconcile(...args)),
        outgoing: (...args: Parameters<NotificationStore['outgoing']>) => step(() => store.outgoing(...args)),
        pushed: (...args: Parameters<NotificationStore['pushed']>) => step(() => store.pushed(...args)),
      },
      feed: { readFeed: (...args: Parameters<FeedReader['readFeed']>) => step(() => feed.readFeed(...args)) },
      lists:
        lists === null
          ? null
          : { push: (messages: readonly NotificationMessage[]) => step(() => lists.push(messages)) },
    };
  }

  it('killed between any two steps, it ends with the rows of a straight run, and every one was pushed (E1)', async () => {
    const script = trades();
    const live = async (): Promise<void> => {
      await chain.grow(script.events.slice(0, 3), 1n);
      await chain.grow(script.events, 5n);
      await chain.takeBackAfter(2n);
      await chain.grow(script.events, 5n);
    };
    await live();
    const straight = new Map<string, number>();
    await readAll(await openTold(pool), { lists: remembering(straight) });
    const expected = await rows();
    expect(expected).toHaveLength(3);
    for (let at = 1, died = true; died; at++) {
      for (const after of [false, true]) {
        await pool.query('TRUNCATE notifications, notification_outbox, subscriptions');
        const store = await openTold(pool);
        const newest = new Map<string, number>();
        const parts = dying(store, chain.store, remembering(newest), at, after);
        const over = notifier(parts.store as NotificationStore, {
          feed: parts.feed,
          lists: parts.lists,
          leaseMs: 1_000,
        });
        await Promise.race([
          over.run.catch(() => undefined),
          until(
            async () => (await store.position()).afterFeedNo === 4n && (await store.outgoing(1)).length === 0,
          ),
        ]);
        await over.stop().catch(() => undefined);
        died = parts.hasDied();
        await pool.query(`UPDATE subscriptions SET expires_at = now()`);
        await readAll(store, { lists: remembering(newest) });
        expect(await rows()).toEqual(expected);
        expect(newest).toEqual(new Map(expected.map(({ id, revision }) => [id, revision])));
      }
      expect(at).toBeLessThan(100);
    }
  });

  const remembering = (newest: Map<string, number>) => ({
    push: (messages: readonly NotificationMessage[]) => {
      for (const { id, revision } of messages) newest.set(id, Math.max(revision, newest.get(id) ?? 0));
      return Promise.resolve(true);
    },
  });

  it('of two processes one reads, the other takes over when it is silent, and a paused one cannot write any more (E8)', async () => {
    await chain.grow(trades().events.slice(0, 3), 1n);
    const store = await openTold(pool);
    let goOn: () => void = () => undefined;
    const resumed = new Promise<void>((resolve) => (goOn = resolve));
    let paused = false;
    let outcome: Awaited<ReturnType<NotificationStore['reconcile']>> | undefined;
    const halting: NotificationStore = {
      ...store,
      // As a process that is stopped: it renews no more, and holds its write back.
      leases: { ...store.leases, renew: (...args) => resumed.then(() => store.leases.renew(...args)) },
      async reconcile(...args) {
        paused = true;
        await resumed;
        outcome = await store.reconcile(...args);
        return outcome;
      },
    };
    const first = notifier(halting, { leaseMs: 1_000 });
    await until(() => paused);
    const second = notifier(store, { leaseMs: 1_000 });
    await until(() => second.stats.told === 1);
    goOn();
    await chain.grow(trades().events, 5n);
    await until(() => second.stats.told === 3);
    await until(() => outcome !== undefined);
    expect(outcome).toBeNull();
    expect((await rows()).map(({ revision }) => revision)).toEqual([1, 1, 1]);
    await second.stop();
    await first.stop();
  });
});

class KilledError extends Error {
  readonly code = 'KILLED';
}

/** The lists of one Redis, as the program writes them and as anybody reads them. */
interface Lists {
  readonly link: RedisLink;
  readonly client: Redis;
  of(receiver: string): Promise<readonly NotificationMessage[]>;
  close(): void;
}

function openLists(url: string): Lists {
  const link = createRedisLink({
    url,
    timeoutMs: 1_000,
    restMs: 10,
    logger: silentLogger,
    now: () => performance.now(),
  });
  const client = new Redis(url, { retryStrategy: () => 10 });
  client.on('error', () => undefined);
  return {
    link,
    client,
    of: async (receiver) =>
      (await client.lrange(notificationListKey(receiver), 0, -1)).map(
        (text) => JSON.parse(text) as NotificationMessage,
      ),
    close() {
      link.close();
      client.disconnect();
    },
  };
}

describeWithRedis('the lists in Redis', () => {
  let redis: TestRedisDatabase;
  let lists: Lists;

  beforeAll(async () => {
    redis = await openTestRedis();
  });
  afterAll(() => redis?.stop());
  beforeEach(async () => {
    await redis.clear();
    lists = openLists(redis.url);
  });
  afterEach(() => lists.close());

  it('have what was told, newest first, as the original had it, and are no longer than they may be', async () => {
    const script = createMarketScript().minted(ALICE);
    for (let i = 1; i <= 12; i++)
      script
        .nextBlock()
        .listed(`${i}`)
        .filled(`${i}`, { price: BigInt(i) });
    await chain.grow(script.events, 30n);
    await readAll(await openTold(pool), { lists: createNotificationLists(lists.link, 10) });
    const messages = await lists.of(ALICE);
    expect(messages.map(({ detail }) => detail['price'])).toEqual([
      '12',
      '11',
      '10',
      '9',
      '8',
      '7',
      '6',
      '5',
      '4',
      '3',
    ]);
    expect(messages[0]).toMatchObject({
      receiver: ALICE,
      type: 'MarketOrderFilled',
      title: 'Your order has been filled',
      content: 'From imart',
      unread: true,
      retracted: false,
      revision: 1,
      detail: { chain: 'eip155:31337', orderId: '12' },
    });
    expect(await lists.client.ttl(notificationListKey(ALICE))).toBeGreaterThan(2_000_000);
    expect((await rows()).map(({ id }) => id)).toContain(messages[0]?.id);
  });

  it('are told of a retraction', async () => {
    const store = await openTold(pool);
    const pushed = createNotificationLists(lists.link, 100);
    await chain.grow(trades().events, 5n);
    await readAll(store, { lists: pushed });
    await chain.takeBackAfter(2n);
    await readAll(store, { lists: pushed });
    expect(
      (await lists.of(BOB)).map(({ revision, retracted, unread }) => [revision, retracted, unread]),
    ).toEqual([
      [2, true, false],
      [1, false, true],
    ]);
  });
});

describeWithOwnRedis('the lists in a Redis that goes away', () => {
  it('get everything that was told while Redis was away, when it is back; the rows never wait for it (E24)', async () => {
    const redis = await startTestRedis();
    const lists = openLists(redis.url);
    try {
      const store = await openTold(pool);
      const reader = notifier(store, { lists: createNotificationLists(lists.link, 100) });
      await chain.grow(trades().events.slice(0, 3), 1n);
      await until(async () => (await lists.of(ALICE)).length === 1);
      await redis.kill();
      await chain.grow(trades().events, 5n);
      await until(async () => (await rows()).length === 3);
      await until(() => reader.stats.pushFailures > 0);
      await redis.restart();
      await until(async () => lists.client.status === 'ready' && (await lists.of(BOB)).length === 1);
      expect((await lists.of(ALICE)).map(({ type }) => type)).toEqual(['MarketOrderFilled']);
      // Emptied, the lists begin anew; what was told stays in the table.
      await lists.client.flushall();
      await chain.grow(trades(20n).events, 25n);
      await until(async () => (await lists.of(BOB)).length === 1);
      expect(await rows()).toHaveLength(6);
      await reader.stop();
    } finally {
      lists.close();
      await redis.stop();
    }
  });
});

it('a push that fails keeps nothing back', async () => {
  await chain.grow(trades().events, 5n);
  const reader = notifier(await openTold(pool), { lists: LISTS_AWAY });
  await until(async () => (await rows()).length === 3 && reader.stats.pushFailures > 1);
  await reader.stop();
});
