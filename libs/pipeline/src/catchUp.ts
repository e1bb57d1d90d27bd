import { messageOf, WorkerError, type AppendMessage, type SeqNo } from '@imart/core';
import { mustReadUnder } from './changes';
import { EpochMovedError } from './errors';
import type { Executor } from './executor';
import type { Logger, PreparedAppend, PreparedRun, SubjectProgress, SubjectStore } from './ports';
import { mayRetry, retryDelayMs, STORAGE_RETRY, waitMs } from './retry';
import { noSnapshots, SNAPSHOT_EVERY_DEFAULT, snapshotEvery, type SnapshotRule } from './snapshotRule';
import type { PipelineStats } from './stats';

export interface CatchUpOptions {
  readonly store: SubjectStore;
  /** Folds the events of all lanes. */
  readonly executor: Executor;
  readonly stats: PipelineStats;
  readonly logger: Logger;
  readonly random: () => number;
  readonly now: () => number;
  readonly onCommitted: (executed: SeqNo, message: AppendMessage) => void;
  /**
   * Which snapshots to make in ranges that may be taken back again; in all others none are.
   * @defaultValue one after every {@link SNAPSHOT_EVERY_DEFAULT} events of an aggregate
   */
  readonly snapshotRule?: SnapshotRule;
}

/**
 * Log and states in one transaction for each range: the same rows as ingest and lanes apart, with half the work. While the
 * database takes one range, the next one is folded and encoded.
 */
export interface CatchUp {
  /**
   * What follows was read under this epoch; what is kept from before is forgotten. Without it, whatever epoch the first range finds.
   */
  begin(epoch: bigint): void;
  /**
   * Takes a range; resolves when it may be followed by the next one. At most one range is on its way to the database.
   * @returns `false` when the lanes are not where the log ends: the range was not taken, the lanes must catch up from the log.
   * @throws {EpochMovedError} when the log was changed since: nothing of this range is in it, nor need be of the one before.
   * @throws {HaltedError} `stop` when the subject stands still.
   */
  push(message: AppendMessage, signal: AbortSignal): Promise<boolean>;
  /** Catching up is over for now: what it keeps in memory for the next range is given back. After `drain`. */
  leave(): void;
  /** Resolves when everything pushed is in the log. @throws {EpochMovedError} as `push`. */
  drain(signal: AbortSignal): Promise<void>;
}

interface Folding {
  readonly message: AppendMessage;
  readonly append: PreparedAppend;
  readonly run: PreparedRun;
  /** What the database must say for this to be the next range. */
  readonly expects: Cursor;
}

/** The position after everything pushed so far. */
interface Cursor {
  readonly ingested: SeqNo;
  readonly epoch: bigint;
  readonly feedNo: bigint;
}

