import { Redis } from 'ioredis';
import { createRedisBackend, Queue, Worker } from 'bullmq';
import { messageOf } from '@imart/core';
import { CLOSE_TIMEOUT_MS, CONNECT_TIMEOUT_MS, DISCONNECT_TIMEOUT_MS, RECONNECT_DELAY_MAX_MS } from './bounds';
import { RedisPolicyError, StreamUnavailableError } from './errors';
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
 * @throws {RedisPolicyError} `stop` when the server may throw jobs away.
 * @throws {StreamUnavailableError} `retry` when it cannot be reached or refuses the login.
 */
export async function createRedisJobs(options: RedisJobsOptions): Promise<JobBackend> {
  const { url, prefix, onError } = options;
  const label = `redis ${redisHost(url)}`;
  const connections: Redis[] = [];
  const connect = (purpose: 'send' | 'work'): Redis => {
    const redis = new Redis(url, {
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      retryStrategy: (times) => Math.min(25 * 2 ** Math.min(times, 10), RECONNECT_DELAY_MAX_MS),
      // A worker waits for its connection for ever; whoever sends wants to know.
      maxRetriesPerRequest: purpose === 'work' ? null : 1,
      enableOfflineQueue: purpose === 'work',
    });
    redis.on('error', onError);
    connections.push(redis);
    return redis;
  };

  const sending = connect('send');
  try {
    await firstConnection(sending);
    const policy = evictionPolicy(await sending.info('memory'));
    if (policy !== 'noeviction') throw new RedisPolicyError(redisHost(url), policy);
  } catch (error) {
    sending.disconnect();
    if (error instanceof RedisPolicyError) throw error;
    throw new StreamUnavailableError(label, messageOf(error), error);
  }

  return {
    kind: 'redis',
    label,
    queue: (name) => {
      const queue = new Queue(name, { connection: sending, prefix, skipWaitingForReady: true }, createRedisBackend);
      queue.on('error', onError);
      return queue;
    },
    worker: (name, processor, workerOptions, events) => {
      const redis = connect('work');
      // The worker makes a second connection, for waiting, from this one; it must be cut too when closing takes too long.
      const duplicate = redis.duplicate.bind(redis);
      redis.duplicate = (override) => {
        const waiting = duplicate(override);
        connections.push(waiting);
        return waiting;
      };
      const worker = new Worker(name, processor, { ...workerOptions, connection: redis, prefix }, createRedisBackend);
      worker.on('error', events.onError);
      worker.on('failed', (job, error) => events.onFailed(job?.id ?? '', error));
      worker.on('stalled', events.onStalled);
      return worker;
    },
    assertReachable: () => {
      if (sending.status !== 'ready') throw new StreamUnavailableError(label, `the connection is ${sending.status}`);
    },
    close: async () => {
      for (const redis of connections) {
        if (redis.status === 'ready') await within(CLOSE_TIMEOUT_MS, redis.quit().then(() => undefined, () => undefined), () => undefined);
        redis.disconnect();
      }
    },
  };
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

/** Host and port of a Redis URL: what may be logged. */
export function redisHost(url: string): string {
  try {
    const { hostname, port } = new URL(url);
    return `${hostname}:${port === '' ? '6379' : port}`;
  } catch {
    return '(address not readable)';
  }
}
