import { randomUUID } from 'node:crypto';
import type { Purchase, PurchaseId } from '@imart/purchase';
import { createRedisSessionCache, type RedisSessionCache } from './sessionCache';
import { isRedisInstalled, startTestRedis, type TestRedis } from './testing/redisServer';

const warnings: string[] = [];
const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message: string) => void warnings.push(message),
  error: () => undefined,
};

const ended = (more: Partial<Purchase> = {}): Purchase => ({
  id: randomUUID() as PurchaseId,
  productId: 'art',
  quantity: 1,
  wallet: null,
  status: 'confirmed',
  step: 'order.processed',
  steps: [{ step: 'purchase.received', at: '2026-01-01T00:00:00.000000Z' }],
  deadlineAt: '2026-01-01T00:00:30.000000Z',
  error: null,
  orderId: randomUUID(),
  price: '1.5',
  total: '1.5',
  currency: 'APT',
  finishedAt: '2026-01-01T00:00:01.000000Z',
  expiresAt: '2026-01-02T00:00:01.000000Z',
  expired: false,
  ...more,
});

const withRedis = isRedisInstalled() ? describe : describe.skip;

withRedis('results at hand in Redis', () => {
  let redis: TestRedis;
  let cache: RedisSessionCache;
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    while (!(await condition())) await new Promise((next) => setTimeout(next, 5));
  };
  /** It connects by itself; until then, it has nothing. */
  const put = (purchases: readonly Purchase[]): Promise<void> =>
    until(() =>
      cache.put(purchases).then(
        () => true,
        () => false,
      ),
    );

  beforeAll(async () => {
    redis = await startTestRedis();
    cache = createRedisSessionCache({ url: redis.url, logger, keptMs: 60_000 });
  });
  afterAll(async () => {
    await cache?.close();
    await redis?.stop();
  });

  it('are given back as they were put, and others are not there', async () => {
    const purchases = [ended(), ended({ status: 'rejected', error: 'SOLD_OUT', orderId: null })];
    await put(purchases);
    for (const one of purchases) expect(await cache.get(one.id)).toEqual(one);
    expect(await cache.get(randomUUID() as PurchaseId)).toBeNull();
  });

  it('go by themselves, not after the result’s own end (E17)', async () => {
    const short = ended({ expiresAt: '2026-01-01T00:00:01.200000Z' });
    const over = ended({ expiresAt: '2026-01-01T00:00:01.000000Z' });
    await put([short, over]);
    expect(await cache.get(over.id)).toBeNull();
    await until(async () => (await cache.get(short.id)) === null);
  });

  it('of a server that goes away fail at once, for whoever reads then to ask the database', async () => {
    await redis.stop();
    await expect(cache.get(randomUUID() as PurchaseId)).rejects.toThrow();
    await expect(cache.put([ended()])).rejects.toThrow();
  });
});
