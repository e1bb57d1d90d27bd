import type { Event, SeqNo } from '@imart/core';
import { HaltedError } from './errors';
import type { Executor } from './executor';
import type { AppendedRange } from './localLanes';
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
  /**
   * Executes what the log has beyond the lane's checkpoint. @returns the new checkpoint.
   * @param appended the lane's part of what this process has appended last. It is read from the log all the same unless it is exactly what
   * the log has beyond the checkpoint.
   */
  advance(appended?: AppendedRange): Promise<SeqNo>;
  /** These events of the lane are about to be appended: their states are read meanwhile. Never fails. */
  expect(events: readonly Event[]): void;
  /** Whether this process has executed the event at this place, read under this epoch, with nothing set aside meanwhile. */
  hasExecuted(seqNo: SeqNo, epoch: bigint): boolean;
}

interface ExecutedRun {
  readonly after: SeqNo;
  readonly at: SeqNo;
  readonly epoch: bigint;
  /** The lane has reached the end of the log. */
  readonly done: boolean;
  readonly events: number;
  readonly parked: number;
}

export function createLane(options: LaneOptions): Lane {
  const { lane, store, executor, snapshotRule, runEventsMax, stats, now } = options;

  /** Reads, folds and commits the next run. The checkpoint's row stays locked meanwhile: no other worker has this lane. */
  const executeRun = (appended: AppendedRange | undefined): Promise<ExecutedRun> =>
    store.transaction(async (tx) => {
      const { lanes, ingested, epoch, halt } = await tx.lockLanes([lane]);
      if (halt !== null) throw new HaltedError(store.subjectId, halt);
      const afterSeqNo = lanes[lane] as SeqNo;
      if (afterSeqNo >= ingested)
        return { after: afterSeqNo, at: afterSeqNo, epoch, done: true, events: 0, parked: 0 };
      const isNext =
        appended?.afterSeqNo === afterSeqNo && appended.toSeqNo === ingested && appended.epoch === epoch;
      const events =
        isNext && appended.events.length < runEventsMax
          ? appended.events
          : await tx.readRun(lane, afterSeqNo, ingested, runEventsMax);
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
      return {
        after: afterSeqNo,
        at: upToSeqNo,
        epoch,
        done,
        events: events.length,
        parked: run.parked.length,
      };
    });

  /** What this process has executed without a break, while no aggregate was set aside. */
  let executed: { after: SeqNo; upTo: SeqNo; epoch: bigint } | null = null;
  const remember = ({ after, at, epoch }: ExecutedRun): void => {
    if (executor.setAside > 0) executed = null;
    else if (executed?.epoch === epoch && executed.upTo === after) executed.upTo = at;
    else executed = { after, upTo: at, epoch };
  };

  const advance = async (appended: AppendedRange | undefined): Promise<SeqNo> => {
    for (;;) {
      try {
        const run = await executeRun(appended);
        const { at, done, events, parked } = run;
        remember(run);
        // What did not commit was not executed.
        if (events > 0) stats.runs++;
        stats.executedEvents += events;
        stats.parkedAggregates += parked;
        if (done) return at;
      } catch (error) {
        executor.drop();
        executed = null;
        throw error;
      }
    }
  };

  // Calls line up: a call that waits finds the work of the one before it done.
  let tail: Promise<unknown> = Promise.resolve();
  return {
    advance(appended) {
      const next = tail.then(() => advance(appended));
      tail = next.catch(() => undefined);
      return next;
    },
    expect: (events) => executor.expect(events),
    hasExecuted: (seqNo, epoch) =>
      executed !== null && executed.epoch === epoch && executed.after < seqNo && seqNo <= executed.upTo,
  };
}
