import { UNDECODABLE, UNDECODABLE_AGGREGATE, type Event } from '@imart/core';
import { AGGREGATE } from '@imart/market';
import type { SubjectStore } from '@imart/pipeline';
import {
  blockSeqNo,
  address,
  ALICE,
  append,
  BOB,
  catchUpWith,
  contentsOfStraightFold,
  createMarketScript,
  executeLanes,
  marketOfEverything,
  MULTIPLE,
  SUBJECT,
  wholeRange,
  type MarketScript,
} from '@imart/testing';
import { createMarketDatabase, type MarketDatabase } from '../testing/marketDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';

let server: TestServer;
let market: MarketDatabase;
let store: SubjectStore;

beforeAll(async () => {
  server = await startTestServer();
  market = await createMarketDatabase(server);
});
afterAll(async () => {
  await market?.close();
  await server?.stop();
});
beforeEach(async () => {
  await market.clear();
  store = await market.open(SUBJECT, 1);
});

async function executed(script: MarketScript): Promise<void> {
  await append(store, wholeRange(script.events));
  await executeLanes(store);
}

async function rowsOf(sql: string): Promise<unknown[]> {
  return (await market.pool.query(sql)).rows;
}

const MAX = 2n ** 256n - 1n;
const MAX_TEXT = '115792089237316195423570985008687907853269984665640564039457584007913129639935';

describe('text', () => {
  const named = (name: string): MarketScript =>
    createMarketScript().event(AGGREGATE.collection, address('c'), 'CollectionCreated', {
      standard: 'erc721',
      creator: ALICE,
      name,
      category: name,
      tags: [name],
      description: name,
      uri: name,
      royalties: [],
      maximum: null,
      nameBytes: null,
    });

  it.each([
    ['backslashes', 'a\\b\\\\n\\N\\.'],
    ['only the sign of NULL', '\\N'],
    ['only the end of a COPY', '\\.'],
    ['tabs, newlines and returns', 'a\tb\nc\rd\r\ne\v\f\b'],
    ['quotes and braces', `'"{}$1;--/*`],
    ['other scripts and pictures', 'é 漢字 🖼️ \u202e \u2028'],
    ['nothing', ''],
    ['256 KiB', 'x\\\t'.repeat(87_381)],
    ['much of all of them', `\\N\t\n\r\n'"{}$1;--\\.é漢`.repeat(10_000)],
  ])('of %s is stored as it is (D1)', async (_what, name) => {
    await executed(named(name));
    expect(
      await rowsOf('SELECT name, category, description, uri, tags::json->>0 AS tag FROM collections'),
    ).toEqual([{ name, category: name, description: name, uri: name, tag: name }]);
    const [event] = await store.transaction((tx) => tx.readRun(0, -1n as never, blockSeqNo.last(9n), 9));
    expect(event?.data).toMatchObject({ name, tags: [name] });
  });

  it.each([
    ['a NUL', 'a\0b', 'a\ufffdb'],
    ['lone surrogates', 'a\ud800b\udc00', 'a\ufffdb\ufffd'],
  ])(
    'with %s gets a replacement character in rows, and keeps it in the log (D1)',
    async (_what, name, stored) => {
      await executed(named(name));
      expect(await rowsOf('SELECT name, category, description, uri FROM collections')).toEqual([
        { name: stored, category: stored, description: stored, uri: stored },
      ]);
      const [event] = await store.transaction((tx) => tx.readRun(0, -1n as never, blockSeqNo.last(9n), 9));
      expect(event?.data).toMatchObject({ name, tags: [name] });
      expect(await append(store, wholeRange(named(name).events))).toEqual({ kind: 'already-there' });
    },
  );

  it('that could not be decoded is parked with its reason, NUL or not (D1)', async () => {
    const [event] = createMarketScript().listed('1').events;
    const undecodable = {
      ...event,
      aggregateType: UNDECODABLE_AGGREGATE,
      aggregateId: String(event?.seqNo),
      name: UNDECODABLE,
      data: { reason: 'of \0 and \ud800', raw: '{"\\u0000":"\0"}' },
    } as Event;
    await append(store, wholeRange([undecodable]));
    await executeLanes(store);
    expect(await store.parked()).toMatchObject([{ code: 'UNDECODABLE', message: 'of \ufffd and \ufffd' }]);
    expect(await store.transaction((tx) => tx.readRun(0, -1n as never, blockSeqNo.last(9n), 9))).toEqual([
      undecodable,
    ]);
  });
});

