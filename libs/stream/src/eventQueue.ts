import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '@imart/core';
import type { Logger } from '@imart/pipeline';
import {
  CLOSE_TIMEOUT_MS,
  EVENT_JOBS_KEPT,
  EVENT_LOOK_MAX_MS,
  EVENT_LOOK_MIN_MS,
  EVENT_STALLED_COUNT_MAX,
  FAILED_JOBS_KEPT,
  FETCH_RETRY_DELAY_MS,
  LOCK_DURATION_MS,
  SEND_TIMEOUT_MS,
  STALLED_INTERVAL_MS,
} from './bounds';
import { openBackend, type WakeUpBackend } from './createWakeUpStream';
import { createErrorLog } from './errorLog';
import { EventNotTakenError, StreamUnavailableError } from './errors';
import { within, type JobBackend, type JobQueue, type KeptJob } from './jobBackend';

/** An event as its job has it. */
export interface QueuedEvent {
  /** Of the event: the job's id. Letters, digits and hyphens. */
  readonly id: string;
  /** JSON: the job's data. */
  readonly data: object;
}

export interface EventQueueOptions {
  readonly backend: WakeUpBackend;
  /** The aggregate type, and the subscription's name: together they name the queue. */
  readonly topic: string;
  readonly name: string;
  readonly logger: Logger;
  /** Milliseconds; for how often an error is logged. @defaultValue `Date.now` */
  readonly now?: () => number;
}

/** Tells a subscription's events by jobs, for whoever works with BullMQ. */
export interface EventQueue {
  /** As BullMQ names it. */
  readonly queueName: string;
  /**
   * Has events of one aggregate taken, one after the other: the next one is in the queue only when the one before it was completed. So
   * their order depends on no attempt and on no number of workers, the queue is as deep as the subscription has aggregates on their way,
   * and its cursor moves to what was completed: jobs that the backend has lost since are made again from there.
   * Resolves when all are completed, or the signal aborts.
   * @throws {EventNotTakenError} `retry`: a job failed; it is made anew when it is delivered again.
   * @throws {StreamUnavailableError} `retry`
   */
  deliver(events: readonly QueuedEvent[], signal: AbortSignal): Promise<void>;
  /** Jobs that nobody has completed. */
  depth(): Promise<number>;
  close(): Promise<void>;
}

/** The queue of a subscription. In Redis the braces keep its keys in one slot of a cluster. */
export function eventQueueName(topic: string, name: string, backend: WakeUpBackend['kind']): string {
  const queue = `events.${topic}.${name}`;
  return backend === 'redis' ? `{${queue}}` : queue;
}

const EVENT_JOB = 'event';

/**
 * Opens the queue for telling events.
 * @throws {RedisPolicyError} `stop` when Redis may evict jobs.
 * @throws {StreamUnavailableError} `retry` when the backend cannot be reached.
 */
export async function createEventQueue(options: EventQueueOptions): Promise<EventQueue> {
  const { topic, name, logger, now = Date.now } = options;
  const onError = createErrorLog(logger, { queue: `${topic}/${name}` }, now);
  const backend = await openBackend(options.backend, onError);
  const queueName = eventQueueName(topic, name, backend.kind);
  const queue = backend.queue(queueName);

  const deliverOne = async ({ id, data }: QueuedEvent, signal: AbortSignal): Promise<void> => {
    // What was added before, by this process or another one, is not added again; what the backend has lost is.
    for (let lookMs = EVENT_LOOK_MIN_MS; !signal.aborted; lookMs = Math.min(2 * lookMs, EVENT_LOOK_MAX_MS)) {
      const job = await ask(backend, () => queue.getJob(id));
      const state = job === undefined ? 'missing' : await ask(backend, () => job.getState());
      if (state === 'completed' && job !== undefined) return forgetData(backend, job);
      if (state === 'failed' && job !== undefined) {
        // It was read before its state: it may have failed in between, and not tell why yet.
        const failed = (await ask(backend, () => queue.getJob(id))) ?? job;
        await ask(backend, () => failed.remove());
        throw new EventNotTakenError(queueName, id, failed.failedReason);
      }
      if (job === undefined) await ask(backend, () => add(queue, id, data));
      await pause(lookMs, undefined, { signal }).catch(() => undefined);
    }
  };

  return {
    queueName,
    async deliver(events, signal) {
      for (const event of events) {
        if (signal.aborted) return;
        await deliverOne(event, signal);
      }
    },
    async depth() {
      const counts = await ask(backend, () => queue.getJobCounts('wait', 'active'));
      return (counts['wait'] ?? 0) + (counts['waiting'] ?? 0) + (counts['active'] ?? 0);
    },
    async close() {
      await queue.close().catch(onError);
      await backend.close();
    },
  };
}

