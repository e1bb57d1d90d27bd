import { Redis } from 'ioredis';
import { createRedisBackend, Queue, Worker } from 'bullmq';
import { messageOf } from '@imart/core';
import {
  CLOSE_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  DISCONNECT_TIMEOUT_MS,
  RECONNECT_DELAY_MAX_MS,
} from './bounds';
import { RedisClusterError, RedisPolicyError, StreamUnavailableError } from './errors';
import { within, type JobBackend } from './jobBackend';

export interface RedisJobsOptions {
  /** `redis://` or `rediss://`, with user and password where the server wants them. Never logged. */
  readonly url: string;
  /** Of all keys. */
  readonly prefix: string;
  readonly onError: (error: Error) => void;
}

/**
 * Jobs in Redis. A lost connection is made again, for ever; sending meanwhile fails at once.
 *
 * @throws {RedisClusterError} `stop` when the server is a node of a cluster.
 * @throws {RedisPolicyError} `stop` when the server may throw jobs away.
 * @throws {StreamUnavailableError} `retry` when it cannot be reached or refuses the login.
 */
export async function createRedisJobs(options: RedisJobsOptions): Promise<JobBackend> {
  const { url, prefix, onError } = options;
  const label = `redis ${redisHost(url)}`;
  const everyConnection: Connections[] = [];
  const connect = (overrides: {
    maxRetriesPerRequest: number | null;
    enableOfflineQueue?: boolean;
  }): { redis: Redis; connections: Connections } => {
    const connections: Connections = { open: [], ending: false };
    const redis = new Redis(url, {
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      retryStrategy: (times) =>
        connections.ending ? null : Math.min(25 * 2 ** Math.min(times, 10), RECONNECT_DELAY_MAX_MS),
      ...overrides,
    });
    redis.on('error', onError);
    connections.open.push(redis);
    everyConnection.push(connections);
    return { redis, connections };
  };

  // Whoever sends wants to know at once that it does not work.
  const { redis: sending } = connect({ maxRetriesPerRequest: 1, enableOfflineQueue: false });
  try {
    await firstConnection(sending);
    if (isOfCluster(await sending.info('server'))) throw new RedisClusterError(redisHost(url));
    const policy = evictionPolicy(await sending.info('memory'));
    if (policy !== 'noeviction') throw new RedisPolicyError(redisHost(url), policy);
  } catch (error) {
    sending.disconnect();
    if (error instanceof RedisPolicyError || error instanceof RedisClusterError) throw error;
    throw new StreamUnavailableError(label, messageOf(error), error);
  }

  return {
    kind: 'redis',
    label,
    queue: (name, look = false) => {
      const queue = new Queue(
        name,
        { connection: sending, prefix, skipWaitingForReady: true, skipMetasUpdate: look },
        createRedisBackend,
      );
      queue.on('error', onError);
      return queue;
    },
    worker: (name, processor, workerOptions, events) => {
      // A worker waits for its connection for ever.
      const { redis, connections } = connect({ maxRetriesPerRequest: null });
      includeDuplicates(redis, connections);
      const worker = new Worker(
        name,
        processor,
        { ...workerOptions, connection: redis, prefix },
        createRedisBackend,
      );
      worker.on('error', events.onError);
      worker.on('failed', (job, error) => events.onFailed(job?.id ?? '', error));
      worker.on('stalled', events.onStalled);
      return {
        run: () => worker.run(),
        waitUntilReady: () => worker.waitUntilReady(),
        pause: (doNotWaitActive) => worker.pause(doNotWaitActive),
        close: async (force) => {
          const closed = worker.close(force);
          connections.ending = true;
          await within(CLOSE_TIMEOUT_MS, closed, () => undefined);
          await endAll(connections);
        },
      };
    },
    assertReachable: () => {
      if (sending.status !== 'ready')
        throw new StreamUnavailableError(label, `the connection is ${sending.status}`);
    },
    close: async () => {
      await Promise.all(everyConnection.map(endAll));
    },
  };
}

/** Connections that end together. */
interface Connections {
  readonly open: Redis[];
  /** Those that are lost from now on are not made again. */
  ending: boolean;
}

/**
 * A worker makes a second connection, for waiting, from the one it is given: it belongs to the same worker.
 *
 * ioredis never settles the commands of a connection that is cut while it waits to be made again, and BullMQ would wait for
 * them until its own watchdogs bark. Such a connection is not cut: it ends with its next attempt.
 */
function includeDuplicates(redis: Redis, connections: Connections): void {
  const duplicate = redis.duplicate.bind(redis);
  redis.duplicate = (override) => {
    const waiting = duplicate(override);
    const disconnect = waiting.disconnect.bind(waiting);
    waiting.disconnect = (reconnect) => {
      if (!connections.ending || waiting.status !== 'reconnecting') disconnect(reconnect);
    };
    connections.open.push(waiting);
    return waiting;
  };
}

/** Ends connections, within a bound. */
async function endAll(connections: Connections): Promise<void> {
  connections.ending = true;
  const open = connections.open.splice(0);
  await Promise.all(open.map((redis) => within(CLOSE_TIMEOUT_MS, endOf(redis), () => redis.disconnect())));
}

async function endOf(redis: Redis): Promise<void> {
  if (redis.status === 'end' || redis.status === 'wait') return;
  const ended = new Promise<void>((resolve) => redis.once('end', resolve));
  if (redis.status !== 'reconnecting') redis.disconnect();
  await ended;
}

/** Connects once: a wrong address is told at the start, not retried behind it. */
async function firstConnection(redis: Redis): Promise<void> {
  // ioredis goes on trying after a failed first connection; `connect` rejects with the first failure all the same.
  await within(CONNECT_TIMEOUT_MS, redis.connect(), () => {
    throw new Error(`no answer within ${CONNECT_TIMEOUT_MS} ms`);
  });
}

/** The eviction policy that `INFO memory` tells: unlike `CONFIG GET`, hosted servers allow it. */
export function evictionPolicy(info: string): string {
  return /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'unknown';
}

/** Whether the server is a node of a cluster, by what `INFO server` tells. */
export function isOfCluster(info: string): boolean {
  return /^redis_mode:cluster\s*$/m.test(info);
}

/** Host and port of a Redis URL: what may be logged. */
export function redisHost(url: string): string {
  try {
    const { hostname, port } = new URL(url);
    return `${hostname}:${port === '' ? '6379' : port}`;
  } catch {
    return '(address not readable)';
  }
}