describe('quantities', () => {
  it('of the largest uint256 are exact as price, token id, nonce and amount (D2)', async () => {
    await executed(
      createMarketScript()
        .listed('1', {
          price: MAX,
          nonce: MAX,
          items: [{ collection: MULTIPLE, tokenId: MAX, quantity: MAX, standard: 'erc1155' }],
        })
        .filled('1', { price: MAX - 1n })
        .minted(ALICE, MAX)
        .voided(BOB, { belowNonce: MAX })
        .received(BOB, ALICE, MAX, MAX),
    );
    expect(
      await rowsOf(
        'SELECT price::text, nonce::text, token_id::text, quantity::text, filled_quantity::text FROM orders',
      ),
    ).toEqual([
      { price: MAX_TEXT, nonce: MAX_TEXT, token_id: MAX_TEXT, quantity: MAX_TEXT, filled_quantity: MAX_TEXT },
    ]);
    expect(await rowsOf(`SELECT price::text, token_id::text FROM activities WHERE kind = 'SALE'`)).toEqual([
      { price: `${MAX_TEXT.slice(0, -1)}4`, token_id: MAX_TEXT },
    ]);
    expect(await rowsOf('SELECT token_id::text FROM tokens')).toEqual([{ token_id: MAX_TEXT }]);
    expect(await rowsOf('SELECT listings_voided_below::text AS n FROM makers')).toEqual([{ n: MAX_TEXT }]);
    expect(await rowsOf('SELECT token_id::text, quantity::text FROM balances')).toEqual([
      { token_id: MAX_TEXT, quantity: MAX_TEXT },
    ]);
  });

  it.each([2n ** 63n - 1n, 2n ** 63n, 2n ** 63n + 1n, 2n ** 64n - 1n])(
    'of the u64 %s are exact in rows, activities, the log and states (D3, D4)',
    async (n) => {
      const script = createMarketScript()
        .listed('1', {
          price: n,
          nonce: n,
          items: [{ collection: MULTIPLE, tokenId: n, quantity: n, standard: 'erc1155' }],
        })
        .received(BOB, ALICE, n, n)
        .event(AGGREGATE.collection, address('c'), 'CollectionCreated', {
          standard: 'erc721',
          creator: ALICE,
          name: 'c',
          category: '',
          tags: [],
          description: '',
          uri: '',
          royalties: [{ payee: ALICE, rate: n }],
          maximum: n,
          nameBytes: null,
        });
      await executed(script);
      const text = n.toString();
      const all = { price: text, nonce: text, token_id: text, quantity: text };
      expect(
        await rowsOf('SELECT price::text, nonce::text, token_id::text, quantity::text FROM orders'),
      ).toEqual([all]);
      expect(
        await rowsOf(
          `SELECT price::text, token_id::text, quantity::text FROM activities WHERE kind = 'LIST'`,
        ),
      ).toEqual([{ price: text, token_id: text, quantity: text }]);
      expect(await rowsOf('SELECT token_id::text, quantity::text FROM balances')).toEqual([
        { token_id: text, quantity: text },
      ]);
      expect(await rowsOf('SELECT maximum::text FROM collections')).toEqual([{ maximum: text }]);
      expect(await store.transaction((tx) => tx.readRun(0, -1n as never, blockSeqNo.last(9n), 9))).toEqual(
        script.events,
      );
      const [listing] = (await store.loadStates([script.events[0]!])).values();
      expect(listing).toMatchObject({ row: { price: n, nonce: n, quantity: n } });
    },
  );

  it('of a balance go below zero and beyond one uint256 (D2)', async () => {
    const script = createMarketScript();
    for (let i = 0; i < 8; i++) script.sent(ALICE, BOB, 1n, MAX).received(BOB, ALICE, 1n, MAX);
    await executed(script);
    expect(await rowsOf('SELECT quantity::text FROM balances ORDER BY quantity')).toEqual([
      { quantity: String(-8n * MAX) },
      { quantity: String(8n * MAX) },
    ]);
  });
});

