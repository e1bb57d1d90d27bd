/**
 * The engine. Guarantees: every event of a subject is applied exactly once, in order; states, activities and checkpoint
 * commit together; a failure meets one of three fates; memory is bounded by named limits.
 */
export { createCatchUp, type CatchUp, type CatchUpOptions } from './catchUp';
export {
  EventConflictError,
  InvalidatedError,
  LedgerGapError,
  StorageUnavailableError,
  TooManyParkedError,
} from './errors';
export { createExecutor, type Executor, type ExecutorOptions, type RunPosition } from './executor';
export { createRunFolder, foldRun, type FoldRunOptions, type RunFolder } from './foldRun';
export { runIngest, wakeUpsFor, type IngestEnd, type IngestOptions } from './ingest';
export { createLane, RUN_EVENTS_MAX_DEFAULT, type Lane, type LaneOptions } from './lane';
export { createLaneWorker, type LaneWorker, type LaneWorkerOptions } from './laneWorker';
export type {
  AppendResult,
  FoldedRun,
  Logger,
  ParkMarker,
  PreparedAppend,
  PreparedRun,
  SubjectProgress,
  SubjectStore,
  SubjectTransaction,
  WakeUp,
  WakeUpFate,
  WakeUpReceiver,
  WakeUpSender,
} from './ports';
export { refold, type RefoldOptions, type RefoldRequest } from './refold';
export {
  mayRetry,
  retryDelayMs,
  STORAGE_RETRY,
  UNKNOWN_ERROR_ATTEMPTS_MAX,
  waitMs,
  type RetrySchedule,
} from './retry';
export { noSnapshots, SNAPSHOT_EVERY_DEFAULT, snapshotEvery, type SnapshotRule } from './snapshotRule';
export { CACHED_STATES_MAX_DEFAULT, createStateCache, type StateCache } from './stateCache';
export { decodeState, encodeState } from './stateCodec';
export { inSlices } from './slices';
export { createPipelineStats, type PipelineStats } from './stats';
export { runSweeper, type SweeperOptions } from './sweeper';
