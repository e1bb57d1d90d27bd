import type { Logger, SubjectProgress, SubjectStore, WakeUpSender } from './ports';
import { messageOf } from '@imart/core';
import { waitMs } from './retry';
import type { PipelineStats } from './stats';

/** The lanes that are worked on in this process. */
export interface OwnLanes {
  readonly lanes: ReadonlySet<number>;
  /** Drives a lane to the end of the log; its failures meet their fate inside. */
  wake(lane: number): Promise<unknown>;
}

export interface SweeperOptions {
  readonly store: SubjectStore;
  readonly sender: WakeUpSender;
  readonly stats: PipelineStats;
  readonly logger: Logger;
  /** How often ingested and executed are compared. @defaultValue `1000` */
  readonly intervalMs: number;
  /** Milliseconds since 1970: part of the ids, so that they are new after a restart. */
  readonly now: () => number;
  /** These need no job, so that they go on without the jobs' backend, too. @defaultValue none: all lanes are woken by jobs */
  readonly own?: OwnLanes;
}

/**
 * Compares what is ingested with what is executed, and wakes the lanes that stand still: after a crash, a lost or flushed queue, an
 * append whose wake-ups were not sent, a process that died with its jobs. Lanes of this process are driven from here, so that their
 * progress never waits for a job (rule 3); the others get wake-ups under ids of their own, so that a finished job's id cannot hide one.
 */
export async function runSweeper(options: SweeperOptions, signal: AbortSignal): Promise<void> {
  const { store, stats, logger, intervalMs } = options;
  const wake = createWaking(options);
  let behindSince: readonly bigint[] = [];
  for (let round = 0; !signal.aborted; round++) {
    try {
      const progress = await store.progress();
      const { lanes, ingested } = progress;
      // A lane that moved since the last look is being worked on.
      const stuck = lanes.flatMap((seqNo, lane) =>
        seqNo < ingested && behindSince[lane] === seqNo ? [lane] : [],
      );
      behindSince = lanes;
      if (stuck.length > 0) stats.sweptWakeUps += await wake(stuck, progress, round);
    } catch (error) {
      logger.warn('the sweeper could not compare ingested with executed', {
        subject: store.subjectId,
        error: messageOf(error),
      });
    }
    await waitMs(intervalMs, signal);
  }
}

function createWaking({ sender, now, own }: SweeperOptions) {
  /** Own lanes that are driven from here and not done yet: waiting for another process's lock, or for the database. */
  const driving = new Set<number>();
  const drive = (lane: number): boolean => {
    if (own === undefined || driving.has(lane)) return false;
    driving.add(lane);
    void own
      .wake(lane)
      .catch(() => undefined)
      .finally(() => driving.delete(lane));
    return true;
  };

  /** @returns how many lanes were woken. */
  return async (
    stuck: readonly number[],
    { ingested, epoch }: SubjectProgress,
    round: number,
  ): Promise<number> => {
    const driven = stuck.filter((lane) => own?.lanes.has(lane) === true && drive(lane)).length;
    const others = stuck.filter((lane) => own?.lanes.has(lane) !== true);
    if (others.length > 0) {
      await sender.send(
        others.map((lane) => ({
          id: `sweep-${ingested}-${epoch}-${lane}-${now()}-${round}`,
          lane,
          seqNo: ingested,
          epoch,
        })),
      );
    }
    return driven + others.length;
  };
}