describe('times', () => {
  const YEAR_10000_US = 253_402_300_800_000_000n;

  it.each([
    ['a microsecond', 1_700_000_000_123_457n, '2023-11-14 22:13:20.123457'],
    ['the beginning of time', 0n, '1970-01-01 00:00:00'],
    ['the last moment of the year 9999', YEAR_10000_US - 1n, '9999-12-31 23:59:59.999999'],
    // What a start beyond the calendar becomes: the worker stood still on it.
    ['the first moment of the year 10000', YEAR_10000_US, '10000-01-01 00:00:00'],
  ])('of %s are exact (D10)', async (_what, us, text) => {
    await executed(createMarketScript().listed('1', { startsAtUs: us, expiresAtUs: us }));
    expect(
      await rowsOf(
        `SELECT (starts_at AT TIME ZONE 'UTC')::text AS starts, (expires_at AT TIME ZONE 'UTC')::text AS expires FROM orders`,
      ),
    ).toEqual([{ starts: text, expires: text }]);
    const [event] = createMarketScript().listed('1').events;
    const [state] = (await store.loadStates([event!])).values();
    expect(state).toMatchObject({ row: { startsAtUs: us, expiresAtUs: us } });
  });
});

describe('activities', () => {
  it('say where on the chain they come from', async () => {
    const { events } = marketOfEverything();
    await append(store, wholeRange(events));
    await executeLanes(store);
    const rows = (await rowsOf(
      `SELECT seq_no, block_number, log_index, tx_hash, (extract(epoch FROM block_time) * 1000000)::bigint AS us FROM activities`,
    )) as Record<string, unknown>[];
    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) {
      const source = events.find(({ seqNo }) => String(seqNo) === row['seq_no'])?.source;
      expect(row).toMatchObject({
        block_number: String(source?.position),
        log_index: source?.index,
        tx_hash: source?.txHash,
        us: String(source?.timeUs),
      });
    }
  });
});

describe('a run of 20,000 events', () => {
  const script = createMarketScript();
  for (let i = 0; i < 10_000; i++) {
    script.listed(String(i), { price: BigInt(i) });
    if (i % 100 === 99) script.nextBlock();
  }
  for (let i = 0; i < 10_000; i++) {
    script.filled(String(i));
    if (i % 100 === 99) script.nextBlock();
  }
  const { events } = script;

  it.each(['catching up', 'by its lane'] as const)(
    'fits into one transaction, %s (Q16, Q17)',
    async (how) => {
      const before = await rowsOf(`SELECT count(*)::int AS n FROM orders`);
      expect(before).toEqual([{ n: 0 }]);
      if (how === 'catching up') {
        await catchUpWith(store, [wholeRange(events)], 20_000);
      } else {
        await append(store, wholeRange(events));
        await executeLanes(store, undefined, 20_000);
      }
      expect(
        await rowsOf(
          `SELECT count(*)::int AS n, sum(price)::int AS price, count(DISTINCT xmin::text)::int AS transactions,
           count(*) FILTER (WHERE status = 'SOLD')::int AS sold FROM orders`,
        ),
      ).toEqual([{ n: 10_000, price: 49_995_000, transactions: 1, sold: 10_000 }]);
      expect(await rowsOf('SELECT count(*)::int AS n FROM event_log')).toEqual([{ n: 20_000 }]);
      const keys = events.slice(0, 10_000);
      expect((await store.loadStates(keys)).size).toBe(10_000);
      const { activities } = await contentsOfStraightFold(events.slice(0, 50));
      expect((await market.contents(SUBJECT)).activities.slice(0, 50)).toEqual(activities);
    },
  );
});
