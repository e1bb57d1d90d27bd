import { BEFORE_FIRST, type Observer, type SeqNo } from '@imart/core';
import {
  createExecutor,
  createLane,
  createLaneWorker,
  RUN_EVENTS_MAX_DEFAULT,
  snapshotEvery,
  type Executor,
  type LaneWorker,
  type PipelineStats,
  type SubjectStore,
  type WakeUpReceiver,
} from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import type { WorkerConfig } from './settings';

/** What an executor needs of the settings. */
export type ExecutorConfig = Pick<WorkerConfig, 'cachedStatesMax' | 'parkedAggregatesMax'>;

export interface WorkerLanesOptions {
  readonly config: ExecutorConfig & Pick<WorkerConfig, 'snapshotEvery'>;
  readonly store: SubjectStore;
  readonly observer: Observer;
  readonly receiver: WakeUpReceiver;
  readonly stats: PipelineStats;
  readonly logger: Logger;
  /** Every lane has executed everything up to there, as far as this process knows. */
  readonly onExecuted: (seqNo: SeqNo) => void;
  /** What is of disposition `stop`. The lanes go on being woken. */
  readonly onStop: (error: unknown) => void;
}

/** All lanes of a subject. Any number of processes may have them: each transaction locks its lane. */
export function createWorkerLanes(options: WorkerLanesOptions): LaneWorker {
  const { config, store, observer, receiver, stats, logger, onExecuted, onStop } = options;
  const executedBy: SeqNo[] = allLanes(store).map(() => BEFORE_FIRST);
  const lanes = new Map(
    allLanes(store).map((lane) => [
      lane,
      createLane({
        lane,
        store,
        executor: createWorkerExecutor(config, store, observer),
        snapshotRule: snapshotEvery(config.snapshotEvery),
        runEventsMax: RUN_EVENTS_MAX_DEFAULT,
        stats,
        now: () => performance.now(),
      }),
    ]),
  );
  return createLaneWorker({
    store,
    lanes,
    receiver,
    stats,
    logger,
    random: Math.random,
    now: () => performance.now(),
    onExecuted: (lane, seqNo) => {
      executedBy[lane] = seqNo;
      onExecuted(executedBy.reduce((least, s) => (s < least ? s : least)));
    },
    onStop,
  });
}

/** One for each lane and one for catching up share what may be kept in memory. */
export function createWorkerExecutor(
  config: ExecutorConfig,
  store: SubjectStore,
  observer: Observer,
): Executor {
  return createExecutor({
    store,
    observer,
    cachedStatesMax: Math.ceil(config.cachedStatesMax / (store.lanes + 1)),
    parkedAggregatesMax: config.parkedAggregatesMax,
  });
}

export const allLanes = (store: Pick<SubjectStore, 'lanes'>): number[] =>
  Array.from({ length: store.lanes }, (_, lane) => lane);
