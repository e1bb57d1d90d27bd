import type { SeqNo } from '@imart/core';
import { HaltedError } from './errors';
import type { Executor } from './executor';
import type { SubjectStore } from './ports';
import type { SnapshotRule } from './snapshotRule';
import type { PipelineStats } from './stats';

export interface LaneOptions {
  readonly lane: number;
  readonly store: SubjectStore;
  readonly executor: Executor;
  readonly snapshotRule: SnapshotRule;
  /** Most events in one transaction. @defaultValue {@link RUN_EVENTS_MAX_DEFAULT} */
  readonly runEventsMax: number;
  readonly stats: PipelineStats;
  readonly now: () => number;
}

/** @defaultValue for `runEventsMax`: larger runs gain nothing, and hold locks longer. */
export const RUN_EVENTS_MAX_DEFAULT = 10_000;

/** One lane of one observer: strictly serial, whoever wakes it up and however often. */
export interface Lane {
  /** Executes what the log has beyond the lane's checkpoint. @returns the new checkpoint. */
  advance(): Promise<SeqNo>;
}

interface ExecutedRun {
  readonly at: SeqNo;
  /** The lane has reached the end of the log. */
  readonly done: boolean;
  readonly events: number;
  readonly parked: number;
}

export function createLane(options: LaneOptions): Lane {
  const { lane, store, executor, snapshotRule, runEventsMax, stats, now } = options;

  /** Reads, folds and commits the next run. The checkpoint's row stays locked meanwhile: no other worker has this lane. */
  const executeRun = (): Promise<ExecutedRun> =>
    store.transaction(async (tx) => {
      const { lanes, ingested, epoch, halt } = await tx.lockLanes([lane]);
      if (halt !== null) throw new HaltedError(store.subjectId, halt);
      const afterSeqNo = lanes[lane] as SeqNo;
      if (afterSeqNo >= ingested) return { at: afterSeqNo, done: true, events: 0, parked: 0 };
      const events = await tx.readRun(lane, afterSeqNo, ingested, runEventsMax);
      const done = events.length < runEventsMax;
      const upToSeqNo = done ? ingested : (events[events.length - 1] as (typeof events)[number]).seqNo;
      const started = now();
      const run = await executor.fold(
        events,
        { afterSeqNo, upToSeqNo, epoch, committedSeqNo: afterSeqNo },
        snapshotRule,
      );
      stats.foldSeconds += (now() - started) / 1000;
      await tx.writeRun(await store.prepareRun(run));
      await tx.setCheckpoints([lane], upToSeqNo, epoch);
      return { at: upToSeqNo, done, events: events.length, parked: run.parked.length };
    });

  const advance = async (): Promise<SeqNo> => {
    for (;;) {
      try {
        const { at, done, events, parked } = await executeRun();
        // What did not commit was not executed.
        if (events > 0) stats.runs++;
        stats.executedEvents += events;
        stats.parkedAggregates += parked;
        if (done) return at;
      } catch (error) {
        executor.drop();
        throw error;
      }
    }
  };

  // Calls line up: a call that waits finds the work of the one before it done.
  let tail: Promise<unknown> = Promise.resolve();
  return {
    advance() {
      const next = tail.then(advance);
      tail = next.catch(() => undefined);
      return next;
    },
  };
}