const add = (queue: JobQueue, jobId: string, data: object): Promise<unknown> =>
  queue.addBulk([
    {
      name: EVENT_JOB,
      data,
      opts: {
        jobId,
        removeOnComplete: { count: EVENT_JOBS_KEPT },
        removeOnFail: { count: FAILED_JOBS_KEPT },
      },
    },
  ]);

/** A completed job stays by its id, so that nobody tells its event again after a crash; what it said is not kept. */
async function forgetData(backend: JobBackend, job: KeptJob): Promise<void> {
  if (Object.keys((job.data ?? {}) as object).length > 0) await ask(backend, () => job.updateData({}));
}

/** One call to the backend, within a bound. */
async function ask<T>(backend: JobBackend, call: () => Promise<T>): Promise<T> {
  try {
    backend.assertReachable();
    return await within(SEND_TIMEOUT_MS, call(), () => {
      throw new StreamUnavailableError(backend.label, `no answer within ${SEND_TIMEOUT_MS} ms`);
    });
  } catch (error) {
    if (error instanceof StreamUnavailableError) throw error;
    throw new StreamUnavailableError(backend.label, messageOf(error), error);
  }
}

export interface EventConsumerOptions extends EventQueueOptions {
  /**
   * Takes an event; when it resolves, the event is taken. At least once: a worker that dies is followed by another one with the same job.
   * What it throws fails the job: the event comes again, and its aggregate's later events wait for it.
   */
  readonly handle: (event: QueuedEvent) => Promise<void>;
  /** Events of different aggregates that are handled side by side. @defaultValue `1` */
  readonly concurrency?: number;
}

/** Takes events from a queue until it is closed. Any number may. */
export interface EventConsumer {
  /** Stops after what is being handled. */
  close(): Promise<void>;
}

/** A worker for {@link EventQueue}; any worker of BullMQ on its queue will do as well. Throws as {@link createEventQueue}. */
export async function createEventConsumer(options: EventConsumerOptions): Promise<EventConsumer> {
  const { topic, name, handle, concurrency = 1, logger, now = Date.now } = options;
  const onError = createErrorLog(logger, { queue: `${topic}/${name}` }, now);
  const backend = await openBackend(options.backend, onError);
  const queue = eventQueueName(topic, name, backend.kind);
  const worker = backend.worker(
    queue,
    async ({ id = '', data }) => {
      await handle({ id, data: data as object });
      return null;
    },
    {
      autorun: false,
      concurrency,
      lockDuration: LOCK_DURATION_MS,
      stalledInterval: STALLED_INTERVAL_MS,
      maxStalledCount: EVENT_STALLED_COUNT_MAX,
      runRetryDelay: FETCH_RETRY_DELAY_MS,
    },
    {
      onError,
      onFailed: (id, error) =>
        logger.warn('an event could not be handled', { queue, job: id, error: messageOf(error) }),
      onStalled: (id) =>
        logger.warn('an event was taken over from a worker that is gone', { queue, job: id }),
    },
  );
  await worker.waitUntilReady();
  worker.run().catch(onError);
  return {
    async close() {
      await within(2 * CLOSE_TIMEOUT_MS, worker.close(false).catch(onError), () => undefined);
      await backend.close();
    },
  };
}
