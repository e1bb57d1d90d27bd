import type { SubjectId } from '@imart/core';
import type { Logger, WakeUpFate, WakeUpReceiver, WakeUpSender } from '@imart/pipeline';
import { createErrorLog } from './errorLog';
import type { JobBackend, JobQueue } from './jobBackend';
import { createPostgresJobs } from './postgresJobs';
import { createReceiver } from './receiver';
import { createRedisJobs } from './redisJobs';
import { createSender } from './sender';
import { createWakeUpStats, type WakeUpStats } from './stats';
import { laneQueueName } from './wakeUpJob';

/** Where the jobs live. */
export type WakeUpBackend =
  | {
      readonly kind: 'postgres';
      readonly connectionString: string;
      /** @defaultValue {@link JOBS_SCHEMA_DEFAULT} */
      readonly schema?: string;
    }
  | {
      readonly kind: 'redis';
      /** Never logged but for host and port. */
      readonly url: string;
      /** Of all keys. @defaultValue {@link REDIS_PREFIX_DEFAULT} */
      readonly prefix?: string;
    };

export const JOBS_SCHEMA_DEFAULT = 'imart_jobs';
export const REDIS_PREFIX_DEFAULT = 'imart';

export interface WakeUpStreamOptions {
  readonly subjectId: SubjectId;
  /** Name of the observer whose lanes are woken. */
  readonly observer: string;
  readonly backend: WakeUpBackend;
  readonly logger: Logger;
  /** Milliseconds; for how often an error is logged. @defaultValue `Date.now` */
  readonly now?: () => number;
}

/** What is known of a wake-up's job while it is kept. */
export interface WakeUpJob {
  readonly state: 'waiting' | 'active' | 'completed' | 'failed' | 'other';
  /** Of a completed job. */
  readonly fate: WakeUpFate | null;
  /** Of a failed job: the handler's message. */
  readonly failedReason: string | null;
}

/** How many jobs of a lane are in which state. */
export interface LaneJobCounts {
  readonly waiting: number;
  readonly active: number;
  readonly completed: number;
  readonly failed: number;
}

/** Wake-ups of one observer on one subject. */
export interface WakeUpStream {
  readonly sender: WakeUpSender;
  readonly receiver: WakeUpReceiver;
  readonly stats: Readonly<WakeUpStats>;
  /** The queue of a lane, as a viewer of jobs names it. */
  queueName(lane: number): string;
  /** `null`: never sent, or finished so long ago that it is no longer kept. */
  job(lane: number, id: string): Promise<WakeUpJob | null>;
  counts(lane: number): Promise<LaneJobCounts>;
  /** Stops the receiver, waits for running handlers within a bound, and closes every connection. May be called again. */
  close(): Promise<void>;
}

/**
 * Wake-ups as jobs: one queue for each lane. A job carries no truth; losing, repeating and reordering jobs costs latency
 * only, and the sweeper sends what is missing. Resolves when the backend is ready to take jobs.
 *
 * @throws {RedisPolicyError} `stop` when Redis may evict jobs.
 * @throws {RedisClusterError} `stop` when it is a node of a cluster.
 * @throws {StreamUnavailableError} `retry` when the backend cannot be reached.
 */
export async function createWakeUpStream(options: WakeUpStreamOptions): Promise<WakeUpStream> {
  const { subjectId, observer, logger, now = Date.now } = options;
  const stats = createWakeUpStats();
  const logError = createErrorLog(logger, { subject: subjectId, backend: options.backend.kind }, now);
  const onError = (error: Error): void => {
    stats.backendErrors++;
    logError(error);
  };

  const backend = await openBackend(options.backend, onError);
  const queueName = (lane: number): string => laneQueueName(observer, subjectId, lane, backend.kind);
  const queues = new Map<number, JobQueue>();
  const queueOf = (lane: number): JobQueue => {
    let queue = queues.get(lane);
    if (queue === undefined) queues.set(lane, (queue = backend.queue(queueName(lane))));
    return queue;
  };
  const receiver = createReceiver({ backend, queueNameOf: queueName, subjectId, stats, logger, onError });
  let closing: Promise<void> | null = null;

  return {
    sender: createSender({ backend, queueOf, subjectId, stats }),
    receiver,
    stats,
    queueName,
    async job(lane, id) {
      const job = await queueOf(lane).getJob(id);
      if (job === undefined) return null;
      const state = await job.getState();
      return {
        state: isKnownState(state) ? state : 'other',
        fate: state === 'completed' ? (job.returnvalue as WakeUpFate) : null,
        failedReason: state === 'failed' ? job.failedReason : null,
      };
    },
    async counts(lane) {
      const counts = await queueOf(lane).getJobCounts('wait', 'active', 'completed', 'failed');
      const of = (state: string): number => counts[state] ?? 0;
      return {
        waiting: of('wait') + of('waiting'),
        active: of('active'),
        completed: of('completed'),
        failed: of('failed'),
      };
    },
    close() {
      closing ??= (async () => {
        await receiver.stop();
        await Promise.all([...queues.values()].map((queue) => queue.close().catch(onError)));
        await backend.close();
      })();
      return closing;
    },
  };
}

/** Connects. Throws as {@link createWakeUpStream}. */
export function openBackend(backend: WakeUpBackend, onError: (error: Error) => void): Promise<JobBackend> {
  switch (backend.kind) {
    case 'postgres': {
      const { connectionString, schema = JOBS_SCHEMA_DEFAULT } = backend;
      return createPostgresJobs({ connectionString, schema, onError });
    }
    case 'redis': {
      const { url, prefix = REDIS_PREFIX_DEFAULT } = backend;
      return createRedisJobs({ url, prefix, onError });
    }
  }
}

const isKnownState = (state: string): state is 'waiting' | 'active' | 'completed' | 'failed' =>
  ['waiting', 'active', 'completed', 'failed'].includes(state);
