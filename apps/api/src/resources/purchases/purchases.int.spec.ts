import { createMetrics, silentLogger } from '@imart/runtime';
import { createApiKeys, createReadDatabase, type ReadDatabase } from '@imart/storage';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  createPurchaseDatabase,
  type PurchaseDatabase,
  type PurchaseParts,
} from '../../../../../libs/storage/src/testing/purchaseDatabase';
import { startTestServer, type TestServer } from '../../../../../libs/storage/src/testing/testDatabase';
import { authorizePurchases } from '../../access/authorizePurchases';
import { createKeyAccess } from '../../access/keyAccess';
import { createServer } from '../../createServer';
import { openPurchaseDesk } from '../../openPurchaseDesk';
import { seqNosOf } from '../../seqNosOf';

let testServer: TestServer;
let database: PurchaseDatabase;
let parts: PurchaseParts;
let db: ReadDatabase;
let app: FastifyInstance;
let origin: string;

beforeAll(async () => {
  testServer = await startTestServer();
  database = await createPurchaseDatabase(testServer);
  parts = await database.open({ open: { resultMs: 3_600_000 } });
  db = createReadDatabase({ seqNosOf, connectionString: database.url });
  app = await createServer({
    db,
    logger: silentLogger,
    metrics: createMetrics({ processMetrics: false }),
    purchases: { desk: openPurchaseDesk({ pool: database.pool, deadlineMs: 60_000 }), streamsMax: 2 },
  });
  origin = await app.listen({ host: '127.0.0.1', port: 0 });
  await parts.createSale('art', { supply: 5, price: '2.50' });
});
afterAll(async () => {
  await app?.close();
  await db?.close();
  await database?.close();
  await testServer?.stop();
});

