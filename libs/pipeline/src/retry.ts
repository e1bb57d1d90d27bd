import { WorkerError } from '@imart/core';

/** How long to wait between attempts. */
export interface RetrySchedule {
  /** Upper bound of the first wait. */
  readonly firstMs: number;
  /** Upper bound of every wait. */
  readonly maxMs: number;
}

export const STORAGE_RETRY: RetrySchedule = { firstMs: 50, maxMs: 5_000 };

/**
 * The wait before attempt `attempt` (from 1, the first retry): full jitter below `firstMs * 2^(attempt - 1)`, at most
 * `maxMs`. Full jitter, so that workers that failed together do not come back together.
 */
export function retryDelayMs(schedule: RetrySchedule, attempt: number, random: () => number): number {
  const bound = Math.min(schedule.maxMs, schedule.firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.ceil(random() * bound);
}

/** Waits; resolves early, without an error, when the signal aborts. */
export function waitMs(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

/** How often an error that nobody has given a fate is met before it stops the worker. */
export const UNKNOWN_ERROR_ATTEMPTS_MAX = 8;

/**
 * Whether to try again after an error at this attempt, from 1. What is known to pass is tried for ever; what stops, stops;
 * what is not known may pass, a few times: a fault that comes again each time must not look like work going on.
 */
export function mayRetry(error: unknown, attempt: number): boolean {
  if (error instanceof WorkerError) return error.disposition === 'retry';
  return attempt < UNKNOWN_ERROR_ATTEMPTS_MAX;
}
