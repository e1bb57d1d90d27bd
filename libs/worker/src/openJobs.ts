import { dispositionOf, messageOf, type SubjectId } from '@imart/core';
import { retryDelayMs, STORAGE_RETRY, waitMs } from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import { createWakeUpStream, type WakeUpStream } from '@imart/stream';
import { OBSERVER } from './openSubjectStore';
import type { WorkerConfig } from './settings';

/**
 * The queues of wake-ups, in Redis or in the database. Waits for a server that is not there yet.
 * @returns `null` when the signal aborted.
 * @throws {RedisPolicyError} `stop` when Redis may throw jobs away.
 * @throws {RedisClusterError} `stop` when it is a node of a cluster.
 */
export async function openJobs(
  config: Pick<WorkerConfig, 'redisUrl'>,
  databaseUrl: string,
  subjectId: SubjectId,
  logger: Logger,
  signal: AbortSignal,
): Promise<WakeUpStream | null> {
  const backend =
    config.redisUrl === undefined
      ? ({ kind: 'postgres', connectionString: databaseUrl } as const)
      : ({ kind: 'redis', url: config.redisUrl } as const);
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await createWakeUpStream({ subjectId, observer: OBSERVER, backend, logger });
    } catch (error) {
      if (dispositionOf(error) !== 'retry') throw error;
      const delayMs = retryDelayMs(STORAGE_RETRY, attempt, Math.random);
      logger.warn("the jobs' backend is not there, trying again", {
        attempt,
        delayMs,
        error: messageOf(error),
      });
      await waitMs(delayMs, signal);
    }
  }
  return null;
}
