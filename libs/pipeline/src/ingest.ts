import {
  messageOf,
  type AppendMessage,
  type BlockRef,
  type FinalizeMessage,
  type InvalidateMessage,
  type Observer,
  type SeqNo,
  type Subject,
} from '@imart/core';
import type { CatchUp } from './catchUp';
import { mustReadUnder } from './changes';
import { EpochMovedError } from './errors';
import { invalidate } from './invalidate';
import { appendedRange, type LocalLanes } from './localLanes';
import type { Logger, SubjectStore, WakeUp, WakeUpSender } from './ports';
import { mayRetry, retryDelayMs, STORAGE_RETRY, waitMs } from './retry';
import type { PipelineStats } from './stats';
import { rangeWakeUps, wakeUpsFor } from './wakeUps';

export interface IngestOptions {
  readonly subject: Subject;
  readonly store: SubjectStore;
  readonly observer: Observer;
  readonly sender: WakeUpSender;
  /** `null`: lanes run in other processes, and read the log. */
  readonly catchUp: CatchUp | null;
  /** Lanes of this process that begin as soon as the log is committed. @defaultValue none: they wait for their jobs */
  readonly lanes?: LocalLanes | null;
  /**
   * Making a block's jobs takes time that the lanes of this process need for the block itself: they go first, for so long. Lanes of
   * other processes wait for the jobs. @defaultValue `20`
   */
  readonly jobsWaitMs?: number;
  readonly stats: PipelineStats;
  readonly logger: Logger;
  readonly random: () => number;
  readonly now: () => number;
  /** Called at the first range that is not far below the head any more: once for each time the worker catches up. */
  readonly onCaughtUp: () => Promise<void>;
  readonly onHead: (position: bigint) => void;
  /** Everything up to this position is in the log. It goes back when blocks are taken back. */
  readonly onIngested: (position: bigint) => void;
}

const JOBS_WAIT_MS_DEFAULT = 20;

/** Why ingest ended. */
export type IngestEnd = 'end-position' | 'aborted';

/** One reading of the source, from a resume point on. */
interface Session {
  /** The epoch that it reads under: its own changes raise it, anybody else's end it. */
  epoch: bigint;
}

/**
 * Takes a subject's messages in order, and makes each durable before it takes the next. The log comes first: wake-ups are
 * sent after the events they tell of are committed.
 *
 * When somebody else changes what was told (a rewind, late knowledge, a release, another ingester), nothing that was read before is
 * written: reading starts anew from where the log then ends, with the contracts that are then known.
 *
 * @throws what is of disposition `stop`; everything else is retried until the signal aborts.
 */
export async function runIngest(options: IngestOptions, signal: AbortSignal): Promise<IngestEnd> {
  const { store, stats, logger } = options;
  const caughtUp = createCaughtUp(options);
  for (;;) {
    const over = new AbortController();
    try {
      return await readSession(options, caughtUp, AbortSignal.any([signal, over.signal]));
    } catch (error) {
      if (!(error instanceof EpochMovedError)) throw error;
      stats.sessionRestarts++;
      logger.info('the log was changed by somebody else: reading starts anew from its end', {
        subject: store.subjectId,
        ...error.fields,
      });
    } finally {
      // What the ended session still has under way at its source is of no use to the next one.
      over.abort();
    }
  }
}

/** @throws {EpochMovedError} when somebody else has changed the log since the session began. */
async function readSession(
  options: IngestOptions,
  caughtUp: CaughtUp,
  signal: AbortSignal,
): Promise<IngestEnd> {
  const { subject, store, catchUp, stats, now, onHead } = options;
  const resume = await persistently(options, signal, () => store.resumePoint());
  const session: Session = { epoch: resume.epoch };
  catchUp?.begin(session.epoch);
  let waitingSince = now();
  for await (const message of subject.messages(resume, signal)) {
    stats.sourceSeconds += (now() - waitingSince) / 1000;
    if (message.kind === 'append' && message.catchingUp && (await catchUp?.push(message, signal)) === true) {
      caughtUp.no();
    } else if (message.kind === 'heartbeat') {
      onHead(message.head.position);
      await heartbeat(options, session, message.head, signal);
    } else {
      await catchUp?.drain(signal);
      if (message.kind === 'end') return 'end-position';
      if (message.kind === 'append') {
        if (!message.catchingUp) await caughtUp.yes();
        await appendAndWake(options, session, message, signal);
      }
      if (message.kind === 'finalize') await finalize(options, session, message, signal);
      if (message.kind === 'invalidate') await takeBack(options, session, message, signal);
    }
    waitingSince = now();
  }
  await catchUp?.drain(signal);
  return 'aborted';
}

