import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { startEmbeddedPostgres } from '@imart/storage';

/** Servers of a run: the database of this URL and the jobs of that one, or what comes embedded. */
export interface PlaceOptions {
  /** Of a server, with the right to create databases; `undefined`: the worker's own embedded PostgreSQL. */
  readonly databaseUrl: string | undefined;
  /** `undefined`: jobs are in PostgreSQL. */
  readonly redisUrl: string | undefined;
}

/** Where a worker keeps what it knows: empty at first, gone when closed. */
export interface Place {
  /** `Redis 7.0.15, PostgreSQL 15.20`, once it is connected to. */
  describe(): Promise<string>;
  /** Settings of a worker that works here. */
  readonly env: Readonly<Record<string, string>>;
  /** A connection of our own to the worker's database. */
  connect(): Promise<pg.Client>;
  close(): Promise<void>;
}

let places = 0;

export async function openPlace({ databaseUrl, redisUrl }: PlaceOptions): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), 'imart-bench-'));
  // The embedded server runs as another user when we are root.
  chmodSync(directory, 0o755);
  const closing: (() => Promise<unknown>)[] = [
    async () => rmSync(directory, { recursive: true, force: true }),
  ];
  let url: string;
  if (databaseUrl === undefined) {
    // The worker joins the server that runs on its directory already.
    const embedded = await startEmbeddedPostgres({ dataDir: join(directory, 'postgres') });
    closing.push(() => embedded.stop());
    ({ url } = embedded);
  } else {
    const name = `imart_bench_${process.pid}_${places++}`;
    await query(databaseUrl, `CREATE DATABASE ${name}`);
    closing.push(() => query(databaseUrl, `DROP DATABASE ${name} WITH (FORCE)`));
    url = Object.assign(new URL(databaseUrl), { pathname: `/${name}` }).href;
  }
  if (redisUrl !== undefined) {
    await forgetJobs(redisUrl);
    closing.push(() => forgetJobs(redisUrl));
  }
  return {
    env: {
      DATA_DIR: directory,
      LOG_DIR: join(directory, 'logs'),
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: url }),
      ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
    },
    async describe() {
      const [{ server_version: version } = {}] = (await query(url, 'SHOW server_version')).rows as {
        server_version: string;
      }[];
      const database = `${databaseUrl === undefined ? 'embedded ' : ''}PostgreSQL ${version}`;
      return redisUrl === undefined
        ? `${database}, jobs in it`
        : `${database}, Redis ${await redisVersion(redisUrl)}`;
    },
    async connect() {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      closing.push(() => client.end());
      return client;
    },
    async close() {
      for (const close of closing.reverse()) await close();
    },
  };
}

async function query(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true });
  await redis.connect();
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

const redisVersion = (url: string): Promise<string> =>
  withRedis(url, async (redis) => /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown');

/** Jobs of the benchmark's chain (id 1) that another run has left, or this one leaves. */
const forgetJobs = (url: string): Promise<void> =>
  withRedis(url, async (redis) => {
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', 'imart:{market.eip155.1.*', 'COUNT', 1_000);
      if (keys.length > 0) await redis.unlink(...keys);
      cursor = next;
    } while (cursor !== '0');
  });
