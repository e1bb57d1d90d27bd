import type { Queue } from 'bullmq';
import type { SubjectId } from '@imart/core';
import type { Logger } from '@imart/pipeline';
import { JOBS_SCHEMA_DEFAULT, REDIS_PREFIX_DEFAULT, type WakeUpBackend } from './createWakeUpStream';
import { createErrorLog } from './errorLog';
import { createPostgresJobs } from './postgresJobs';
import { createRedisJobs } from './redisJobs';
import { laneQueueName } from './wakeUpJob';

export interface JobQueuesOptions {
  readonly backend: WakeUpBackend;
  readonly logger: Logger;
  /** Milliseconds; for how often an error is logged. @defaultValue `Date.now` */
  readonly now?: () => number;
}

/** The queues of wake-ups, for whoever looks at their jobs. */
export interface JobQueues {
  /** The queue of a lane, as BullMQ's own class; one object for each lane, made when it is asked for first. */
  ofLane(observer: string, subjectId: SubjectId, lane: number): Queue;
  /** Closes every queue and connection, within a bound. */
  close(): Promise<void>;
}

/**
 * Opens the queues for looking at them: nothing is made or changed by it. A lost connection to Redis is made again; calls fail
 * at once meanwhile.
 *
 * @throws {RedisPolicyError} `stop` when Redis may evict jobs.
 * @throws {RedisClusterError} `stop` when it is a node of a cluster.
 * @throws {StreamUnavailableError} `retry` when the backend cannot be reached, or no worker has made its tables yet.
 */
export async function openJobQueues(options: JobQueuesOptions): Promise<JobQueues> {
  const { backend, logger, now = Date.now } = options;
  const onError = createErrorLog(logger, { backend: backend.kind }, now);
  const jobs =
    backend.kind === 'redis'
      ? await createRedisJobs({ url: backend.url, prefix: backend.prefix ?? REDIS_PREFIX_DEFAULT, onError })
      : await createPostgresJobs({
          connectionString: backend.connectionString,
          schema: backend.schema ?? JOBS_SCHEMA_DEFAULT,
          migrate: false,
          onError,
        });
  const queues = new Map<string, Queue>();
  return {
    ofLane(observer, subjectId, lane) {
      const name = laneQueueName(observer, subjectId, lane, jobs.kind);
      let queue = queues.get(name);
      if (queue === undefined) {
        // Both backends give a `Queue`; that type alone, without parameters, says Redis, and is what viewers of jobs take.
        queue = jobs.queue(name, true) as unknown as Queue;
        queues.set(name, queue);
      }
      return queue;
    },
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close().catch(onError)));
      await jobs.close();
    },
  };
}
