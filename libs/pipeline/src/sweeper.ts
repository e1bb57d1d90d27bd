import type { Logger, SubjectStore, WakeUpSender } from './ports';
import { messageOf } from '@imart/core';
import { waitMs } from './retry';
import type { PipelineStats } from './stats';

export interface SweeperOptions {
  readonly store: SubjectStore;
  readonly sender: WakeUpSender;
  readonly stats: PipelineStats;
  readonly logger: Logger;
  /** How often ingested and executed are compared. @defaultValue `1000` */
  readonly intervalMs: number;
  /** Milliseconds since 1970: part of the ids, so that they are new after a restart. */
  readonly now: () => number;
}

/**
 * Compares what is ingested with what is executed, and sends the wake-ups that are missing: after a crash, a lost or
 * flushed queue, an append whose wake-ups were not sent. Its ids are its own, so that a finished job's id cannot hide one.
 */
export async function runSweeper(options: SweeperOptions, signal: AbortSignal): Promise<void> {
  const { store, sender, stats, logger, intervalMs, now } = options;
  let behindSince: readonly bigint[] = [];
  for (let round = 0; !signal.aborted; round++) {
    try {
      const { lanes, ingested, epoch } = await store.progress();
      // A lane that moved since the last look is being worked on.
      const stuck = lanes.flatMap((seqNo, lane) =>
        seqNo < ingested && behindSince[lane] === seqNo ? [lane] : [],
      );
      behindSince = lanes;
      if (stuck.length > 0) {
        await sender.send(
          stuck.map((lane) => ({
            id: `sweep-${ingested}-${epoch}-${lane}-${now()}-${round}`,
            lane,
            seqNo: ingested,
            epoch,
          })),
        );
        stats.sweptWakeUps += stuck.length;
      }
    } catch (error) {
      logger.warn('the sweeper could not compare ingested with executed', {
        subject: store.subjectId,
        error: messageOf(error),
      });
    }
    await waitMs(intervalMs, signal);
  }
}
