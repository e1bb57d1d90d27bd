import { hostname } from 'node:os';
import { Redis } from 'ioredis';
import { describeWithOwnRedis } from './describeWithRedis';
import { openTestRedis } from './redisDatabase';
import { startTestRedis, type TestRedis } from './redisServer';

describeWithOwnRedis('a database of a running Redis', () => {
  let server: TestRedis;
  const given = process.env['IMART_TEST_REDIS_URL'];
  const clients: Redis[] = [];
  const client = (url: string): Redis => {
    const redis = new Redis(url);
    clients.push(redis);
    return redis;
  };

  beforeEach(async () => {
    server = await startTestRedis(['--databases', '4']);
    process.env['IMART_TEST_REDIS_URL'] = server.url;
  });
  afterEach(async () => {
    if (given === undefined) delete process.env['IMART_TEST_REDIS_URL'];
    else process.env['IMART_TEST_REDIS_URL'] = given;
    for (const one of clients.splice(0)) one.disconnect();
    await server.stop();
  });

  it('is one’s own, and nothing of it is left', async () => {
    const [one, other] = await Promise.all([openTestRedis(), openTestRedis()]);
    expect(new Set([one.url, other.url, `${server.url}/0`]).size).toBe(3);
    await client(one.url).set('key', 'one');
    await client(other.url).set('key', 'other');
    await one.clear();
    expect(await client(one.url).get('key')).toBeNull();
    expect(await client(other.url).get('key')).toBe('other');
    await client(one.url).set('key', 'again');
    await Promise.all([one.stop(), other.stop()]);
    expect(await client(server.url).info('keyspace')).not.toContain('db');
  });

  it('is none that holds what others have put there', async () => {
    const others = client(`${server.url}/1`);
    await others.set('key', 'precious');
    const own = await openTestRedis();
    expect(own.url).toBe(`${server.url}/2`);
    await own.stop();
    expect(await others.get('key')).toBe('precious');
  });

  it('is taken from a test process that was killed, and emptied', async () => {
    const claims = client(server.url);
    // No process has that number.
    await claims.set('imart-test:database:1', `${hostname()} ${2 ** 30} killed`);
    await client(`${server.url}/1`).set('key', 'left');
    const own = await openTestRedis();
    expect(own.url).toBe(`${server.url}/1`);
    expect(await client(own.url).dbsize()).toBe(0);
    await own.stop();
  });

  it('is not taken from a process on another machine, and it is told when none is left', async () => {
    const claims = client(server.url);
    await claims.set('imart-test:database:1', `not-${hostname()} ${2 ** 30} elsewhere`);
    const taken = [await openTestRedis(), await openTestRedis()];
    expect(taken.map(({ url }) => url)).toEqual([`${server.url}/2`, `${server.url}/3`]);
    await expect(openTestRedis()).rejects.toThrow(/every database of 127\.0\.0\.1:\d+ is in use/);
    for (const one of taken) await one.stop();
  });
});
