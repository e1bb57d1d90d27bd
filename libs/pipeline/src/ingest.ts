import {
  aggregateHash,
  laneOf,
  messageOf,
  type AppendMessage,
  type FinalizeMessage,
  type SeqNo,
  type Subject,
} from '@imart/core';
import type { CatchUp } from './catchUp';
import { InvalidatedError } from './errors';
import type { Logger, SubjectStore, WakeUp, WakeUpSender } from './ports';
import { mayRetry, retryDelayMs, STORAGE_RETRY, waitMs } from './retry';
import type { PipelineStats } from './stats';

export interface IngestOptions {
  readonly subject: Subject;
  readonly store: SubjectStore;
  readonly sender: WakeUpSender;
  /** `null`: lanes run in other processes, and read the log. */
  readonly catchUp: CatchUp | null;
  readonly stats: PipelineStats;
  readonly logger: Logger;
  readonly random: () => number;
  readonly now: () => number;
  /** Called at the first range that is not far below the head any more: once for each time the worker catches up. */
  readonly onCaughtUp: () => Promise<void>;
  readonly onHead: (position: bigint) => void;
  /** Everything up to this position is in the log. */
  readonly onIngested: (position: bigint) => void;
}

/** Why ingest ended. */
export type IngestEnd = 'end-position' | 'aborted';

/**
 * Takes a subject's messages in order, and makes each durable before it takes the next. The log comes first: wake-ups are
 * sent after the events they tell of are committed.
 *
 * @throws what is of disposition `stop`; everything else is retried until the signal aborts.
 */
export async function runIngest(options: IngestOptions, signal: AbortSignal): Promise<IngestEnd> {
  const { subject, store, catchUp, stats, now, onCaughtUp, onHead } = options;
  const resume = await store.resumePoint();
  let caughtUp = false;
  let waitingSince = now();
  for await (const message of subject.messages(resume, signal)) {
    stats.sourceSeconds += (now() - waitingSince) / 1000;
    switch (message.kind) {
      case 'append':
        if (message.catchingUp && catchUp !== null && (await catchUp.push(message, signal))) {
          caughtUp = false;
          break;
        }
        await catchUp?.drain(signal);
        if (!message.catchingUp && !caughtUp) {
          caughtUp = true;
          catchUp?.leave();
          await onCaughtUp();
        }
        await appendAndWake(options, message, signal);
        break;
      case 'finalize':
        await catchUp?.drain(signal);
        await persistently(options, signal, () => finalize(store, message));
        break;
      case 'heartbeat':
        onHead(message.head.position);
        await persistently(options, signal, () => store.heartbeat(message.head));
        break;
      case 'invalidate':
        throw new InvalidatedError(store.subjectId, message.ancestor.position);
      case 'end':
        await catchUp?.drain(signal);
        return 'end-position';
    }
    waitingSince = now();
  }
  await catchUp?.drain(signal);
  return 'aborted';
}

async function finalize(store: SubjectStore, message: FinalizeMessage): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.lockIngest();
    await tx.finalize(message);
  });
}

async function appendAndWake(
  options: IngestOptions,
  message: AppendMessage,
  signal: AbortSignal,
): Promise<void> {
  const { store, sender, stats } = options;
  const epoch = await persistently(options, signal, () =>
    store.transaction(async (tx) => {
      const progress = await tx.lockIngest();
      await tx.append(await store.prepareAppend(message, progress.lastFeedNo + 1n));
      return progress.epoch;
    }),
  );
  stats.appends++;
  stats.sourceRecords += message.sourceRecords;
  stats.ingestedEvents += message.events.length;
  options.onIngested(message.toPosition);
  try {
    await sender.send(wakeUpsFor(message, store.lanes, epoch));
  } catch (error) {
    // A wake-up carries no truth: the sweeper sends what is missing.
    options.logger.warn('wake-ups were not sent; the sweeper will send them', {
      subject: store.subjectId,
      error: messageOf(error),
    });
  }
}

/**
 * At the head one wake-up for each event, named by its place and epoch, so that the job's result is the fate of its event;
 * and one for the range's end for each lane without events. While catching up, one for each lane.
 */
export function wakeUpsFor(message: AppendMessage, lanes: number, epoch: bigint): readonly WakeUp[] {
  const wakeUps: WakeUp[] = [];
  const withEvents = new Set<number>();
  if (!message.catchingUp) {
    for (const event of message.events) {
      const lane = laneOf(aggregateHash(event.aggregateType, event.aggregateId), lanes);
      withEvents.add(lane);
      wakeUps.push(wakeUp(event.subjectId, lane, event.seqNo, epoch));
    }
  }
  for (let lane = 0; lane < lanes; lane++) {
    if (!withEvents.has(lane)) wakeUps.push(wakeUp('range', lane, message.toSeqNo, epoch));
  }
  return wakeUps;
}

function wakeUp(prefix: string, lane: number, seqNo: SeqNo, epoch: bigint): WakeUp {
  // Job ids must not hold a colon.
  return { id: `${prefix.replaceAll(':', '_')}-${seqNo}-${epoch}-${lane}`, lane, seqNo, epoch };
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
      if (!mayRetry(error, attempt) || signal.aborted) throw error;
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