const post = (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${origin}/v1/purchases`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const buy = async (body: unknown): Promise<{ id: string; href: string }> => {
  const answer = await post(body);
  expect(answer.status).toBe(202);
  return (await answer.json()) as { id: string; href: string };
};
const get = async (path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
  const answer = await fetch(`${origin}${path}`);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

describe('POST /v1/purchases', () => {
  it('answers 202 with a UUID at once; GET tells 202 and its step, then 200 and the order', async () => {
    const { id, href } = await buy({ productId: 'art', quantity: 2, wallet: '0x1' });
    expect(await get(href)).toMatchObject({
      status: 202,
      body: { id, status: 'pending', step: 'purchase.received', error: null, orderId: null },
    });
    await parts.services.drain();
    const { status, body } = await get(`/v1/purchases/${id.toUpperCase()}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'confirmed',
      wallet: '0x1',
      price: '2.5',
      total: '5',
      currency: 'APT',
    });
    expect(body['steps']).toHaveLength(4);
  });

  it('tells a rejection with its code', async () => {
    const { href } = await buy({ productId: 'nothing', quantity: 1 });
    await parts.services.drain();
    expect(await get(href)).toMatchObject({
      status: 200,
      body: { status: 'rejected', error: { code: 'UNKNOWN_PRODUCT' } },
    });
  });

  it.each([0, -1, 1.5, '2', null, 1e30])(
    'refuses the quantity %p with a code of its own',
    async (quantity) => {
      const answer = await post({ productId: 'art', quantity });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({
        error: { code: 'WRONG_QUANTITY', problems: [{ field: 'quantity' }] },
      });
    },
  );

  it('refuses what is no purchase, naming every field', async () => {
    const answer = await post({ quantity: 1, color: 'red' });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: 'BAD_PARAMETER' } });
  });

  it('gives the same purchase for the same key, and 409 for another one (E5)', async () => {
    const ask = (quantity: number) => post({ productId: 'art', quantity }, { 'idempotency-key': 'once' });
    const first = (await (await ask(1)).json()) as { id: string };
    expect(await (await ask(1)).json()).toMatchObject({ id: first.id });
    const other = await ask(2);
    expect([other.status, await other.json()]).toMatchObject([409, { error: { code: 'PURCHASE_CONFLICT' } }]);
  });

  describe('where it takes an API key', () => {
    let guarded: FastifyInstance;
    let address: string;
    const keys = () => createApiKeys(database.pool);
    const keyOf = async (scopes: readonly string[], requestsPerSecond = 1_000) =>
      (await keys().create({ name: 'spec', scopes, requestsPerSecond, createdBy: 'spec' })).text;
    const ask = async (key: string | null) => {
      const answer = await fetch(`${address}/v1/purchases`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({ productId: 'nothing', quantity: 1 }),
      });
      const { error } = (await answer.json()) as { error?: { code: string } };
      return [answer.status, error?.code, answer.headers.get('www-authenticate')];
    };
    const kept = async () => (await database.pool.query('SELECT FROM purchases')).rowCount;

    beforeAll(async () => {
      // Its clock stands: what a key may ask in a second is all that it may ask.
      const access = createKeyAccess({ keys: keys(), now: () => 0 });
      guarded = await createServer({
        db,
        logger: silentLogger,
        metrics: createMetrics({ processMetrics: false }),
        purchases: {
          desk: openPurchaseDesk({ pool: database.pool, deadlineMs: 60_000 }),
          authorize: authorizePurchases(access),
        },
      });
      address = await guarded.listen({ host: '127.0.0.1', port: 0 });
    });
    afterAll(async () => {
      await guarded?.close();
      await parts.services.drain();
    });

    it('refuses who has none, a wrong one, or one of another scope, and keeps nothing', async () => {
      const before = await kept();
      expect(await ask(null)).toEqual([401, 'API_KEY', 'Bearer']);
      expect(await ask(`imart_${'0'.repeat(16)}_${'a'.repeat(43)}`)).toEqual([401, 'API_KEY', 'Bearer']);
      expect(await ask(await keyOf(['events:write', 'webhooks']))).toEqual([403, 'API_KEY_SCOPE', null]);
      expect(await ask(await keyOf(['purchases:write:art']))).toEqual([403, 'API_KEY_SCOPE', null]);
      expect(await kept()).toBe(before);
    });

    it('takes the purchase of who has the scope, as often as the key may ask', async () => {
      expect(await ask(await keyOf(['purchases:write']))).toEqual([202, undefined, null]);
      const slow = await keyOf(['purchases:write'], 1);
      expect(await ask(slow)).toEqual([202, undefined, null]);
      expect(await ask(slow)).toEqual([429, 'RATE_LIMITED', null]);
    });

    it('tells in its description what it takes, and only there', async () => {
      const post = async (server: string) => {
        const { paths } = (await (await fetch(`${server}/openapi.json`)).json()) as {
          paths: Record<string, Record<string, { security?: unknown; responses: object }>>;
        };
        const { security, responses } = paths['/v1/purchases']?.['post'] ?? { responses: {} };
        return {
          security,
          refusals: Object.keys(responses).filter((status) => /^4(01|03|29)$/.test(status)),
        };
      };
      expect(await post(address)).toEqual({ security: [{ apiKey: [] }], refusals: ['401', '403', '429'] });
      expect(await post(origin)).toEqual({ security: undefined, refusals: [] });
    });

    it('answers 503 while there is no table of keys yet', async () => {
      const check = async (): Promise<never> => {
        throw Object.assign(new Error('relation "api_keys" does not exist'), { code: '42P01' });
      };
      await expect(authorizePurchases({ check })({} as FastifyRequest)).rejects.toMatchObject({
        code: 'DATABASE_NOT_PREPARED',
      });
    });
  });
});

describe('GET /v1/purchases/{id}', () => {
  it('is 404 for one that nobody made, 410 when its result is over, 400 for no UUID (E17)', async () => {
    expect(await get('/v1/purchases/00000000-0000-4000-8000-000000000000')).toMatchObject({
      status: 404,
      body: { error: { code: 'NOT_FOUND' } },
    });
    expect(await get('/v1/purchases/7')).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_PARAMETER' } },
    });
    const { id, href } = await buy({ productId: 'art', quantity: 1 });
    await parts.services.drain();
    await database.pool.query(`UPDATE purchases SET expires_at = clock_timestamp() WHERE id = $1`, [id]);
    expect(await get(href)).toMatchObject({ status: 410, body: { error: { code: 'PURCHASE_EXPIRED' } } });
  });
});