export function createCatchUp(options: CatchUpOptions): CatchUp {
  const { store, executor, stats, logger, random, now, onCommitted } = options;
  const { snapshotRule = snapshotEvery(SNAPSHOT_EVERY_DEFAULT) } = options;
  const allLanes = Array.from({ length: store.lanes }, (_, lane) => lane);
  let cursor: Cursor | null = null;
  let committed: SeqNo | null = null;
  let onItsWay: { message: AppendMessage; done: Promise<void> } | null = null;
  let readUnder: bigint | null = null;

  const inStep = (progress: SubjectProgress): boolean =>
    progress.lanes.every((seqNo) => seqNo === progress.ingested);

  const open = async (): Promise<Cursor | null> => {
    if (cursor !== null) return cursor;
    const progress = await store.progress();
    mustReadUnder(store.subjectId, progress, readUnder ?? progress.epoch);
    if (!inStep(progress)) return null;
    committed = progress.ingested;
    cursor = { ingested: progress.ingested, epoch: progress.epoch, feedNo: progress.lastFeedNo };
    return cursor;
  };

  const fold = async (message: AppendMessage, at: Cursor): Promise<Folding> => {
    const started = now();
    const run = await executor.fold(
      message.events,
      {
        afterSeqNo: at.ingested,
        upToSeqNo: message.toSeqNo,
        epoch: at.epoch,
        committedSeqNo: committed ?? at.ingested,
      },
      mayBeTakenBack(message) ? snapshotRule : noSnapshots,
    );
    const folding: Folding = {
      message,
      append: await store.prepareAppend(message, at.feedNo + 1n),
      run: await store.prepareRun(run),
      expects: at,
    };
    stats.foldSeconds += (now() - started) / 1000;
    return folding;
  };

  const commit = async ({ message, append, run, expects }: Folding): Promise<void> => {
    const started = now();
    await store.transaction(async (tx) => {
      await tx.lockIngest();
      const progress = await tx.lockLanes(allLanes);
      mustReadUnder(store.subjectId, progress, expects.epoch);
      if (progress.ingested !== expects.ingested || !inStep(progress)) throw new MovedElsewhere();
      await tx.append(append);
      await tx.writeRun(run);
      await tx.setCheckpoints(allLanes, message.toSeqNo, expects.epoch);
    });
    stats.databaseSeconds += (now() - started) / 1000;
    stats.appends++;
    stats.runs++;
    stats.sourceRecords += message.sourceRecords;
    stats.ingestedEvents += message.events.length;
    stats.executedEvents += message.events.length;
    stats.parkedAggregates += run.run.parked.length;
    committed = message.toSeqNo;
    onCommitted(message.toSeqNo, message);
  };

  const forget = (): void => {
    cursor = null;
    executor.drop();
  };

  const settle = async (): Promise<void> => {
    const waiting = onItsWay;
    onItsWay = null;
    if (waiting !== null) await waiting.done;
  };

  /** Starts one commit without waiting for it. Its error is met by whoever settles it. */
  const start = (folding: Folding): void => {
    const done = commit(folding);
    done.catch(() => undefined);
    cursor = {
      ingested: folding.message.toSeqNo,
      epoch: folding.expects.epoch,
      feedNo: folding.expects.feedNo + 1n,
    };
    onItsWay = { message: folding.message, done };
  };

  /** After a failed commit: what was folded ahead is void, and the failed range goes first when things go on. */
  const recover = async (
    error: unknown,
    failed: AppendMessage | undefined,
    attempt: number,
    signal: AbortSignal,
  ) => {
    forget();
    await settle().catch(() => undefined);
    await backOff(error, attempt, signal);
    if (failed !== undefined) await pushOrAppend(failed, signal);
  };

  /** @throws the error itself when it must not be tried again. */
  const backOff = async (error: unknown, attempt: number, signal: AbortSignal): Promise<void> => {
    if (error instanceof EpochMovedError || !mayRetry(error, attempt) || signal.aborted) throw error;
    stats.retries++;
    const delayMs = retryDelayMs(STORAGE_RETRY, attempt, random);
    logger.warn('catching up: a range was not committed, trying again', {
      subject: store.subjectId,
      attempt,
      delayMs,
      error: messageOf(error),
    });
    await waitMs(delayMs, signal);
    if (signal.aborted) throw error;
  };

  /** For a range that was taken already and cannot be given back: where the lanes are behind, only the log gets it. */
  const pushOrAppend = async (message: AppendMessage, signal: AbortSignal): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        if (await push(message, signal)) return;
        return await store.transaction(async (tx) => {
          const progress = await tx.lockIngest();
          mustReadUnder(store.subjectId, progress, readUnder ?? progress.epoch);
          if (message.toSeqNo <= progress.ingested) return;
          await tx.append(await store.prepareAppend(message, progress.lastFeedNo + 1n));
        });
      } catch (error) {
        await backOff(error, attempt, signal);
      }
    }
  };

  const push = async (message: AppendMessage, signal: AbortSignal): Promise<boolean> => {
    for (let attempt = 1; ; attempt++) {
      const before = onItsWay?.message;
      try {
        const at = await open();
        if (at === null || message.toSeqNo <= at.ingested) {
          await settle();
          return at !== null;
        }
        const folding = await fold(message, at);
        await settle();
        start(folding);
        return true;
      } catch (error) {
        await recover(error, before, attempt, signal);
      }
    }
  };

  return {
    begin(epoch) {
      forget();
      readUnder = epoch;
    },
    push,
    leave: forget,
    async drain(signal) {
      for (let attempt = 1; onItsWay !== null; attempt++) {
        const { message } = onItsWay;
        try {
          await settle();
        } catch (error) {
          await recover(error, message, attempt, signal);
        }
      }
    },
  };
}

/**
 * Whether a reorg may reach the range: above finality every block is remembered, below it only the last one. Refolding what such a
 * range touched starts at a snapshot, however long an aggregate's history is.
 */
function mayBeTakenBack({ blocks, fromPosition, toPosition }: AppendMessage): boolean {
  return blocks.length > 1 || fromPosition === toPosition;
}

/** Somebody else moved the log or a lane: what was folded is for another position. */
class MovedElsewhere extends WorkerError {
  constructor() {
    super('another process moved the log or a lane', { code: 'MOVED_ELSEWHERE', disposition: 'retry' });
  }
}
