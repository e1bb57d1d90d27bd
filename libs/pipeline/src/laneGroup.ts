import { aggregateHash, laneOf, type SeqNo } from '@imart/core';
import { HaltedError } from './errors';
import type { Executor } from './executor';
import type { LaneOptions } from './lane';

export interface LaneGroupOptions extends Omit<LaneOptions, 'lane' | 'runEventsMax'> {
  /** Folds the events of all lanes. */
  readonly executor: Executor;
  /** Most seq nos that a lane may be behind: with more, lanes that work side by side are better. So it bounds the events of a transaction. */
  readonly behindMax: number;
}

/** All lanes of one observer, as one. */
export interface LaneGroup {
  /**
   * Executes what the log has beyond the lanes' checkpoints, all of it in one transaction. Not to be called while it runs.
   * @returns `behind`: nothing was done, each lane must catch up by itself.
   */
  advance(): Promise<'moved' | 'at-the-end' | 'behind'>;
}

interface ExecutedTogether {
  readonly outcome: 'moved' | 'at-the-end' | 'behind';
  readonly events: number;
  readonly parked: number;
}

/**
 * At the head a lane's transaction costs more than the few events that it executes: all of them share one. Lanes elsewhere are waited for,
 * as each lane by itself would.
 */
export function createLaneGroup(options: LaneGroupOptions): LaneGroup {
  const { store, executor, snapshotRule, behindMax, stats, now } = options;
  const all = Array.from({ length: store.lanes }, (_, lane) => lane);

  const executeRun = (): Promise<ExecutedTogether> =>
    store.transaction(async (tx) => {
      const { lanes, ingested, epoch, halt } = await tx.lockLanes(all);
      if (halt !== null) throw new HaltedError(store.subjectId, halt);
      const afterSeqNo = lanes.reduce((least, seqNo) => (seqNo < least ? seqNo : least));
      if (afterSeqNo >= ingested) return { outcome: 'at-the-end', events: 0, parked: 0 };
      if (ingested - afterSeqNo > BigInt(behindMax)) return { outcome: 'behind', events: 0, parked: 0 };
      const read = await tx.readRun(null, afterSeqNo, ingested, behindMax);
      const areLevel = lanes.every((seqNo) => seqNo === afterSeqNo);
      // Some have come further by themselves: what is kept of their aggregates is older than they are.
      if (!areLevel) executor.drop();
      const isNew = ({ aggregateType, aggregateId, seqNo }: (typeof read)[number]): boolean =>
        seqNo > (lanes[laneOf(aggregateHash(aggregateType, aggregateId), lanes.length)] as SeqNo);
      const events = areLevel ? read : read.filter(isNew);
      const started = now();
      const run = await executor.fold(
        events,
        { afterSeqNo, upToSeqNo: ingested, epoch, committedSeqNo: afterSeqNo },
        snapshotRule,
      );
      stats.foldSeconds += (now() - started) / 1000;
      await tx.writeRun(await store.prepareRun(run));
      await tx.setCheckpoints(all, ingested, epoch);
      return { outcome: 'moved', events: events.length, parked: run.parked.length };
    });

  return {
    async advance() {
      try {
        const { outcome, events, parked } = await executeRun();
        // What did not commit was not executed.
        if (events > 0) stats.runs++;
        stats.executedEvents += events;
        stats.parkedAggregates += parked;
        return outcome;
      } catch (error) {
        executor.drop();
        throw error;
      }
    },
  };
}
