import { randomUUID } from 'node:crypto';
import type { Purchase, PurchaseId } from '@imart/purchase';
import { until } from '@imart/testing';
import { createRedisSessionCache, type RedisSessionCache } from './sessionCache';
import { describeWithOwnRedis, describeWithRedis } from './testing/describeWithRedis';
import { openTestRedis, type TestRedisDatabase } from './testing/redisDatabase';
import { startTestRedis } from './testing/redisServer';

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

/** It connects by itself; until then, it has nothing. */
const put = (cache: RedisSessionCache, purchases: readonly Purchase[]): Promise<void> =>
  until(() => cache.put(purchases).then(() => true), { what: 'the cache is connected' });

describeWithRedis('results at hand in Redis', () => {
  let redis: TestRedisDatabase;
  let cache: RedisSessionCache;

  beforeAll(async () => {
    redis = await openTestRedis();
    cache = createRedisSessionCache({ url: redis.url, logger, keptMs: 60_000 });
  });
  afterAll(async () => {
    await cache?.close();
    await redis?.stop();
  });

  it('are given back as they were put, and others are not there', async () => {
    const purchases = [ended(), ended({ status: 'rejected', error: 'SOLD_OUT', orderId: null })];
    await put(cache, purchases);
    for (const one of purchases) expect(await cache.get(one.id)).toEqual(one);
    expect(await cache.get(randomUUID() as PurchaseId)).toBeNull();
  });

  it('go by themselves, not after the result’s own end (E17)', async () => {
    const short = ended({ expiresAt: '2026-01-01T00:00:01.200000Z' });
    const over = ended({ expiresAt: '2026-01-01T00:00:01.000000Z' });
    await put(cache, [short, over]);
    expect(await cache.get(over.id)).toBeNull();
    await until(async () => (await cache.get(short.id)) === null);
  });
});

describeWithOwnRedis('results at hand in a Redis that goes away', () => {
  it('of a server that goes away fail at once, for whoever reads then to ask the database', async () => {
    const redis = await startTestRedis();
    const cache = createRedisSessionCache({ url: redis.url, logger, keptMs: 60_000 });
    try {
      await put(cache, [ended()]);
      await redis.kill();
      await expect(cache.get(randomUUID() as PurchaseId)).rejects.toThrow();
      await expect(cache.put([ended()])).rejects.toThrow();
    } finally {
      await cache.close();
      await redis.stop();
    }
  });
});
