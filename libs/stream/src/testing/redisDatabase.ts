import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Redis } from 'ioredis';
import { isRedisInstalled, startTestRedis } from './redisServer';

/** A Redis database for the specs of one file, empty at first. */
export interface TestRedisDatabase {
  readonly url: string;
  /** Removes everything that is in it. */
  clear(): Promise<void>;
  /** Leaves nothing behind, and stops the server if it is ours. Call it in `afterAll`. */
  stop(): Promise<void>;
}

/** The running server that the specs are to use, or null. */
function givenRedis(): string | null {
  return process.env['IMART_TEST_REDIS_URL'] || null;
}

/** Whether specs are to use Redis: in CI always, so that it is told when there is none. */
export function hasTestRedis(): boolean {
  return givenRedis() !== null || isRedisInstalled() || process.env['CI'] === 'true';
}

/**
 * A database of its own on the server that `IMART_TEST_REDIS_URL` names, or else a server that is started for it. Specs that kill,
 * fill, flush or configure a server start one with {@link startTestRedis}.
 *
 * @example
 * let redis: TestRedisDatabase;
 * beforeAll(async () => (redis = await openTestRedis()));
 * afterAll(() => redis?.stop());
 */
export async function openTestRedis(): Promise<TestRedisDatabase> {
  const given = givenRedis();
  if (given !== null) return claimDatabase(given);
  const server = await startTestRedis();
  const client = await connect(server.url);
  return {
    url: server.url,
    clear: async () => void (await client.flushdb()),
    async stop() {
      client.disconnect();
      await server.stop();
    },
  };
}

/**
 * Who uses a database is written in database 0. One that nobody has written down is taken only when it is empty: what is there is
 * somebody else's. One whose process was killed is emptied.
 */
const CLAIM = `
  local database, own, gone = ARGV[1], ARGV[2], ARGV[3]
  local owner = redis.call('GET', KEYS[1])
  redis.call('SELECT', database)
  local free = not owner and redis.call('DBSIZE') == 0
  if owner and owner == gone then
    redis.call('FLUSHDB')
    free = true
  end
  redis.call('SELECT', 0)
  if not free then return 0 end
  redis.call('SET', KEYS[1], own)
  return 1`;

async function claimDatabase(serverUrl: string): Promise<TestRedisDatabase> {
  const claims = await connect(databaseUrl(serverUrl, 0));
  const own = `${hostname()} ${process.pid} ${randomUUID()}`;
  try {
    for (let database = 1; ; database++) {
      const key = `imart-test:database:${database}`;
      const owner = await claims.get(key);
      const gone = owner !== null && isGone(owner) ? owner : '';
      if ((await claims.eval(CLAIM, 1, key, database, own, gone)) === 1)
        return await claimed(claims, key, databaseUrl(serverUrl, database));
    }
  } catch (error) {
    claims.disconnect();
    // The first number that there is no database of.
    if (!/out of range/i.test((error as Error).message)) throw error;
    throw new Error(
      `every database of ${new URL(serverUrl).host} is in use: remove what is not needed, and keys imart-test:database:N of tests that are over`,
      { cause: error },
    );
  }
}

async function claimed(claims: Redis, key: string, url: string): Promise<TestRedisDatabase> {
  const client = await connect(url);
  return {
    url,
    clear: async () => void (await client.flushdb()),
    async stop() {
      await client.flushdb();
      await claims.del(key);
      client.disconnect();
      claims.disconnect();
    },
  };
}

/** Whether the process that a database belongs to ran here, and runs no more. */
function isGone(owner: string): boolean {
  const [host, pid] = owner.split(' ');
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function databaseUrl(serverUrl: string, database: number): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** @throws when the server does not answer. */
async function connect(url: string): Promise<Redis> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  // Told by the failing call.
  redis.on('error', () => undefined);
  await redis.connect();
  return redis;
}
