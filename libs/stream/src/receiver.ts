import { messageOf, type SubjectId } from '@imart/core';
import type { Logger, WakeUp, WakeUpFate, WakeUpReceiver } from '@imart/pipeline';
import {
  CLOSE_TIMEOUT_MS,
  COMPLETED_JOBS_KEPT,
  DRAIN_TIMEOUT_MS,
  FAILED_JOBS_KEPT,
  FETCH_RETRY_DELAY_MS,
  LOCK_DURATION_MS,
  STALLED_COUNT_MAX,
  STALLED_INTERVAL_MS,
} from './bounds';
import { within, type JobBackend, type JobWorker } from './jobBackend';
import type { WakeUpStats } from './stats';
import { fromJob } from './wakeUpJob';

export interface ReceiverOptions {
  readonly backend: JobBackend;
  readonly queueNameOf: (lane: number) => string;
  readonly subjectId: SubjectId;
  readonly stats: WakeUpStats;
  readonly logger: Logger;
  readonly onError: (error: Error) => void;
}

/**
 * One worker for each lane, one job at a time. A handler that throws fails its job, which is kept with the reason and not
 * repeated: whoever handles wake-ups retries inside, because order comes from the log.
 */
export function createReceiver(options: ReceiverOptions): WakeUpReceiver {
  const { backend, queueNameOf, subjectId, stats, logger, onError } = options;
  const workers: JobWorker[] = [];
  const running = new Set<Promise<unknown>>();

  const startLane = async (lane: number, handler: (wakeUp: WakeUp) => Promise<WakeUpFate>): Promise<void> => {
    const queue = queueNameOf(lane);
    const worker = backend.worker(
      queue,
      async (job) => {
        const handling = handler(fromJob(queue, lane, job));
        running.add(handling);
        try {
          const fate = await handling;
          stats.handled++;
          return fate;
        } finally {
          running.delete(handling);
        }
      },
      {
        autorun: false,
        concurrency: 1,
        lockDuration: LOCK_DURATION_MS,
        stalledInterval: STALLED_INTERVAL_MS,
        maxStalledCount: STALLED_COUNT_MAX,
        runRetryDelay: FETCH_RETRY_DELAY_MS,
        removeOnComplete: { count: COMPLETED_JOBS_KEPT },
        removeOnFail: { count: FAILED_JOBS_KEPT },
      },
      {
        onError,
        onFailed(id, error) {
          stats.failed++;
          logger.error('a wake-up failed', { subject: subjectId, lane, job: id, error: messageOf(error) });
        },
        onStalled(id) {
          stats.stalled++;
          logger.warn('a wake-up was taken over from a worker that is gone', {
            subject: subjectId,
            lane,
            job: id,
          });
        },
      },
    );
    workers.push(worker);
    await worker.waitUntilReady();
    worker.run().catch(onError);
  };

  return {
    async start(lanes, handler) {
      if (workers.length > 0) throw new RangeError('the receiver of wake-ups runs already: stop it first');
      await Promise.all(lanes.map((lane) => startLane(lane, handler)));
    },
    async stop() {
      const stopping = workers.splice(0);
      await Promise.all(stopping.map((worker) => worker.pause(true)));
      const drained = await within(
        DRAIN_TIMEOUT_MS,
        Promise.allSettled(running).then(() => true),
        () => false,
      );
      if (!drained) {
        logger.warn('wake-ups still run while the worker stops: their jobs are left to be taken over', {
          subject: subjectId,
          running: running.size,
        });
      }
      await Promise.all(stopping.map((worker) => closeWorker(worker, !drained)));
    },
  };

  async function closeWorker(worker: JobWorker, force: boolean): Promise<void> {
    const close = worker.close(force).catch(onError);
    await within(2 * CLOSE_TIMEOUT_MS, close, () => undefined);
  }
}
