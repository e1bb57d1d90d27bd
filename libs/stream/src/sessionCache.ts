import { Redis } from 'ioredis';
import { messageOf } from '@imart/core';
import type { Logger } from '@imart/pipeline';
import type { Purchase, SessionCache } from '@imart/purchase';
import { CONNECT_TIMEOUT_MS, DISCONNECT_TIMEOUT_MS, RECONNECT_DELAY_MAX_MS } from './bounds';
import { createErrorLog } from './errorLog';

/** @defaultValue for `keptMs`: an hour */
export const SESSION_KEPT_MS_DEFAULT = 3_600_000;
/** @defaultValue for `prefix` */
export const SESSION_PREFIX_DEFAULT = 'imart:purchase:';
/** An answer of the cache is worth no more time: the database is asked then. */
const COMMAND_TIMEOUT_MS = 250;

export interface RedisSessionCacheOptions {
  /** `redis://` or `rediss://`. Never logged. Not the database of the jobs: these must not be evicted, and results may be. */
  readonly url: string;
  /** Of all keys. @defaultValue {@link SESSION_PREFIX_DEFAULT} */
  readonly prefix?: string;
  /** How long a result is at hand, at most. @defaultValue {@link SESSION_KEPT_MS_DEFAULT} */
  readonly keptMs?: number;
  readonly logger: Logger;
}

/**
 * Results of purchases in Redis, each with an end of its own, which is not after the result's. Nothing depends on it: a server that is
 * away, or has forgotten, costs a look into the database.
 */
export interface RedisSessionCache extends SessionCache {
  close(): Promise<void>;
}

export function createRedisSessionCache(options: RedisSessionCacheOptions): RedisSessionCache {
  const { url, prefix = SESSION_PREFIX_DEFAULT, keptMs = SESSION_KEPT_MS_DEFAULT, logger } = options;
  let ending = false;
  const redis = new Redis(url, {
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (times) =>
      ending ? null : Math.min(25 * 2 ** Math.min(times, 10), RECONNECT_DELAY_MAX_MS),
  });
  redis.on(
    'error',
    createErrorLog(logger, {}, () => performance.now(), 'the cache of results reports an error'),
  );
  return {
    async put(ended) {
      const pipeline = redis.pipeline();
      for (const purchase of ended) {
        const leftMs = Date.parse(purchase.expiresAt as string) - Date.parse(purchase.finishedAt as string);
        const ttlMs = Math.floor(Math.min(keptMs, leftMs));
        if (ttlMs > 0) pipeline.set(`${prefix}${purchase.id}`, JSON.stringify(purchase), 'PX', ttlMs);
      }
      const failed = (await pipeline.exec())?.find(([error]) => error !== null);
      if (failed !== undefined) throw failed[0];
    },
    async get(id) {
      const text = await redis.get(`${prefix}${id}`);
      return text === null ? null : (JSON.parse(text) as Purchase);
    },
    async close() {
      ending = true;
      await redis.quit().catch((error: unknown) => {
        logger.debug('the cache of results was left', { error: messageOf(error) });
        redis.disconnect();
      });
    },
  };
}
