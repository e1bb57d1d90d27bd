import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { SeqNo, SubjectId } from '@imart/core';
import { until } from '@imart/testing';
import { startTestServer, type TestServer } from '../../storage/src/testing/testDatabase';
import {
  createRedisLink,
  createWakeUpStream,
  openJobQueues,
  RedisClusterError,
  RedisPolicyError,
  StreamUnavailableError,
} from './index';
import type { WakeUpBackend } from './index';
import { describeWithOwnRedis, describeWithRedis } from './testing/describeWithRedis';
import { openTestRedis } from './testing/redisDatabase';
import { startTestRedis } from './testing/redisServer';

const subjectId = 'spec:1' as SubjectId;
const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server.stop();
});

async function sendOne(backend: WakeUpBackend): Promise<void> {
  const stream = await createWakeUpStream({ subjectId, observer: 'spec', backend, logger });
  await stream.sender.send([{ id: 'spec_1-7-0-0', lane: 0, seqNo: 7n as SeqNo, epoch: 0n }]);
  await stream.close();
}

/** What is looked at, and what everything of the backend is, before and after. */
async function lookAt(backend: WakeUpBackend, everything: () => Promise<unknown>): Promise<void> {
  await sendOne(backend);
  const before = await everything();
  const queues = await openJobQueues({ backend, logger });
  const queue = queues.ofLane('spec', subjectId, 0);
  expect(queues.ofLane('spec', subjectId, 0)).toBe(queue);
  expect((await queue.getJobs(['waiting'])).map((job) => [job.id, job.data])).toEqual([
    ['spec_1-7-0-0', { seqNo: '7', epoch: '0' }],
  ]);
  // A lane that nobody has used yet.
  expect(await queues.ofLane('spec', subjectId, 1).getJobCounts('waiting')).toEqual({ waiting: 0 });
  await queues.close();
  expect(await everything()).toEqual(before);
}

describe('queues that are looked at', () => {
  it('are read from PostgreSQL, and nothing is written there', async () => {
    const { url } = await server.createDatabase();
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      await lookAt({ kind: 'postgres', connectionString: url }, async () => {
        const tables = await client.query<{ name: string }>(
          `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'imart_jobs' ORDER BY 1`,
        );
        const rows: unknown[] = [];
        for (const { name } of tables.rows) {
          rows.push([name, (await client.query(`SELECT t::text FROM ${name} t ORDER BY 1`)).rows]);
        }
        expect(rows.length).toBeGreaterThan(0);
        return rows;
      });
    } finally {
      await client.end();
    }
  });

  it('make no tables where no worker has', async () => {
    const { url } = await server.createDatabase();
    const failure = await openJobQueues({
      backend: { kind: 'postgres', connectionString: url },
      logger,
    }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StreamUnavailableError);
    const client = new Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(`SELECT 1 FROM pg_namespace WHERE nspname = 'imart_jobs'`);
    await client.end();
    expect(rows).toEqual([]);
  });
});

describeWithRedis('queues in Redis that are looked at', () => {
  it('are read from Redis, and nothing is written there', async () => {
    const redis = await openTestRedis();
    const { url } = redis;
    const client = new Redis(url);
    try {
      await lookAt({ kind: 'redis', url, prefix: 'looked-at' }, async () => {
        const keys = (await client.keys('looked-at:*')).sort();
        expect(keys.length).toBeGreaterThan(0);
        return Promise.all(keys.map(async (key) => [key, (await client.dump(key)) ?? '']));
      });
    } finally {
      client.disconnect();
      await redis.stop();
    }
  });
});

describeWithOwnRedis('queues in a Redis of other settings', () => {
  it('are refused in a Redis that may evict jobs (Q4)', async () => {
    const evicting = await startTestRedis(['--maxmemory-policy', 'allkeys-lru']);
    try {
      await expect(
        openJobQueues({ backend: { kind: 'redis', url: evicting.url }, logger }),
      ).rejects.toBeInstanceOf(RedisPolicyError);
    } finally {
      await evicting.stop();
    }
  });

  it('are refused in a node of a cluster, which a link that may do without Redis does not ask', async () => {
    const cluster = await startTestRedis(['--cluster-enabled', 'yes']);
    const warnings: unknown[] = [];
    const link = createRedisLink({
      url: cluster.url,
      timeoutMs: 1_000,
      restMs: 0,
      logger: { ...logger, warn: (_message, fields) => warnings.push(fields?.['error']) },
      now: () => performance.now(),
    });
    try {
      await expect(
        openJobQueues({ backend: { kind: 'redis', url: cluster.url }, logger }),
      ).rejects.toBeInstanceOf(RedisClusterError);
      await until(() => warnings.length > 0, { what: 'the link says why it does not ask' });
      expect(await link.ask((redis) => redis.get('cache:imart:feed:eip155:1'))).toBeUndefined();
      expect([warnings, link.failures]).toEqual([
        [expect.stringContaining(`${cluster.port} is a node of a cluster`)],
        0,
      ]);
    } finally {
      link.close();
      await cluster.stop();
    }
  });
});
