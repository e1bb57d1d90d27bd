import { dispositionOf, messageOf } from '@imart/core';
import { retryDelayMs, STORAGE_RETRY, waitMs, type Logger } from '@imart/pipeline';
import { toConnectError } from '@imart/storage';

export interface DatabaseThereOptions {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** @defaultValue `Math.random` */
  readonly random?: () => number;
}

/**
 * Does a step of the start again until the database takes it: a server that restarts while a worker starts is waited for, as one that
 * restarts later is (Q12). The step may be done more than once.
 *
 * @throws what is not a passing fault of the database, and anything after the signal has aborted.
 */
export async function databaseThere<T>(
  step: () => Promise<T>,
  { logger, signal, random = Math.random }: DatabaseThereOptions,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await step();
    } catch (cause) {
      const error = toConnectError(cause);
      if (dispositionOf(error) === 'stop' || signal.aborted || !isPassing(error)) throw error;
      const delayMs = retryDelayMs(STORAGE_RETRY, attempt, random);
      logger.warn('the database is not there, trying again', { attempt, delayMs, error: messageOf(error) });
      await waitMs(delayMs, signal);
      if (signal.aborted) throw error;
    }
  }
}

function isPassing(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'STORAGE_UNAVAILABLE';
}
