import { messageOf, WorkerError } from '@imart/core';
import type { Logger } from './ports';
import { mayRetry, retryDelayMs, STORAGE_RETRY, waitMs } from './retry';

/** What asking for a lease gives. */
export type LeaseAnswer =
  /** It is ours, under a number greater than every one before. */
  | { readonly kind: 'acquired'; readonly fencing: bigint }
  /** Somebody else has it. `expiresInMs` is not above zero while whoever lost it still holds a lock of the subject. */
  | { readonly kind: 'held'; readonly holder: string; readonly expiresInMs: number };

/**
 * Who may append to a subject. Time is the database's alone (E26): two hosts whose clocks differ agree all the same on whether a lease
 * is over.
 */
export interface IngestLeases {
  /** Takes the lease if nobody has it, or if it is over. Every holder gets a greater fencing number than the one before. */
  acquire(holder: string, durationMs: number): Promise<LeaseAnswer>;
  /**
   * Prolongs it. One that was over, and that nobody took meanwhile, is ours again.
   * @returns `false`: somebody else has taken it.
   */
  renew(fencing: bigint, durationMs: number): Promise<boolean>;
  /** Gives it back: the next one need not wait until it is over. Harmless when it is not ours any more. */
  release(fencing: bigint): Promise<void>;
}

/** Another process has taken over the subject: nothing was written, and nothing that this one writes would be taken. */
export class FencedError extends WorkerError {
  constructor(subjectId: string, fencing: bigint, newest: bigint | null) {
    super(
      `${subjectId}: another process has taken over (fencing number ${newest ?? 'unknown'}, ours is ${fencing}); nothing was written`,
      { code: 'FENCED', disposition: 'stop', fields: { subjectId, fencing, newest } },
    );
  }
}

/** @defaultValue for `LEASE_MS` */
export const LEASE_MS_DEFAULT = 6_000;

/** How often whoever stands by looks, at most: a lease that is given back is taken up within it. */
const STANDBY_LOOK_MS = 1_000;

/** A lease is renewed this often within its duration: two renewals may fail before it is over. */
const RENEWALS_PER_LEASE = 3;

/** How long giving a lease back may take: it is over by itself. */
const RELEASE_TIMEOUT_MS = 2_000;

export interface WithLeaseOptions {
  readonly subjectId: string;
  readonly leases: IngestLeases;
  /** Unique to this process. */
  readonly holder: string;
  /** How long a holder that is silent keeps the lease. */
  readonly durationMs: number;
  readonly logger: Logger;
  readonly random: () => number;
  /** Told of each change: who has the lease, and under which number it is ours; `null`: nobody, as far as is known. */
  readonly onChange?: (state: LeaseState) => void;
}

/** Of this process. */
export type LeaseState =
  | { readonly kind: 'held'; readonly fencing: bigint }
  | { readonly kind: 'standby'; readonly holder: string }
  | { readonly kind: 'none' };

/**
 * Waits for the lease, works while it is ours, and gives it back. The work's signal aborts when the lease is lost, with
 * a {@link FencedError} as its reason.
 *
 * While the database cannot be asked the work goes on: who cannot reach the database cannot write to it either, and every
 * transaction checks the number.
 *
 * @returns what the work gives, `null` when the signal aborted before the lease was ours.
 * @throws {FencedError} when the lease was lost.
 * @throws what the work throws.
 */
export async function withLease<T>(
  options: WithLeaseOptions,
  signal: AbortSignal,
  work: (fencing: bigint, signal: AbortSignal) => Promise<T>,
): Promise<T | null> {
  const { leases, subjectId, onChange = () => undefined, logger } = options;
  const fencing = await acquire(options, signal);
  if (fencing === null) return null;
  onChange({ kind: 'held', fencing });
  logger.info('holding the lease', { subject: subjectId, fencing });
  const lost = new AbortController();
  const over = new AbortController();
  const renewing = keepRenewing(options, fencing, over.signal, () =>
    lost.abort(new FencedError(subjectId, fencing, null)),
  );
  try {
    const result = await work(fencing, AbortSignal.any([signal, lost.signal]));
    if (lost.signal.aborted && !signal.aborted) throw lost.signal.reason;
    return result;
  } catch (error) {
    // What the abort made of the work is not the cause.
    throw lost.signal.aborted && !signal.aborted ? lost.signal.reason : error;
  } finally {
    over.abort();
    await renewing;
    onChange({ kind: 'none' });
    if (!lost.signal.aborted) await release(leases, fencing, options);
  }
}

async function acquire(options: WithLeaseOptions, signal: AbortSignal): Promise<bigint | null> {
  const { leases, holder, durationMs, logger, subjectId, random, onChange = () => undefined } = options;
  let waitingFor: string | null = null;
  for (let attempt = 1; !signal.aborted;) {
    try {
      const answer = await leases.acquire(holder, durationMs);
      attempt = 1;
      if (answer.kind === 'acquired') return answer.fencing;
      if (answer.holder !== waitingFor) {
        waitingFor = answer.holder;
        logger.info('standing by: another process holds the lease', {
          subject: subjectId,
          holder: answer.holder,
          expiresInMs: answer.expiresInMs,
        });
        onChange({ kind: 'standby', holder: answer.holder });
      }
      await waitMs(Math.min(Math.max(answer.expiresInMs + 1, 50), STANDBY_LOOK_MS), signal);
    } catch (error) {
      if (!mayRetry(error, attempt)) throw error;
      const delayMs = retryDelayMs(STORAGE_RETRY, attempt++, random);
      logger.warn('the lease could not be asked for, trying again', {
        subject: subjectId,
        delayMs,
        error: messageOf(error),
      });
      await waitMs(delayMs, signal);
    }
  }
  return null;
}

async function keepRenewing(
  { leases, durationMs, logger, subjectId }: WithLeaseOptions,
  fencing: bigint,
  over: AbortSignal,
  onLost: () => void,
): Promise<void> {
  const intervalMs = durationMs / RENEWALS_PER_LEASE;
  for (;;) {
    await waitMs(intervalMs, over);
    if (over.aborted) return;
    try {
      if (await leases.renew(fencing, durationMs)) continue;
      if (over.aborted) return;
      logger.warn('the lease is lost: another process has taken it', { subject: subjectId, fencing });
      return onLost();
    } catch (error) {
      logger.warn('the lease could not be renewed, trying again', {
        subject: subjectId,
        fencing,
        error: messageOf(error),
      });
    }
  }
}

async function release(
  leases: IngestLeases,
  fencing: bigint,
  { logger, subjectId }: WithLeaseOptions,
): Promise<void> {
  const late = new AbortController();
  const released = leases.release(fencing).catch((error: unknown) => {
    logger.debug('the lease could not be given back; it will be over by itself', {
      subject: subjectId,
      error: messageOf(error),
    });
  });
  await Promise.race([released, waitMs(RELEASE_TIMEOUT_MS, late.signal)]);
  late.abort();
}
