import { Redis } from 'ioredis';
import type { Logger } from '@imart/pipeline';
import { CONNECT_TIMEOUT_MS, DISCONNECT_TIMEOUT_MS, RECONNECT_DELAY_MAX_MS } from './bounds';
import { createErrorLog } from './errorLog';
import { RedisClusterError } from './errors';
import { isOfCluster, redisHost } from './redisJobs';

export interface RedisLinkOptions {
  /** `redis://` or `rediss://`, with user and password where the server wants them. Never logged. */
  readonly url: string;
  /** How long one answer may take. */
  readonly timeoutMs: number;
  /** After a failure nobody asks again for so long. */
  readonly restMs: number;
  readonly logger: Logger;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

/** A Redis that may be away: whoever uses it goes on without it. */
export interface RedisLink {
  /**
   * Asks, when it is likely that there will be an answer.
   * @returns `undefined`: Redis is away, rests after a failure, or did not answer in time. The command may have been done or not.
   */
  ask<T>(command: (redis: Redis) => Promise<T>): Promise<T | undefined>;
  /** Failures so far. */
  readonly failures: number;
  close(): void;
}

/**
 * Connects in the background, again and again; never makes anybody wait for that. A server that turns out to be a node of a cluster is never
 * asked: that it cannot be used is logged once for each connection, as `REDIS_CLUSTER`.
 */
export function createRedisLink(options: RedisLinkOptions): RedisLink {
  const { url, timeoutMs, restMs, logger, now } = options;
  const onError = createErrorLog(logger, { redis: redisHost(url) }, now);
  const redis = new Redis(url, {
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(25 * 2 ** Math.min(times, 10), RECONNECT_DELAY_MAX_MS),
  });
  redis.on('error', onError);
  let restsUntil = -Infinity;
  let failures = 0;
  let usable = false;
  redis.on('close', () => (usable = false));
  redis.on('ready', () => {
    redis.info('server').then(
      (info) => {
        usable = !isOfCluster(info);
        if (!usable) onError(new RedisClusterError(redisHost(url)));
      },
      // A user that may not ask may use it all the same; when the connection is lost, the next one asks again.
      (error: Error) => {
        usable = redis.status === 'ready';
        onError(error);
      },
    );
  });
  return {
    get failures() {
      return failures;
    },
    async ask(command) {
      if (redis.status !== 'ready' || !usable || now() < restsUntil) return undefined;
      try {
        return await command(redis);
      } catch (error) {
        failures++;
        restsUntil = now() + restMs;
        onError(error as Error);
        return undefined;
      }
    },
    close: () => redis.disconnect(),
  };
}
