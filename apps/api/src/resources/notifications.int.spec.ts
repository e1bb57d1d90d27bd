import { createMetrics, silentLogger } from '@imart/runtime';
import { createReadDatabase, type ReadDatabase } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { createServer } from '../createServer';
import { createApiDatabase, type ApiDatabase } from '../testing/apiDatabase';
import { MARKET, seedMarket, SELLER } from '../testing/seedMarket';
import { seqNosOf } from '../seqNosOf';

const TOKEN = 'a-token-of-the-service';
const READER = `0x${'ab'.repeat(20)}`;

let database: ApiDatabase;
let db: ReadDatabase;
let app: FastifyInstance;
let origin: string;

const idOf = (n: number): string => n.toString(16).padStart(32, '0');

beforeAll(async () => {
  database = await createApiDatabase();
  await seedMarket(database);
  const row = (n: number, more: Record<string, unknown> = {}) => ({
    no: n,
    subject: 1,
    seq_no: n,
    kind: 'MarketOrderFilled',
    receiver: READER,
    id: idOf(n),
    actor: SELLER,
    market: 'imart',
    contract: MARKET,
    order_id: `${n}`,
    collection: null,
    token_id: null,
    quantity: null,
    item_count: 1,
    price: '115792089237316195423570985008687907853269984665640564039457584007913129639935',
    currency: null,
    tx_hash: '0x01',
    happened_at: '2026-01-01T00:00:00.000001Z',
    told_at: '2026-01-01T00:00:01Z',
    revision: 1,
    ...more,
  });
  await database.insert(
    'notifications',
    ...[1, 2, 3, 4, 5].map((n) => row(n)),
    row(6, { retracted_at: '2026-01-01T00:00:02Z', revision: 2 }),
    row(7, { kind: 'CurationOfferReceived', read_at: '2026-01-01T00:00:02Z' }),
    row(8, { receiver: SELLER }),
  );
  db = createReadDatabase({ seqNosOf, connectionString: database.url });
  app = await createServer({
    db,
    logger: silentLogger,
    metrics: createMetrics({ processMetrics: false }),
    notificationsToken: TOKEN,
  });
  origin = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await app?.close();
  await db?.close();
  await database?.stop();
});

async function get(path: string) {
  const answer = await fetch(`${origin}${path}`);
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

const idsAt = async (query: string): Promise<readonly string[]> =>
  (await get(`/v1/accounts/${READER}/notifications${query}`)).body.items.map(({ id }: { id: string }) => id);

describe('GET /v1/accounts/:address/notifications', () => {
  it('gives what an account was told, last told first, without what was retracted, in pages', async () => {
    const { body } = await get(
      `/v1/accounts/${READER.toUpperCase().replace('X', 'x')}/notifications?limit=4`,
    );
    expect(body.items.map(({ id }: { id: string }) => id)).toEqual([7, 5, 4, 3].map(idOf));
    expect(body.items[1]).toMatchObject({
      kind: 'MarketOrderFilled',
      title: 'Your order has been filled',
      subject: 'eip155:1',
      seqNo: '5',
      orderId: '5',
      unread: true,
      revision: 1,
      happenedAt: '2026-01-01T00:00:00.000001Z',
      price: '115792089237316195423570985008687907853269984665640564039457584007913129639935',
    });
    expect(await idsAt(`?limit=4&cursor=${body.next}`)).toEqual([2, 1].map(idOf));
    expect((await get(`/v1/accounts/0x${'cd'.repeat(20)}/notifications`)).body).toEqual({
      items: [],
      next: null,
    });
  });

  it('filters by kind, chain and whether it was read', async () => {
    expect(await idsAt('?kind=CurationOfferReceived')).toEqual([idOf(7)]);
    expect(await idsAt('?unread=false')).toEqual([idOf(7)]);
    expect(await idsAt('?unread=true&kind=CurationOfferReceived')).toEqual([]);
    expect(await idsAt('?subject=eip155:1&kind=MarketOrderFilled&kind=CurationOfferReceived')).toHaveLength(
      6,
    );
    expect(await get(`/v1/accounts/${READER}/notifications?subject=eip155:5`)).toMatchObject({ status: 404 });
    expect(await get(`/v1/accounts/${READER}/notifications?kind=Gossip&unread=maybe`)).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_PARAMETER' } },
    });
  });
});

describe('POST /v1/accounts/:address/notifications/read', () => {
  const post = async (ids: readonly string[], token: string | null = TOKEN, at = origin) => {
    const answer = await fetch(`${at}/v1/accounts/${READER}/notifications/read`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ ids }),
    });
    return { status: answer.status, body: JSON.parse(await answer.text()) };
  };

  it('marks those of the account, once', async () => {
    const answer = await post([idOf(1), idOf(7), idOf(8), idOf(99)]);
    expect(answer).toEqual({ status: 200, body: { marked: 1 } });
    expect(await idsAt('?unread=false')).toEqual([7, 1].map(idOf));
    expect((await get(`/v1/accounts/${SELLER}/notifications`)).body.items[0].unread).toBe(true);
    expect((await post([idOf(1)])).body).toEqual({ marked: 0 });
  });

  it('refuses whoever has not the token, and what is no id', async () => {
    for (const token of [null, '', 'wrong', `${TOKEN}x`]) {
      const answer = await post([idOf(2)], token);
      expect([answer.status, answer.body.error.code]).toEqual([401, 'NOTIFICATION_ACCESS']);
    }
    for (const ids of [[], ['x'], Array.from({ length: 501 }, (_, n) => idOf(n))]) {
      expect((await post(ids)).status).toBe(400);
    }
    expect(await idsAt('?unread=false')).not.toContain(idOf(2));
  });

  it('is not there without the setting', async () => {
    const other = await createServer({
      db,
      logger: silentLogger,
      metrics: createMetrics({ processMetrics: false }),
    });
    const at = await other.listen({ host: '127.0.0.1', port: 0 });
    expect((await post([idOf(2)], TOKEN, at)).status).toBe(404);
    await other.close();
  });
});
