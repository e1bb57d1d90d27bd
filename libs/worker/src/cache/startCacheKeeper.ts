import { messageOf, type SubjectId } from '@imart/core';
import type { SubjectStore } from '@imart/pipeline';
import type { Logger, Metrics, Shutdown } from '@imart/runtime';
import { openCacheKeeping, readBehindHead, readTouched, type DatabasePool } from '@imart/storage';
import { createCacheDropper, createRedisLink } from '@imart/stream';
import { databaseThere } from '../databaseThere';
import type { WorkerConfig } from '../settings';
import { createCacheKeeperStats, runCacheKeeper, type CacheKeeperStats } from './cacheKeeper';

/** How long one step in Redis may take, and how long none is tried after one that failed. */
const STEP_TIMEOUT_MS = 1_000;
const REST_MS = 500;

export interface StartCacheKeeperOptions {
  readonly config: Pick<WorkerConfig, 'redisUrl' | 'cacheRedisUrl' | 'leaseMs'>;
  readonly pool: DatabasePool;
  /** The subject's number. */
  readonly subject: number;
  readonly subjectId: SubjectId;
  readonly store: SubjectStore;
  /** As of a program: farther behind the head the log is being caught up with. */
  readonly nearHeadPositions: bigint;
  readonly holder: string;
  readonly logger: Logger;
  readonly shutdown: Pick<Shutdown, 'signal' | 'onClose'>;
}

/**
 * Drops what changes from the API's cache, beside the lanes, until the shutdown. What ends it for good ends only it: nobody uses the cache
 * then, and the log says why.
 * @returns `null` where there is no Redis.
 */
export async function startCacheKeeper(options: StartCacheKeeperOptions): Promise<CacheKeeperStats | null> {
  const { config, pool, subject, subjectId, store, nearHeadPositions, holder, logger, shutdown } = options;
  const url = config.cacheRedisUrl ?? config.redisUrl;
  if (url === undefined) return null;
  const { signal } = shutdown;
  const leases = await databaseThere(() => openCacheKeeping(pool, subject), { logger, signal });
  const now = (): number => performance.now();
  const redis = createRedisLink({ url, timeoutMs: STEP_TIMEOUT_MS, restMs: REST_MS, logger, now });
  const stats = createCacheKeeperStats();
  const running = runCacheKeeper(
    {
      subjectId,
      feed: store,
      leases,
      dropper: createCacheDropper(redis, subjectId),
      progress: () => store.progress(),
      touchedBy: (events) => readTouched(pool, subject, events),
      isNearHead: async () => {
        const behind = await readBehindHead(pool, subject);
        return behind !== null && behind <= nearHeadPositions;
      },
      holder,
      leaseMs: config.leaseMs,
      logger,
      random: Math.random,
      now,
      stats,
    },
    signal,
  ).catch((error: unknown) => {
    stats.keeping = false;
    if (!signal.aborted)
      logger.error(`the cache is not used any more: ${messageOf(error)}`, { subject: subjectId, error });
  });
  shutdown.onClose('cache', async () => {
    await running;
    redis.close();
  });
  return stats;
}

/** Registers what an operator must know of it. */
export function registerCacheKeeper(metrics: Metrics, stats: Readonly<CacheKeeperStats>): void {
  metrics.counter(
    'cache_drops_total',
    "Names whose answers this process dropped from the API's cache.",
    [],
    (counter) => counter.add(stats.drops),
  );
  metrics.counter(
    'cache_eras_total',
    'Times that this process dropped everything: at its start, after a reorg, when Redis was away.',
    [],
    (counter) => counter.add(stats.eras),
  );
  metrics.gauge(
    'cache_keeping',
    "1 while this process drops what changes from the API's cache; without anybody the cache is not used.",
    [],
    (gauge) => gauge.set(stats.keeping ? 1 : 0),
  );
}
