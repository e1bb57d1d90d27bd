import { dispositionOf, messageOf } from '@imart/core';
import { FencedError } from '../lease';
import { retryDelayMs, waitMs, type RetrySchedule } from '../retry';
import type { SubjectProgress } from '../ports';
import type { AuditRequest } from './auditRange';
import type { Pass } from './passes';
import { passStep, type PassStepOptions, type PassStepResult } from './passStep';

export interface PassesOptions extends PassStepOptions {
  /** Most positions that the second pass reads in a second; a block read whole counts twice. 0: no second pass. */
  readonly positionsPerSecond: number;
  /** How hard the second pass looks. @defaultValue `thorough` */
  readonly depth?: 'thorough' | 'whole';
  /** Whether there is time for it: `false` while the worker catches up, which a second reading must not slow down. */
  readonly mayRead: () => boolean;
  readonly random: () => number;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  /** Resolves after so many milliseconds, or early when the signal aborts. @defaultValue a timer */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** @defaultValue for `SECOND_PASS_BLOCKS_PER_SECOND`: faster than any chain's head, and little for a provider. */
export const SECOND_PASS_RATE_DEFAULT = 5;

/** Between two looks whether there is something to do. */
const IDLE_MS = 500;

/** The second pass reads so many seconds' worth at once: no bursts. */
const SECONDS_PER_RANGE = 5;

/** Above finality every header is read, and the chain may move: less at once. */
const UNFINAL_POSITIONS_MAX = 50n;

/** After a reading that failed. */
const FAILURE_RETRY: RetrySchedule = { firstMs: 1_000, maxMs: 60_000 };

/** Between two complaints about the same thing. */
const COMPLAIN_EVERY_MS = 600_000;

/** How often a backfill tells how far it is. */
const PROGRESS_EVERY_MS = 10_000;

/** How much slower the second pass may become for a provider that has too much to do. */
const SLOWER_MAX = 64;

/**
 * Makes second readings beside the live stream until the signal aborts: backfills first, as fast as the provider gives them, then
 * the second pass at its rate. A failure is told and tried again, more and more slowly; it never ends the worker.
 *
 * @throws {FencedError} another process has taken over.
 */
export async function runPasses(options: PassesOptions, signal: AbortSignal): Promise<void> {
  const { changes, passes, positionsPerSecond, mayRead, random, now, stats, wait = waitMs } = options;
  const { store, logger } = changes;
  const complaints = createComplaints(now, (reason, fields) => logger.warn(reason, fields));
  const progress = createProgress(options);
  const pace = createPace(options);
  let isThere = positionsPerSecond <= 0;
  for (let failures = 0; !signal.aborted;) {
    try {
      if (!isThere) await passes.ensureSecondPass();
      isThere = true;
      const next = mayRead() ? await nextRange(options) : null;
      if (next === null) {
        // Nothing is on that could be held up.
        stats.blocked = null;
        await wait(IDLE_MS, signal);
        continue;
      }
      const { pass, request } = next;
      progress.tell(pass);
      const started = now();
      const result = await passStep(options, pass, request, signal);
      if (result.kind === 'blocked') throw new Blocked(result.reason);
      failures = 0;
      stats.blocked = null;
      if (pass.kind === 'second') await wait(pace.pauseMs(result, now() - started), signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof FencedError) throw error;
      failures++;
      stats.failures++;
      stats.blocked = messageOf(error);
      const isPassing = dispositionOf(error) === 'retry' && !(error instanceof Blocked);
      complaints.tell('a second reading cannot go on, trying again', stats.blocked, {
        subject: store.subjectId,
        error: stats.blocked,
        ...(isPassing ? {} : { hint: 'see docs/operations.md, second readings' }),
      });
      await wait(retryDelayMs(FAILURE_RETRY, failures, random), signal);
    }
  }
}

/** The source does not allow it now; not a fault of the program. */
class Blocked extends Error {}

/** Looks at what is stored. @returns `null` when there is nothing to read now. */
async function nextRange(options: PassesOptions): Promise<{ pass: Pass; request: AuditRequest } | null> {
  const { changes, passes, stats, source, positionsPerSecond, depth = 'thorough' } = options;
  const all = await passes.unfinished();
  stats.backfills = all.filter(({ kind }) => kind === 'backfill');
  stats.second = all.find(({ kind }) => kind === 'second') ?? null;
  const progress = await changes.store.progress();
  for (const pass of stats.backfills) {
    const request = backfillRange(pass, progress, BigInt(Math.max(1, source.positionsPerRange)));
    if (request !== null) return { pass, request };
    await passes.finish(pass.id);
  }
  const { second } = stats;
  const { finalizedPosition: final } = progress;
  if (second === null || positionsPerSecond <= 0 || final === null || second.nextPosition > final)
    return null;
  const most = Math.max(
    1,
    Math.min(source.positionsPerRange, Math.ceil(positionsPerSecond * SECONDS_PER_RANGE)),
  );
  const toPosition = least(second.nextPosition + BigInt(most) - 1n, final, progress.nextPosition - 1n);
  return { pass: second, request: { fromPosition: second.nextPosition, toPosition, depth } };
}

/** `null`: nothing of it is left. What lay above the end of the log was taken back, and is read by the live stream. */
function backfillRange(
  { nextPosition: fromPosition, toPosition }: Pass,
  { nextPosition, finalizedPosition }: SubjectProgress,
  most: bigint,
): AuditRequest | null {
  const end = least(toPosition ?? nextPosition - 1n, nextPosition - 1n);
  if (fromPosition > end) return null;
  if (finalizedPosition !== null && fromPosition <= finalizedPosition) {
    return {
      fromPosition,
      toPosition: least(fromPosition + most - 1n, end, finalizedPosition),
      depth: 'quick',
    };
  }
  return {
    fromPosition,
    toPosition: least(fromPosition + least(most, UNFINAL_POSITIONS_MAX) - 1n, end),
    // With every block's hash: a reading of another branch than the log's must be seen to be one.
    depth: 'thorough',
  };
}

const least = (...values: readonly bigint[]): bigint => values.reduce((a, b) => (b < a ? b : a));

/** Keeps the second pass to its rate, and below it for a provider that says that it is asked too often. */
function createPace({ positionsPerSecond, source }: PassesOptions) {
  let slower = 1;
  let refusals = source.rateLimited;
  return {
    pauseMs(result: Exclude<PassStepResult, { kind: 'blocked' }>, tookMs: number): number {
      const refused = source.rateLimited > refusals;
      refusals = source.rateLimited;
      slower = refused ? Math.min(SLOWER_MAX, slower * 2) : Math.max(1, slower * 0.9);
      if (result.kind === 'moved') return 0;
      const cost = result.positions + result.wholeBlocks;
      return Math.max(0, (cost * 1_000 * slower) / positionsPerSecond - tookMs);
    },
  };
}

function createProgress({ changes, now }: PassesOptions) {
  let told = Number.NEGATIVE_INFINITY;
  return {
    tell({ kind, id, reason, fromPosition, nextPosition, toPosition, findings }: Pass): void {
      if (kind !== 'backfill' || toPosition === null || now() - told < PROGRESS_EVERY_MS) return;
      told = now();
      const total = Number(toPosition - fromPosition) + 1;
      changes.logger.info('reading the past of what is followed newly', {
        subject: changes.store.subjectId,
        pass: id,
        reason,
        block: nextPosition,
        toBlock: toPosition,
        percent: Number(((Number(nextPosition - fromPosition) / total) * 100).toFixed(1)),
        events: findings.missing,
      });
    },
  };
}

/** Says the same thing once in a while only. */
function createComplaints(now: () => number, warn: (text: string, fields: Record<string, unknown>) => void) {
  let last = { text: '', at: Number.NEGATIVE_INFINITY };
  return {
    tell(text: string, what: string, fields: Record<string, unknown>): void {
      if (what === last.text && now() - last.at < COMPLAIN_EVERY_MS) return;
      last = { text: what, at: now() };
      warn(text, fields);
    },
  };
}