describe('GET /v1/purchases/{id}/events', () => {
  it('pushes the state as it is first, then its end, and ends (E17)', async () => {
    const { href } = await buy({ productId: 'art', quantity: 1 });
    const stream = await fetch(`${origin}${href}/events`);
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    expect(stream.headers.get('connection')).toBe('close');
    let text = '';
    let isWorking: Promise<void> | null = null;
    for await (const chunk of stream.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      isWorking ??= parts.services.drain();
    }
    await isWorking;
    const states = text
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)) as { status: string; step: string });
    expect(states[0]).toMatchObject({ status: 'pending', step: 'purchase.received' });
    expect(states.at(-1)).toMatchObject({ status: 'confirmed', step: 'order.processed' });
    const late = await fetch(`${origin}${href}/events`);
    expect(await late.text()).toContain('"status":"confirmed"');
  });

  it('is 404 for one that nobody made, and 503 when too many are watched', async () => {
    expect((await get('/v1/purchases/00000000-0000-4000-8000-000000000000/events')).status).toBe(404);
    const { href } = await buy({ productId: 'art', quantity: 1 });
    const over = new AbortController();
    await Promise.all([1, 2].map(() => fetch(`${origin}${href}/events`, { signal: over.signal })));
    expect(await get(`${href}/events`)).toMatchObject({
      status: 503,
      body: { error: { code: 'PURCHASES_BUSY' } },
    });
    over.abort();
    await parts.services.drain();
  });
});

describe('/metrics', () => {
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${origin}/metrics`)).text();
    return Number(new RegExp(`^imart_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
  };

  it('tells what waits, and for how long, while no service runs', async () => {
    await parts.services.drain();
    expect(await metric('purchases_pending')).toBe(0);
    const { id } = await buy({ productId: 'art', quantity: 1 });
    await database.pool.query(
      `UPDATE purchases SET received_at = received_at - interval '150 seconds' WHERE id = $1`,
      [id],
    );
    expect(await metric('purchases_pending')).toBe(1);
    expect(await metric('purchases_oldest_pending_seconds')).toBeGreaterThanOrEqual(150);
    await parts.services.drain();
    expect(await metric('purchases_oldest_pending_seconds')).toBe(0);
  });

  it('is shown while purchases cannot be read', async () => {
    const away = await createServer({
      db,
      logger: silentLogger,
      metrics: createMetrics({ processMetrics: false }),
      purchases: { desk: () => Promise.reject(new Error('the database is away')) },
    });
    const answer = await fetch(`${await away.listen({ host: '127.0.0.1', port: 0 })}/metrics`);
    expect([answer.status, (await answer.text()).includes('imart_purchases_pending')]).toEqual([200, true]);
    await away.close();
  });
});

describe('sales', () => {
  it('are listed with stock and status, and told one by one', async () => {
    await parts.createSale('soon', { opensAt: '2999-01-01T00:00:00Z', walletLimit: 2 });
    const { body } = await get('/v1/sales');
    const items = body['items'] as { id: string }[];
    expect(items.map(({ id }) => id).sort()).toEqual(['art', 'soon']);
    expect(await get('/v1/sales/soon')).toMatchObject({
      status: 200,
      body: { status: 'UPCOMING', supply: 100, minted: 0, left: 100, walletLimit: 2, price: '1.5' },
    });
    expect((await get('/v1/sales/nothing')).status).toBe(404);
  });

  it('are on a page, which loads nothing from elsewhere', async () => {
    const page = await fetch(`${origin}/purchases`);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await page.text()).toContain('/purchases/page.js');
    const script = await fetch(`${origin}/purchases/page.js`);
    expect(script.headers.get('content-type')).toContain('text/javascript');
  });
});
