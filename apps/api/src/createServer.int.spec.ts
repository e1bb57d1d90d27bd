import { createMetrics, silentLogger } from '@imart/runtime';
import { createReadDatabase, type ReadDatabase } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { createServer } from './createServer';
import { createApiDatabase, type ApiDatabase } from './testing/apiDatabase';
import {
  address,
  BUYER,
  COLLECTION,
  HASH,
  MARKET,
  MULTI,
  NATIVE,
  SEAPORT,
  seedMarket,
  SELLER,
  seqNo,
  UINT256_MAX,
  WETH,
} from './testing/seedMarket';
import { seqNosOf } from './seqNosOf';

let database: ApiDatabase;
let db: ReadDatabase;
let app: FastifyInstance;
let origin: string;

/** Listens on a free port: the spec asks as any client does. */
async function serve(reads: ReadDatabase): Promise<{ server: FastifyInstance; origin: string }> {
  const server = await createServer({
    db: reads,
    logger: silentLogger,
    metrics: createMetrics({ processMetrics: false }),
  });
  return { server, origin: await server.listen({ host: '127.0.0.1', port: 0 }) };
}

beforeAll(async () => {
  database = await createApiDatabase();
  await seedMarket(database);
  db = createReadDatabase({ seqNosOf, connectionString: database.url });
  ({ server: app, origin } = await serve(db));
});

afterAll(async () => {
  await app?.close();
  await db?.close();
  await database?.stop();
});