/** Whether the worker follows the head: told once for each time it has caught up. */
interface CaughtUp {
  no(): void;
  yes(): Promise<void>;
}

function createCaughtUp({ catchUp, onCaughtUp }: IngestOptions): CaughtUp {
  let caughtUp = false;
  return {
    no() {
      caughtUp = false;
    },
    async yes() {
      if (caughtUp) return;
      caughtUp = true;
      catchUp?.leave();
      await onCaughtUp();
    },
  };
}

async function heartbeat(
  options: IngestOptions,
  session: Session,
  head: BlockRef,
  signal: AbortSignal,
): Promise<void> {
  const { store } = options;
  const pulse = await persistently(options, signal, () => store.heartbeat(head));
  // Also where the chain stands still, a rewind is noticed with the next poll.
  mustReadUnder(store.subjectId, pulse, session.epoch);
}

async function finalize(
  options: IngestOptions,
  session: Session,
  message: FinalizeMessage,
  signal: AbortSignal,
): Promise<void> {
  const { store } = options;
  await persistently(options, signal, () =>
    store.transaction(async (tx) => {
      mustReadUnder(store.subjectId, await tx.lockIngest(), session.epoch);
      await tx.finalize(message);
    }),
  );
}

async function appendAndWake(
  options: IngestOptions,
  session: Session,
  message: AppendMessage,
  signal: AbortSignal,
): Promise<void> {
  const { store, stats, lanes = null } = options;
  const appending = persistently(options, signal, () =>
    store.transaction(async (tx) => {
      const progress = await tx.lockIngest();
      mustReadUnder(store.subjectId, progress, session.epoch);
      await tx.append(await store.prepareAppend(message, progress.lastFeedNo + 1n));
      return progress.ingested;
    }),
  );
  lanes?.expect(message.events);
  const afterSeqNo = await appending;
  stats.appends++;
  stats.sourceRecords += message.sourceRecords;
  stats.ingestedEvents += message.events.length;
  options.onIngested(message.toPosition);
  if (lanes !== null) {
    const executing = lanes.appended(appendedRange(message, afterSeqNo, session.epoch), signal);
    await within(options.jobsWaitMs ?? JOBS_WAIT_MS_DEFAULT, executing);
  }
  await wake(options, wakeUpsFor(message, store.lanes, session.epoch));
}

/** Resolves when the work is done, or after so long. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, over]);
  clearTimeout(timer);
}

/** Blocks are taken back: rollback first, in one transaction; only then is the new branch read (R10). */
async function takeBack(
  options: IngestOptions,
  session: Session,
  message: InvalidateMessage,
  signal: AbortSignal,
): Promise<void> {
  const { store, catchUp } = options;
  const result = await persistently(options, signal, () => invalidate(options, message, session.epoch));
  if (result.kind === 'moved') throw new EpochMovedError(store.subjectId, session.epoch, result.epoch);
  if (result.kind === 'nothing-to-invalidate') return;
  session.epoch = result.epoch;
  catchUp?.begin(session.epoch);
  options.onIngested(message.ancestor.position);
  const { epoch } = session;
  await wake(options, rangeWakeUps((message.fromSeqNo - 1n) as SeqNo, store.lanes, epoch));
}

async function wake({ store, sender, logger }: IngestOptions, wakeUps: readonly WakeUp[]): Promise<void> {
  try {
    await sender.send(wakeUps);
  } catch (error) {
    // A wake-up carries no truth: the sweeper sends what is missing.
    logger.warn('wake-ups were not sent; the sweeper will send them', {
      subject: store.subjectId,
      error: messageOf(error),
    });
  }
}

async function persistently<T>(
  options: IngestOptions,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof EpochMovedError || !mayRetry(error, attempt) || signal.aborted) throw error;
      options.stats.retries++;
      const delayMs = retryDelayMs(STORAGE_RETRY, attempt, options.random);
      options.logger.warn('the log could not be written, trying again', {
        subject: options.store.subjectId,
        attempt,
        delayMs,
        error: messageOf(error),
      });
      await waitMs(delayMs, signal);
      if (signal.aborted) throw error;
    }
  }
}
