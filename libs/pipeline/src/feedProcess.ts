import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '@imart/core';
import { FencedError, LEASE_MS_DEFAULT, withLease, type IngestLeases } from './lease';
import type { Logger } from './ports';
import { mayRetry, retryDelayMs, STORAGE_RETRY, waitMs } from './retry';

export interface FeedProcessOptions {
  /** Of this reader, for messages and logs: `eip155:1/notifications`. */
  readonly label: string;
  /** Whose turn it is to read. */
  readonly leases: IngestLeases;
  /** Unique to this process. */
  readonly holder: string;
  /** @defaultValue {@link LEASE_MS_DEFAULT} */
  readonly leaseMs?: number;
  readonly logger: Logger;
  readonly random: () => number;
  /** Waits when there was nothing to read. @defaultValue for `pollMs` */
  readonly idle?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** How often to look when nobody rings. */
  readonly pollMs: number;
}

/**
 * Reads what is new, and commits how far it came.
 * @returns whether there was anything: then it is called again at once.
 */
export type ReadOnce = (fencing: bigint, signal: AbortSignal) => Promise<boolean>;

/**
 * Reads a feed until the signal aborts, while the lease is ours: of several processes with one name one reads, and another takes over from
 * what is committed. What may pass is tried again, without end.
 *
 * @param readOnce commits under the fencing number it is given; it throws {@link FencedError} when that is not taken any more.
 * @throws what is of disposition `stop`, but for the loss of the lease.
 */
export async function runFeedProcess(
  options: FeedProcessOptions,
  signal: AbortSignal,
  readOnce: ReadOnce,
): Promise<void> {
  const { label, leases, holder, logger, random } = options;
  while (!signal.aborted) {
    try {
      await withLease(
        { subjectId: label, leases, holder, durationMs: options.leaseMs ?? LEASE_MS_DEFAULT, logger, random },
        signal,
        (fencing, held) => readWhileHeld(options, fencing, held, readOnce),
      );
    } catch (error) {
      // Another process reads on: stand by.
      if (!(error instanceof FencedError)) throw error;
    }
  }
}

async function readWhileHeld(
  { label, logger, random, pollMs, idle = waitMs }: FeedProcessOptions,
  fencing: bigint,
  signal: AbortSignal,
  readOnce: ReadOnce,
): Promise<void> {
  for (let attempt = 1; !signal.aborted;) {
    try {
      const any = await readOnce(fencing, signal);
      attempt = 1;
      if (any) await nextTurn();
      else await idle(pollMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!mayRetry(error, attempt)) throw error;
      const delayMs = retryDelayMs(STORAGE_RETRY, attempt++, random);
      logger.warn('a subscription could not read on, trying again', {
        subscription: label,
        delayMs,
        error: messageOf(error),
      });
      await waitMs(delayMs, signal);
    }
  }
}
