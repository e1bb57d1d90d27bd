import { WorkerError } from '@imart/core';

/** Redis may throw away what is to stay when its memory is full. */
export class RedisPolicyError extends WorkerError {
  /** @param what is kept there. */
  constructor(host: string, policy: string, what = 'jobs') {
    super(
      `Redis at ${host} has the maxmemory-policy "${policy}"; ${what} need "noeviction", or Redis drops them when its memory ` +
        `is full. Mend it with: redis-cli CONFIG SET maxmemory-policy noeviction (and in redis.conf, to stay after a restart)`,
      { code: 'REDIS_POLICY', disposition: 'stop', fields: { host, policy } },
    );
  }
}

/** Redis is a node of a cluster: keys that belong together would lie on several nodes. */
export class RedisClusterError extends WorkerError {
  constructor(host: string) {
    super(
      `Redis at ${host} is a node of a cluster (cluster-enabled yes), which is not supported: name a server of its own, ` +
        'or a replicated one behind one address',
      { code: 'REDIS_CLUSTER', disposition: 'stop', fields: { host } },
    );
  }
}

/** The jobs' backend cannot be reached, or did not answer in time. A wake-up may have been sent or not: send it again. */
export class StreamUnavailableError extends WorkerError {
  constructor(backend: string, detail: string, cause?: unknown) {
    super(`the jobs' backend (${backend}) is not available: ${detail}`, {
      code: 'STREAM_UNAVAILABLE',
      disposition: 'retry',
      fields: { backend },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** Whoever takes events from a queue failed with one. It is told again. */
export class EventNotTakenError extends WorkerError {
  constructor(queue: string, id: string, reason: string) {
    super(`event "${id}" in queue ${queue} was not taken: ${reason}`, {
      code: 'EVENT_NOT_TAKEN',
      disposition: 'retry',
      fields: { queue, id },
    });
  }
}

/** A job in a lane's queue that no sender of wake-ups made. */
export class WakeUpDataError extends WorkerError {
  constructor(queue: string, id: string) {
    super(
      `job "${id}" in queue ${queue} is no wake-up: it has no seqNo and epoch as decimal text; remove it`,
      {
        code: 'WAKE_UP_DATA',
        disposition: 'park',
        fields: { queue, id },
      },
    );
  }
}