/** An answer as a spec reads it. */
interface Answer {
  readonly status: number;
  // The bodies are what the specs are about: their shape is checked by what is expected of them.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

async function get(path: string, base = origin): Promise<Answer> {
  const answer = await fetch(`${base}${path}`);
  const text = await answer.text();
  const json = /^application\/json/.test(String(answer.headers.get('content-type')));
  return { status: answer.status, body: json ? JSON.parse(text) : text };
}

async function ok(url: string): Promise<Answer['body']> {
  const { status, body } = await get(url);
  expect({ url, status, error: body.error }).toEqual({ url, status: 200, error: undefined });
  return body;
}

const ids = (body: { items: { orderId: string }[] }): string[] => body.items.map((item) => item.orderId);

describe('GET /v1/orders', () => {
  it('gives a listing whole, amounts of 256 bits exact (D2)', async () => {
    expect((await ok(`/v1/orders?subject=eip155:1&orderId=1&status=SOLD`)).items).toEqual([
      {
        subject: 'eip155:1',
        contract: MARKET,
        orderId: '1',
        openedSeqNo: seqNo(3),
        market: 'imart',
        kind: 'fixed',
        status: 'SOLD',
        state: 'SOLD',
        reservedFor: null,
        collection: COLLECTION,
        tokenId: '1',
        standard: 'erc721',
        quantity: '1',
        filledQuantity: '0',
        remainingQuantity: '1',
        price: UINT256_MAX,
        unitPrice: UINT256_MAX,
        currency: NATIVE,
        nonce: null,
        orderHash: null,
        escrow: false,
        startsAt: null,
        expiresAt: null,
        items: null,
        createdAt: '2024-01-01T00:00:00.000000Z',
        updatedAt: '2024-01-01T00:00:00.000000Z',
        seqNo: seqNo(1),
        seller: SELLER,
        buyer: BUYER,
      },
    ]);
  });

  const filters: readonly [string, string[]][] = [
    ['subject=eip155:10', ['1']],
    ['market=seaport-1.5', [HASH]],
    [`contract=${SEAPORT}`, [HASH]],
    [`subject=eip155:1&orderId=1`, ['1', '1']],
    [`orderId=${HASH.toUpperCase()}`, [HASH]],
    [`collection=${COLLECTION}&tokenId=2`, ['3']],
    [`buyer=${BUYER}`, ['1']],
    ['status=SOLD&status=CANCELED', ['1', '1']],
    ['state=EXPIRED', ['2']],
    ['state=UNFILLABLE', ['3']],
    ['state=EXPIRED&state=UNFILLABLE&state=SOLD', ['3', '2', '1']],
    [`seller=${BUYER}`, []],
    [`currency=${WETH}&status=LISTING`, ['109', '106', '103', '100']],
  ];
  it.each(filters)('filters by %s', async (query, expected) => {
    expect(ids(await ok(`/v1/orders?${query}`))).toEqual(expected);
  });

  it('filters by FILLED: open, and nothing of it is left', async () => {
    const row = `WHERE subject = 1 AND order_id = '111'`;
    await database.run(`UPDATE orders SET filled_quantity = quantity ${row}`);
    try {
      const { items } = await ok('/v1/orders?state=FILLED');
      expect(items).toMatchObject([{ orderId: '111', status: 'LISTING', remainingQuantity: '0' }]);
      expect(ids(await ok('/v1/orders?state=LISTING&limit=100'))).not.toContain('111');
    } finally {
      await database.run(`UPDATE orders SET filled_quantity = 0 ${row}`);
    }
  });

  it('takes addresses in any case and answers in lower case (D5)', async () => {
    const checksummed = `0X${SELLER.slice(2).toUpperCase()}`;
    const { items } = await ok(`/v1/orders?seller=${checksummed}&subject=eip155:1`);
    expect(items).toHaveLength(17);
    expect(items[0].seller).toBe(SELLER);
  });

  it('sorts by price within each currency, and puts what has no price last', async () => {
    const { items } = await ok('/v1/orders?sort=price&subject=eip155:1&status=LISTING');
    const keys = items.map((item: { currency: string; unitPrice: string }) => [
      item.currency,
      item.unitPrice,
    ]);
    expect(keys.slice(0, 3)).toEqual([
      [NATIVE, '100'],
      [NATIVE, '100'],
      [NATIVE, '989'],
    ]);
    expect(keys.slice(-3)).toEqual([
      [WETH, '997'],
      [WETH, '1000'],
      [null, null],
    ]);
  });

  it('shows the items of a bundle', async () => {
    const order = await ok(`/v1/orders/eip155:1/${SEAPORT}/${HASH}`);
    expect(order).toMatchObject({ collection: null, price: null, unitPrice: null, quantity: '3' });
    expect(order.items[1]).toEqual({
      collection: MULTI,
      tokenId: UINT256_MAX,
      quantity: '2',
      standard: 'erc1155',
    });
  });

  it('gives the newest listing of an id, with the subject encoded or not', async () => {
    const plain = await ok(`/v1/orders/eip155:1/${MARKET}/1`);
    expect(plain).toMatchObject({ status: 'SOLD', openedSeqNo: seqNo(3) });
    expect(await ok(`/v1/orders/eip155%3A1/${MARKET}/1`)).toEqual(plain);
  });
});

describe('GET /v1/offers', () => {
  it('lists, filters and finds', async () => {
    expect(ids(await ok('/v1/offers'))).toEqual(['3', '2', '1']);
    expect(ids(await ok(`/v1/offers?bidder=${BUYER}&state=CREATED&sort=price`))).toEqual(['1', '2']);
    expect(ids(await ok(`/v1/offers?collection=${COLLECTION}&tokenId=1&status=ACCEPTED`))).toEqual(['3']);
    expect(await ok(`/v1/offers/eip155:1/${MARKET}/2`)).toMatchObject({
      tokenId: null,
      price: UINT256_MAX,
      bidder: BUYER,
      seller: null,
      state: 'CREATED',
    });
  });
});

describe('GET /v1/activities', () => {
  const places = async (query: string): Promise<string[]> =>
    (await ok(`/v1/activities?${query}`)).items.map(
      (item: { subject: string; blockNumber: string; item: number }) =>
        `${item.subject.slice(7)}/${item.blockNumber}/${item.item}`,
    );

  const filters: readonly [string, string[]][] = [
    ['', ['10/5/0', '1/51/0', '1/50/1', '1/50/0', '1/40/0', '1/30/0', '1/20/0', '1/10/0']],
    ['kind=TRANSFER', ['1/51/0']],
    [`collection=${COLLECTION}&tokenId=2`, ['1/50/1']],
    [`subject=eip155:1&account=${BUYER}&kind=TRANSFER`, ['1/51/0']],
    [`account=${address('77')}`, []],
    ['subject=eip155:1&since=2024-01-05', ['1/51/0', '1/50/1', '1/50/0']],
    ['since=2024-01-02&until=2024-01-03T00:00:00Z', ['10/5/0', '1/20/0']],
    ['until=2024-01-02T00:00:00%2B00:00', ['1/10/0']],
    ['since=2030-01-01', []],
    ['until=2020-01-01', []],
    [`market=imart&orderId=3&contract=${MARKET}`, ['1/30/0']],
  ];
  it.each(filters)('filters by %s', async (query, expected) => {
    expect(await places(query)).toEqual(expected);
  });

  it('gives prices of 256 bits exactly, and what a transfer does not have as null', async () => {
    const { items } = await ok('/v1/activities?subject=eip155:1&kind=SALE&since=2024-01-04&until=2024-01-05');
    expect(items).toMatchObject([
      { price: UINT256_MAX, from: SELLER, to: BUYER, seqNo: seqNo(40), itemCount: 1 },
    ]);
    const { items: transfers } = await ok('/v1/activities?kind=TRANSFER');
    expect(transfers[0]).toMatchObject({ market: null, price: null, currency: null, side: null });
  });
});

describe('GET /v1/tokens', () => {
  it('lists by collection and id, ERC-1155 among them', async () => {
    const { items } = await ok('/v1/tokens');
    expect(items.map((t: { collection: string; tokenId: string }) => [t.collection, t.tokenId])).toEqual([
      [MULTI, '7'],
      [COLLECTION, '1'],
      [COLLECTION, '2'],
      [COLLECTION, UINT256_MAX],
    ]);
  });

  it('filters by owner: tokens owned alone, and ERC-1155 tokens held', async () => {
    const { items } = await ok(`/v1/tokens?owner=${SELLER}`);
    expect(items.map((t: { tokenId: string }) => t.tokenId)).toEqual(['7', '1']);
  });

  it('gives one token with last sale, listings and offers', async () => {
    expect(await ok(`/v1/tokens/eip155:1/${COLLECTION}/1`)).toMatchObject({
      owner: SELLER,
      ownerCount: '1',
      supply: '1',
      lastSale: { price: '10', currency: NATIVE, itemCount: 2, at: '2024-01-05T00:00:00.000000Z' },
      listings: [
        { currency: NATIVE, unitPrice: '989', orderId: '111' },
        { currency: WETH, unitPrice: '991', orderId: '109' },
      ],
      offers: [{ currency: WETH, unitPrice: UINT256_MAX, collectionOffer: true, bidder: BUYER }],
      balances: [],
    });
  });

  it('gives an ERC-1155 token with who has how much', async () => {
    const token = await ok(`/v1/tokens/eip155:1/${MULTI}/7`);
    expect(token).toMatchObject({
      standard: 'erc1155',
      owner: null,
      ownerCount: '2',
      supply: '14',
      lastSale: null,
    });
    expect(token.balances.map((b: { owner: string; quantity: string }) => [b.owner, b.quantity])).toEqual([
      [BUYER, '9'],
      [SELLER, '5'],
    ]);
    expect((await ok(`/v1/tokens/eip155:1/${MULTI}/7?limit=1`)).balances).toHaveLength(1);
  });
});

describe('GET /v1/collections', () => {
  it('lists every collection that is named, of one subject or all', async () => {
    const list = async (query: string): Promise<unknown> =>
      (await ok(`/v1/collections${query}`)).items.map((c: { subject: string; address: string }) => [
        c.subject,
        c.address,
      ]);
    const first = [
      ['eip155:1', MULTI],
      ['eip155:1', COLLECTION],
    ];
    expect(await list('')).toEqual([...first, ['eip155:10', COLLECTION]]);
    expect(await list('?subject=eip155:1')).toEqual(first);
    expect(await list('?subject=eip155:10')).toEqual([['eip155:10', COLLECTION]]);
  });

  it('gives one with floor, volume and owners, a bundle counted once', async () => {
    expect(await ok(`/v1/collections/eip155:1/${COLLECTION}`)).toMatchObject({
      standard: 'erc721',
      metadata: {
        name: 'Cof\u00e9e \u{1f600}',
        nameBytes: '0x00ff',
        tags: ['a', 'b'],
        royalties: [{ payee: SELLER, rate: '250' }],
        maximum: UINT256_MAX,
      },
      tokenCount: '3',
      ownerCount: '2',
      listedCount: '12',
      listedTokenCount: '1',
      floor: '989',
      floors: [
        { currency: NATIVE, unitPrice: '989', listedCount: '8' },
        { currency: WETH, unitPrice: '991', listedCount: '4' },
      ],
      saleCount: '5',
      volume: (BigInt(UINT256_MAX) + 16n).toString(),
      lastSaleAt: '2024-01-05T00:00:00.000000Z',
    });
    expect(await ok(`/v1/collections/eip155:1/${MULTI}`)).toMatchObject({
      standard: 'erc1155',
      metadata: null,
      tokenCount: '1',
      floor: null,
      volume: '0',
    });
  });
});

describe('GET /v1/accounts', () => {
  it('says what an account owns, lists and offers', async () => {
    const seller = await ok(
      `/v1/accounts/${SELLER.toUpperCase().replace('0X', '0x')}?subject=eip155:1&limit=2`,
    );
    expect(seller).toMatchObject({
      address: SELLER,
      tokens: { count: '1', items: [{ tokenId: '1' }] },
      balances: { count: '1', items: [{ tokenId: '7', quantity: '5' }] },
      listings: { count: '13' },
      offers: { count: '0', items: [] },
      saleCount: '5',
      purchaseCount: '0',
    });
    expect(seller.listings.items).toHaveLength(2);
    expect(await ok(`/v1/accounts/${BUYER}`)).toMatchObject({
      tokens: { count: '2' },
      offers: { count: '2' },
      purchaseCount: '6',
    });
  });
});

describe('GET /v1/status', () => {
  it('says how far each subject is', async () => {
    expect(await ok('/v1/status')).toEqual({
      subjects: [
        {
          subject: 'eip155:1',
          head: {
            position: '105',
            time: '2024-01-31T00:01:00.000000Z',
            seenAt: '2024-02-01T00:00:00.000000Z',
          },
          finalized: '90',
          ingested: '100',
          ingestedSeqNo: ((101n << 31n) - 1n).toString(),
          // The slower lane is inside block 98, so 97 is the last one that is done.
          executed: '97',
          executedSeqNo: seqNo(98, 3),
          chainTime: '2024-01-31T00:00:00.000000Z',
          lagBlocks: '8',
          lagSeconds: 60,
          executedLagSeconds: 60,
          epoch: '3',
          parkedCount: '1',
          halted: null,
          // Its worker has not been there since 2024.
          stale: 'silent',
        },
        {
          subject: 'eip155:10',
          head: null,
          finalized: null,
          ingested: null,
          ingestedSeqNo: '-1',
          executed: null,
          executedSeqNo: '-1',
          chainTime: null,
          lagBlocks: null,
          lagSeconds: null,
          executedLagSeconds: null,
          epoch: '3',
          parkedCount: '0',
          halted: null,
          stale: 'silent',
        },
      ],
      secondaryIndexes: 'pending',
    });
  });
});

describe('cursors', () => {
  const lists: readonly [string, number, (item: Record<string, unknown>) => unknown][] = [
    ['/v1/orders?', 18, (o) => [o['subject'], o['openedSeqNo']]],
    ['/v1/orders?sort=price&', 18, (o) => [o['subject'], o['openedSeqNo']]],
    [`/v1/orders?sort=price&currency=${WETH}&`, 4, (o) => o['openedSeqNo']],
    ['/v1/offers?', 3, (o) => o['openedSeqNo']],
    ['/v1/activities?', 8, (a) => [a['subject'], a['seqNo'], a['item']]],
    ['/v1/tokens?', 4, (t) => [t['collection'], t['tokenId']]],
    [`/v1/tokens?owner=${BUYER}&`, 3, (t) => [t['collection'], t['tokenId']]],
    ['/v1/collections?', 3, (c) => [c['subject'], c['address']]],
  ];
  it.each(lists)(
    'walk %s to its end: everything once, in the order of one page',
    async (url, total, keyOf) => {
      const whole = (await ok(url)).items.map(keyOf);
      expect(whole).toHaveLength(total);
      expect(new Set(whole.map(String)).size).toBe(total);
      for (const limit of [1, 2, 3, total]) {
        const walked: unknown[] = [];
        let cursor = '';
        do {
          const { items, next } = await ok(`${url}limit=${limit}${cursor}`);
          expect(items.length).toBeLessThanOrEqual(limit);
          walked.push(...items.map(keyOf));
          cursor = next === null ? '' : `&cursor=${next}`;
        } while (cursor !== '' && walked.length <= total);
        expect(walked).toEqual(whole);
      }
    },
  );

  it('of another list are refused', async () => {
    const { next } = await ok('/v1/orders?limit=1');
    for (const url of ['/v1/offers', '/v1/activities', '/v1/orders?sort=price']) {
      const { status, body } = await get(`${url}${url.includes('?') ? '&' : '?'}cursor=${next}`);
      expect([status, body.error.code, body.error.problems[0].field]).toEqual([400, 'CURSOR', 'cursor']);
    }
  });
});

describe('wrong parameters', () => {
  const wrong: readonly [string, string, RegExp][] = [
    ['/v1/orders?limit=0', 'limit', /from 1 to 500/],
    ['/v1/orders?limit=501', 'limit', /from 1 to 500/],
    ['/v1/orders?limit=ten', 'limit', /from 1 to 500/],
    ['/v1/orders?limit=1.5', 'limit', /from 1 to 500/],
    ['/v1/orders?limit=1&limit=2', 'limit', /from 1 to 500/],
    ['/v1/orders?offset=5', 'offset', /unknown parameter; allowed are subject, market/],
    ['/v1/orders?seller=0x12', 'seller', /0x and 40/],
    ['/v1/orders?seller=', 'seller', /0x and 40/],
    ['/v1/orders?status=listing', 'status', /LISTING, SOLD, CANCELED/],
    ['/v1/orders?state=SOLD&state=NOPE', 'state', /NOT_STARTED/],
    ['/v1/orders?sort=oldest', 'sort', /newest, price/],
    ['/v1/orders?subject=1', 'subject', /eip155:1/],
    ['/v1/orders?tokenId=0x1', 'tokenId', /decimal/],
    ['/v1/orders?tokenId=1', 'tokenId', /collection/],
    [`/v1/orders?tokenId=-1&collection=${address('1')}`, 'tokenId', /decimal/],
    ['/v1/orders?cursor=zzz', 'cursor', /next/],
    ['/v1/orders?cursor=%00', 'cursor', /next/],
    ['/v1/activities?kind=BUY', 'kind', /LIST, UPDATE/],
    ['/v1/activities?since=yesterday', 'since', /2024-01-31T12:00:00Z/],
    ['/v1/activities?until=2024-13-01', 'until', /2024-01-31T12:00:00Z/],
    ['/v1/tokens/eip155:1/nope/1', 'collection', /0x and 40/],
    [`/v1/tokens/eip155:1/${COLLECTION}/1?foo=1`, 'foo', /unknown parameter; allowed are limit/],
    [`/v1/collections/eip155:1/${COLLECTION}?foo=1`, 'foo', /unknown parameter; allowed are none/],
    ['/v1/accounts/vitalik.eth', 'address', /0x and 40/],
    ['/v1/status?subject=eip155:1', 'subject', /unknown parameter/],
  ];
  it.each(wrong)('%s', async (url, field, problem) => {
    const { status, body } = await get(url);
    expect([status, ['BAD_PARAMETER', 'CURSOR'].includes(body.error.code)]).toEqual([400, true]);
    expect(body.error.problems).toEqual([{ field, problem: expect.stringMatching(problem) }]);
  });

  it('are all told at once', async () => {
    const { body } = await get('/v1/orders?limit=0&seller=x&foo=1');
    expect(body.error.problems.map((p: { field: string }) => p.field).sort()).toEqual([
      'foo',
      'limit',
      'seller',
    ]);
  });
});

describe('what is not there', () => {
  const missing: readonly [string, string][] = [
    [`/v1/orders/eip155:1/${MARKET}/999`, 'NOT_FOUND'],
    [`/v1/orders/eip155:999/${MARKET}/1`, 'UNKNOWN_SUBJECT'],
    ['/v1/orders?subject=eip155:999', 'UNKNOWN_SUBJECT'],
    [`/v1/offers/eip155:1/${MARKET}/999`, 'NOT_FOUND'],
    [`/v1/tokens/eip155:1/${COLLECTION}/${'9'.repeat(78)}`, 'NOT_FOUND'],
    [`/v1/collections/eip155:1/${address('dead')}`, 'NOT_FOUND'],
    [`/v1/accounts/${address('dead')}`, 'NOT_FOUND'],
    ['/v1/nothing', 'NOT_FOUND'],
  ];
  it.each(missing)('%s', async (url, code) => {
    const { status, body } = await get(url);
    expect([status, body.error.code]).toEqual([404, code]);
  });
});

describe('input that looks like SQL', () => {
  const evil = [`1'; DROP TABLE orders; --`, `1' OR '1'='1`, '1) UNION SELECT 1', '${1+1}', '%27%22%5C'];
  it.each(evil)('%s does no harm', async (text) => {
    const encoded = encodeURIComponent(text);
    for (const url of [
      `/v1/orders?orderId=${encoded}`,
      `/v1/orders?market=${encoded}`,
      `/v1/orders/eip155:1/${MARKET}/${encoded}`,
      `/v1/orders?cursor=${Buffer.from(JSON.stringify(['orders:newest', text, text])).toString('base64url')}`,
    ]) {
      const { status, body } = await get(url);
      expect([200, 400, 404]).toContain(status);
      if (status === 200) expect(body.items).toEqual([]);
    }
    const priced = Buffer.from(JSON.stringify(['orders:price', text, '1', '1', '1'])).toString('base64url');
    expect((await get(`/v1/orders?sort=price&cursor=${priced}`)).status).toBe(200);
    expect((await ok('/v1/orders')).items).toHaveLength(18);
  });
});

describe('for whoever runs it', () => {
  it('answers health, readiness and metrics', async () => {
    expect(await ok('/healthz')).toEqual({ status: 'ok', checks: {} });
    expect(await ok('/readyz')).toEqual({ status: 'ok', checks: { database: { ok: true } } });
    const { status, body } = await get('/metrics');
    expect(status).toBe(200);
    expect(body).toContain('imart_subject_lag_blocks{subject="eip155:1"} 8');
    expect(body).toContain('imart_database_up 1');
    expect(body).toMatch(
      /imart_http_request_duration_seconds_count\{method="GET",route="\/readyz",status="200"\} \d/,
    );
  });

  it('describes every path, parameter and field of an answer at /openapi.json', async () => {
    const { status, body } = await get('/openapi.json');
    expect(status).toBe(200);
    expect(Object.keys(body.paths).sort()).toEqual(
      [
        '/healthz',
        '/metrics',
        '/readyz',
        '/v1/accounts/{address}',
        '/v1/accounts/{address}/notifications',
        '/v1/activities',
        '/v1/aggregates/{type}/{id}/events',
        '/v1/aggregates/{type}/{id}/snapshot',
        '/v1/aggregates/{type}/{id}/state',
        '/v1/claims',
        '/v1/claims/{subject}/{collection}/{tokenId}/{sender}/{receiver}',
        '/v1/collections',
        '/v1/collections/{subject}/{collection}',
        '/v1/commissions',
        '/v1/commissions/{subject}/{contract}/{galleryId}/{payee}',
        '/v1/curation-offers',
        '/v1/curation-offers/{subject}/{contract}/{offerId}',
        '/v1/exhibits',
        '/v1/exhibits/{subject}/{contract}/{exhibitId}',
        '/v1/galleries',
        '/v1/galleries/{subject}/{contract}/{galleryId}',
        '/v1/lotteries',
        '/v1/lotteries/{subject}/{contract}/{lotteryId}',
        '/v1/offers',
        '/v1/offers/{subject}/{contract}/{orderId}',
        '/v1/orders',
        '/v1/orders/{subject}/{contract}/{orderId}',
        '/v1/prizes',
        '/v1/prizes/{subject}/{contract}/{lotteryId}/{tokenId}',
        '/v1/status',
        '/v1/streams/{topic}',
        '/v1/token-details',
        '/v1/token-details/{subject}/{collection}/{tokenId}',
        '/v1/tokens',
        '/v1/tokens/{subject}/{collection}/{tokenId}',
      ].sort(),
    );
    for (const path of Object.keys(body.paths).filter((path) => body.paths[path].get.parameters)) {
      for (const parameter of body.paths[path].get.parameters) expect(parameter.description).toMatch(/\w/);
    }
    for (const path of ['/v1/orders', '/v1/exhibits', '/v1/prizes', '/v1/claims']) {
      const { schema } = body.paths[path].get.responses['200'].content['application/json'];
      for (const field of Object.values(schema.properties.items.items.properties))
        expect(field).toMatchObject({ description: expect.stringMatching(/\w/) });
    }
  });

  it('answers 503, alive but not ready, when the database is away or not prepared, and comes back (Q12)', async () => {
    // Port 1 refuses at once.
    const away = createReadDatabase({
      seqNosOf,
      connectionString: 'postgresql://nobody:secret-word@127.0.0.1:1/none',
    });
    const { server, origin: base } = await serve(away);
    try {
      const { status, body } = await get('/v1/orders', base);
      expect([status, body.error.code]).toEqual([503, 'DATABASE_UNAVAILABLE']);
      expect((await get('/healthz', base)).status).toBe(200);
      const ready = await get('/readyz', base);
      expect(ready.status).toBe(503);
      expect(JSON.stringify([body, ready.body])).not.toContain('secret-word');
      expect((await get('/metrics', base)).body).toContain('imart_database_up 0');
    } finally {
      await server.close();
      await away.close();
    }
    await database.run('ALTER TABLE tokens RENAME TO hidden; DROP VIEW order_view CASCADE');
    try {
      expect((await get('/readyz')).status).toBe(503);
      expect((await get('/v1/orders')).body.error.code).toBe('DATABASE_NOT_PREPARED');
    } finally {
      await database.run('ALTER TABLE hidden RENAME TO tokens');
      await database.applyViews();
    }
    expect((await get('/readyz')).status).toBe(200);
  });

  it('goes on after the server has ended all its connections', async () => {
    await database.run(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    const answers: number[] = [];
    for (let attempt = 0; attempt < 20 && answers.at(-1) !== 200; attempt++) {
      answers.push((await get('/v1/status')).status);
    }
    expect(answers.at(-1)).toBe(200);
    expect(answers.every((status) => status === 200 || status === 503)).toBe(true);
  });

  it('gives up a query that takes too long', async () => {
    const impatient = createReadDatabase({ seqNosOf, connectionString: database.url, queryTimeoutMs: 50 });
    const { server, origin: base } = await serve(impatient);
    try {
      await database.run('BEGIN; LOCK TABLE orders');
      const { status, body } = await get('/v1/orders', base);
      expect([status, body.error.code]).toEqual([503, 'QUERY_TIMEOUT']);
    } finally {
      await database.run('COMMIT');
      await server.close();
      await impatient.close();
    }
  });
});
