import { messageOf, type SeqNo } from '@imart/core';
import type { Lane } from './lane';
import { eventsByLane, type AppendedRange, type LocalLanes } from './localLanes';
import type { Logger, SubjectStore, WakeUp, WakeUpFate, WakeUpReceiver } from './ports';
import { mayRetry, retryDelayMs, STORAGE_RETRY, waitMs } from './retry';
import type { PipelineStats } from './stats';

export interface LaneWorkerOptions {
  readonly store: SubjectStore;
  /** The lanes that this process works on, by number. */
  readonly lanes: ReadonlyMap<number, Lane>;
  readonly receiver: WakeUpReceiver;
  readonly stats: PipelineStats;
  readonly logger: Logger;
  readonly random: () => number;
  /** Milliseconds; only differences count. @defaultValue none: only the job of an event that is not executed wakes its lane */
  readonly now?: () => number;
  readonly onExecuted: (lane: number, seqNo: SeqNo) => void;
  /** An invariant is broken: nothing more is executed. */
  readonly onStop: (error: unknown) => void;
}

/** Lets wake-ups drive lanes, and what this process appends. */
export interface LaneWorker extends LocalLanes {
  start(signal: AbortSignal): Promise<void>;
  /** Finishes what runs, takes no more. */
  stop(): Promise<void>;
  /** As a wake-up would, without a job. */
  wake(lane: number, signal: AbortSignal): Promise<SeqNo>;
}

/**
 * One run executes what hundreds of jobs tell of, which then stand in line before the jobs of the next block. A lane whose turn they
 * are looks at the log this often all the same.
 */
const LOOK_AGAIN_MS = 20;

export function createLaneWorker(options: LaneWorkerOptions): LaneWorker {
  const { store, lanes, receiver, stats, logger, random, now, onExecuted, onStop } = options;
  /** When each lane last reached the end of the log. */
  const reachedEndAt = new Map<number, number>();
  const mayHaveMore = (lane: number): boolean =>
    now !== undefined && now() - (reachedEndAt.get(lane) ?? Number.NEGATIVE_INFINITY) >= LOOK_AGAIN_MS;

  /** The one place where a lane's failures meet their fate. Order comes from the log, so waiting in here is safe. */
  const wake = async (lane: number, signal: AbortSignal, appended?: AppendedRange): Promise<SeqNo> => {
    const worked = lanes.get(lane);
    if (worked === undefined) throw new RangeError(`lane ${lane} is not worked on here`);
    for (let attempt = 1; ; attempt++) {
      try {
        const seqNo = await worked.advance(attempt === 1 ? appended : undefined);
        if (now !== undefined) reachedEndAt.set(lane, now());
        onExecuted(lane, seqNo);
        return seqNo;
      } catch (error) {
        const giveUp = !mayRetry(error, attempt);
        if (giveUp) onStop(error);
        if (giveUp || signal.aborted) throw error;
        stats.retries++;
        const delayMs = retryDelayMs(STORAGE_RETRY, attempt, random);
        logger.warn('a lane could not execute its run, trying again', {
          subject: store.subjectId,
          lane,
          attempt,
          delayMs,
          error: messageOf(error),
        });
        await waitMs(delayMs, signal);
        if (signal.aborted) throw error;
      }
    }
  };

  /** A job's result is the fate of its own event; a range's end without an event has none of its own. */
  const handle = async ({ lane, seqNo, epoch }: WakeUp, signal: AbortSignal): Promise<WakeUpFate> => {
    // What this process has executed itself it need not ask for: that saves a query for nearly every event at the head.
    const known = lanes.get(lane)?.hasExecuted(seqNo, epoch) === true;
    const before = known ? 'executed' : await store.fateOf(lane, seqNo);
    if (before !== null) {
      // Whatever fails then is no fate of this event; `wake` has told it.
      if (mayHaveMore(lane)) await wake(lane, signal).catch(() => undefined);
      return before === 'executed' ? 'already-executed' : before;
    }
    await wake(lane, signal);
    return (await store.fateOf(lane, seqNo)) ?? 'not-in-log';
  };

  return {
    wake: (lane, signal) => wake(lane, signal),
    expect(events) {
      eventsByLane(events, store.lanes).forEach((part, lane) => {
        if (part.length > 0) lanes.get(lane)?.expect(part);
      });
    },
    async appended(range, signal) {
      const parts = eventsByLane(range.events, store.lanes);
      const worked = [...lanes.keys()];
      await Promise.allSettled(
        worked.map((lane) => wake(lane, signal, { ...range, events: parts[lane] ?? [] })),
      );
    },
    start: (signal) => receiver.start([...lanes.keys()], (wakeUp) => handle(wakeUp, signal)),
    stop: () => receiver.stop(),
  };
}
