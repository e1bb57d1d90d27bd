/**
 * Asynchronous event sourcing on the engine's log. Guarantees: an accepted command is durable and comes into the log exactly once, in the
 * order in which its aggregate's commands were accepted, or is rejected under its position; it was validated against the event before it;
 * snapshots change no answer; a subscription is told every event at least once, in order per aggregate.
 */
export {
  anyAggregate,
  defineAggregate,
  type AggregateDefinition,
  type EventDefinition,
  type EventsOf,
  type Marked,
  type Proposed,
  type Rule,
  type StateReducer,
  type Stored,
} from './aggregate';
export {
  ARCHIVE_POLL_MS_DEFAULT,
  ARCHIVED,
  createArchiver,
  type Archiver,
  type ArchiverOptions,
} from './archiver';
export { createBell, type Bell } from './bell';
export { checkReducer } from './checkReducer';
export { createCommandCodec, eventIdHex, eventIdOf, storedEvent } from './codec';
export { AGGREGATE_ID_LENGTH_MAX, decide, EXPECTED_VERSION, type Decision } from './decide';
export {
  CommandConflictError,
  CommandEventDataError,
  CommandInvalidError,
  IdempotencyConflictError,
  ReducerChangedError,
  StreamBehindError,
  UnknownAggregateTypeError,
  UnknownCommandEventError,
} from './errors';
export {
  createEventService,
  LAG_MAX_MS_DEFAULT,
  MARK_ATTEMPTS_MAX_DEFAULT,
  type CommandRequest,
  type EventService,
  type EventServiceOptions,
  type RequestAnswer,
} from './eventService';
export {
  APPEND_EVENTS_MAX_DEFAULT,
  createEventWorker,
  createEventWorkerStats,
  POLL_MS_DEFAULT,
  SWEEP_MS_DEFAULT,
  type EventWorker,
  type EventWorkerOptions,
  type EventWorkerStats,
} from './eventWorker';
export { followTopic, type FollowedEvent, type FollowOptions } from './follow';
export {
  COMMAND_OBSERVER,
  createCommandObserver,
  createCommandReducer,
  type AggregateState,
} from './observer';
export {
  MarkersUnavailableError,
  type CommandProducer,
  type KeptMarker,
  type Markers,
  type Produced,
} from './markers';
export { markersBeside, PENDING_MAX_MS_DEFAULT, type MarkersBesideOptions } from './markersBeside';
export type {
  AggregateReads,
  Answer,
  Appended,
  Archivable,
  ArchiveStore,
  Backlog,
  CommandStore,
  IdempotencyKey,
  KeptAnswer,
  KeptEvent,
  MarkRequest,
  MarkResult,
  Moment,
  PositionFate,
  RequestReading,
  Resolution,
  SnapshotPlace,
  StateSource,
  SubscriptionCursor,
  SubscriptionStore,
  Waiting,
} from './ports';
export {
  createAggregateQueries,
  EVENTS_PAGE_MAX,
  type AggregateQueries,
  type AggregateQueriesOptions,
  type EventsPage,
  type StateReading,
  type UnreadableEvent,
} from './queries';
export {
  createPersonalData,
  MASTER_KEY_BYTES,
  PersonalDataKeyError,
  UNREADABLE,
  type PersonalData,
  type PersonalFields,
  type PersonKey,
} from './personalData';
export {
  anyOf,
  everyEvents,
  everySeconds,
  noSnapshot,
  onEvents,
  onRead,
  SNAPSHOT_EVENTS_DEFAULT,
  type SnapshotMoment,
  type SnapshotPolicy,
} from './snapshotPolicy';
export { withoutKey } from './sealedData';
export { createSnapshotter, SNAPSHOT_SUBSCRIPTION } from './snapshotter';
export {
  createSubscription,
  createSubscriptionStats,
  DELIVERED_EVENTS_MAX_DEFAULT,
  type Deliver,
  type Subscription,
  type SubscriptionOptions,
  type SubscriptionStats,
  type Topic,
} from './subscription';
export { testAggregate, type Expected, type GivenEvents, type Outcome } from './testKit';
export { WAIT_MAX_MS, type WaitOptions } from './waitFor';
