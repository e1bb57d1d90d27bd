/**
 * The engine. Guarantees: every event of a subject is applied exactly once, in order; states, activities and checkpoint
 * commit together; a failure meets one of three fates; memory is bounded by named limits.
 */
export type {
  AggregateRange,
  ChangeKind,
  ChangeStore,
  ChangeTransaction,
  FeedChange,
  FeedEvent,
  FeedLimits,
  FeedReader,
  Halt,
  LogEnd,
  LogRange,
  NewChange,
  OperatorAction,
  OperatorDecision,
  ParkAction,
  ParkMarker,
  Pulse,
  RecordedChange,
  ReleaseOutcome,
  StoredResumePoint,
  TouchedAggregate,
} from './changePorts';
export { type ChangeOptions } from './changes';
export { createCatchUp, type CatchUp, type CatchUpOptions } from './catchUp';
export {
  AncestorMismatchError,
  EpochMovedError,
  EventConflictError,
  FeedGapError,
  HaltedError,
  LedgerGapError,
  StorageUnavailableError,
  TooManyParkedError,
} from './errors';
export { createExecutor, type Executor, type ExecutorOptions, type RunPosition } from './executor';
export { runFeedProcess, type FeedProcessOptions, type ReadOnce } from './feedProcess';
export { createRunFolder, foldRun, type FoldRunOptions, type RunFolder } from './foldRun';
export { runIngest, type IngestEnd, type IngestOptions } from './ingest';
export { invalidate, type InvalidateResult } from './invalidate';
export { createLaneGroup, type LaneGroup, type LaneGroupOptions } from './laneGroup';
export { createLane, RUN_EVENTS_MAX_DEFAULT, type Lane, type LaneOptions } from './lane';
export {
  FencedError,
  LEASE_MS_DEFAULT,
  withLease,
  type IngestLeases,
  type LeaseAnswer,
  type LeaseState,
  type WithLeaseOptions,
} from './lease';
export { applyLateChange, type LateChangeResult } from './lateChange';
export type { AppendedRange, LocalLanes } from './localLanes';
export { createLaneWorker, type LaneWorker, type LaneWorkerOptions } from './laneWorker';
export type {
  AppendResult,
  FoldedRun,
  Logger,
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
export { refold, type Refolded, type RefoldOptions, type RefoldRequest } from './refold';
export {
  retryParked,
  skipParked,
  type ReleaseRequest,
  type ReleaseResult,
  type SkipRequest,
} from './release';
export {
  mayRetry,
  retryDelayMs,
  STORAGE_RETRY,
  UNKNOWN_ERROR_ATTEMPTS_MAX,
  waitMs,
  type RetrySchedule,
} from './retry';
export { rewind, type RewindRequest, type RewindResult } from './rewind';
export { noSnapshots, SNAPSHOT_EVERY_DEFAULT, snapshotEvery, type SnapshotRule } from './snapshotRule';
export { CACHED_STATES_MAX_DEFAULT, createStateCache, type StateCache } from './stateCache';
export { decodeState, encodeState } from './stateCodec';
export { inSlices } from './slices';
export { createPipelineStats, type PipelineStats } from './stats';
export { wakeUpsFor } from './wakeUps';
export { runSweeper, type OwnLanes, type SweeperOptions } from './sweeper';
export * from './audit';
