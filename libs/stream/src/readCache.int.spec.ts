import fc from 'fast-check';
import { Redis } from 'ioredis';
import { until } from '@imart/testing';
import {
  cacheFeedKey,
  cacheKey,
  cacheScope,
  createCacheDropper,
  createReadCache,
  createRedisLink,
  type CacheDropper,
  type CacheLook,
  type CachePosition,
  type ReadCache,
  type RedisLink,
} from './index';
import { describeWithOwnRedis, describeWithRedis } from './testing/describeWithRedis';
import { openTestRedis, type TestRedisDatabase } from './testing/redisDatabase';
import { startTestRedis } from './testing/redisServer';

const SUBJECT = 'eip155:1';
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const at = (feedNo: bigint, timeUs = 0n): CachePosition => ({
  feedNo,
  epoch: 0n,
  executed: feedNo * 10n,
  timeUs,
});

async function openLink(url: string): Promise<RedisLink> {
  const link = createRedisLink({
    url,
    timeoutMs: 2_000,
    restMs: 0,
    logger: silent,
    now: () => performance.now(),
  });
  await until(async () => (await link.ask((one) => one.ping())) !== undefined);
  return link;
}

describeWithRedis('the cache of answers', () => {
  let redis: TestRedisDatabase;
  let link: RedisLink;
  let client: Redis;
  let cache: ReadCache;
  let dropper: CacheDropper;

  beforeAll(async () => {
    redis = await openTestRedis();
    link = await openLink(redis.url);
    client = new Redis(redis.url);
    cache = createReadCache(link, 60_000);
    dropper = createCacheDropper(link, SUBJECT);
  });
  afterAll(async () => {
    link?.close();
    client?.disconnect();
    await redis?.stop();
  });
  beforeEach(() => redis.clear());

  const look = async (id = '1'): Promise<CacheLook> => (await cache.look('order', SUBJECT, id)) as CacheLook;
  const keep = (from: CacheLook, body: string, id = '1', untilUs: bigint | null = null) =>
    cache.keep('order', SUBJECT, id, from, {
      body,
      executed: '7',
      scopes: [cacheScope.order(`0xa:${id}`), cacheScope.token('0xc', '1')],
      untilUs,
    });

  it('is not used before somebody drops what changes, nor when that one is silent or has gone', async () => {
    expect(await cache.look('order', SUBJECT, '1')).toBeUndefined();
    await dropper.begin('a', at(3n));
    await keep(await look(), 'one');
    expect(await look()).toEqual({ era: 'a', position: at(3n), hit: { body: 'one', executed: '7' } });
    expect(await client.pttl(cacheFeedKey(SUBJECT))).toBeLessThanOrEqual(5_000);
    await client.del(cacheFeedKey(SUBJECT));
    expect(await cache.look('order', SUBJECT, '1')).toBeUndefined();
    await dropper.begin('b', at(3n));
    expect((await look()).hit).toBeNull();
    await keep(await look(), 'two');
    await dropper.end();
    expect(await cache.look('order', SUBJECT, '1')).toBeUndefined();
  });

  it('has keys as the original had, each with an end', async () => {
    await dropper.begin('a', at(0n));
    await keep(await look(), 'one');
    expect((await client.keys('*')).sort()).toEqual([
      'cache:imart:feed:eip155:1',
      'cache:imart:order:id:eip155:1:1',
    ]);
    expect(await client.pttl(cacheKey('order', SUBJECT, '1'))).toBeGreaterThan(0);
  });

  it('has no answer that a change touched, whether it was kept before the change was dropped or after (E18)', async () => {
    await dropper.begin('a', at(3n));
    const before = await look();
    await dropper.advance('a', 3n, at(4n), [cacheScope.token('0xc', '1')]);
    // Read before the change, kept after it was dropped.
    await keep(before, 'old');
    expect((await look()).hit).toBeNull();
    await keep(await look(), 'new');
    expect((await look()).hit?.body).toBe('new');
    await dropper.advance('a', 4n, at(5n), [cacheScope.token('0xc', '2'), cacheScope.order('0xa:2')]);
    expect((await look()).hit?.body).toBe('new');
    await dropper.advance('a', 5n, at(6n), [cacheScope.order('0xa:1')]);
    expect((await look()).hit).toBeNull();
    await keep(before, 'old');
    expect((await look()).hit).toBeNull();
  });

  it('has no answer any more when its time has come, by the time of the chain', async () => {
    await dropper.begin('a', at(3n, 100n));
    await keep(await look(), 'open', '1', 200n);
    await dropper.advance('a', 3n, at(4n, 199n), []);
    expect((await look()).hit?.body).toBe('open');
    await dropper.advance('a', 4n, at(5n, 200n), []);
    expect((await look()).hit).toBeNull();
  });

  it('takes no step of a dropper that was replaced, or that missed one', async () => {
    await dropper.begin('a', at(3n));
    await dropper.begin('b', at(4n));
    expect(await dropper.advance('a', 3n, at(4n), [])).toBe('lost');
    expect(await dropper.advance('b', 3n, at(5n), [])).toBe('lost');
    expect(await dropper.advance('b', 4n, at(5n), [])).toBe(5);
    await redis.clear();
    expect(await dropper.advance('b', 5n, at(6n), [])).toBe('lost');
  });

  it('never has an answer without a change that was dropped, in any order of reading, changing, dropping, keeping, taking over and emptying', async () => {
    /** One token, changed now and then: its value is how often. */
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('change' as const), touches: fc.boolean() }) },
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant('drop' as const), keeper: fc.constantFrom(0, 0, 0, 0, 1) }),
      },
      {
        weight: 16,
        arbitrary: fc.record({ kind: fc.constantFrom('look', 'read', 'keep'), reader: fc.nat({ max: 1 }) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('take over' as const), keeper: fc.nat({ max: 1 }) }),
      },
      { weight: 1, arbitrary: fc.constant({ kind: 'empty' as const }) },
    );
    let hits = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 60, maxLength: 150 }), async (steps) => {
        await redis.clear();
        /** Of each feed number, the value after it. */
        const values = [0];
        const keepers: { era: string; at: number }[] = [0, 1].map(() => ({ era: '', at: 0 }));
        const readers: { look?: CacheLook | undefined; value?: number }[] = [{}, {}, {}];
        let dropped = 0;
        let eras = 0;
        for (const one of steps) {
          switch (one.kind) {
            case 'change':
              values.push((values.at(-1) as number) + ('touches' in one && one.touches ? 1 : 0));
              break;
            case 'take over':
            case 'drop': {
              const keeper = keepers['keeper' in one ? one.keeper : 0] as { era: string; at: number };
              const end = values.length - 1;
              const touched = values[end] !== values[keeper.at];
              const scopes = touched ? [cacheScope.token('0xc', '1')] : [];
              const done =
                one.kind === 'drop' && keeper.era !== ''
                  ? await dropper.advance(keeper.era, BigInt(keeper.at), at(BigInt(end)), scopes)
                  : 'lost';
              if (done === 'lost') {
                keeper.era = `era ${++eras}`;
                await dropper.begin(keeper.era, at(BigInt(end)));
              }
              keeper.at = end;
              dropped = end;
              break;
            }
            case 'empty':
              await redis.clear();
              break;
            default: {
              const reader = readers['reader' in one ? one.reader : 0] as (typeof readers)[0];
              if (one.kind === 'look') {
                const found = await cache.look('token', SUBJECT, '0xc:1');
                reader.look = found;
                delete reader.value;
                if (found !== undefined && found.hit !== null) {
                  hits++;
                  expect(Number(found.hit.body)).toBeGreaterThanOrEqual(values[dropped] as number);
                  // Nothing up to the cursor that it shows is missing.
                  expect(Number(found.hit.body)).toBeGreaterThanOrEqual(
                    values[Number(found.hit.executed)] as number,
                  );
                }
              } else if (one.kind === 'read') reader.value = values.at(-1) as number;
              else if (reader.look !== undefined && reader.value !== undefined) {
                await cache.keep('token', SUBJECT, '0xc:1', reader.look, {
                  body: String(reader.value),
                  executed: String(reader.look.position.feedNo),
                  scopes: [cacheScope.token('0xc', '1')],
                  untilUs: null,
                });
              }
            }
          }
        }
      }),
      { numRuns: 150 },
    );
    expect(hits).toBeGreaterThan(20);
  }, 60_000);
});

describeWithOwnRedis('the cache of answers in a Redis that goes away', () => {
  it('makes nobody wait while Redis is away, and is there again with it (E24)', async () => {
    const redis = await startTestRedis();
    const link = await openLink(redis.url);
    try {
      const cache = createReadCache(link, 60_000);
      const dropper = createCacheDropper(link, SUBJECT);
      const look = () => cache.look('order', SUBJECT, '1');
      await dropper.begin('a', at(3n));
      await redis.kill();
      await until(async () => (await look()) === undefined);
      const started = performance.now();
      for (let i = 0; i < 1_000; i++) expect(await look()).toBeUndefined();
      expect(performance.now() - started).toBeLessThan(1_000);
      expect(await dropper.advance('a', 3n, at(4n), [])).toBeUndefined();
      expect(await dropper.begin('a', at(4n))).toBe(false);
      await redis.restart();
      await until(() => dropper.begin('b', at(5n)));
      expect((await look())?.era).toBe('b');
    } finally {
      link.close();
      await redis.stop();
    }
  });
});
