/**
 * The words of the event worker as types. Guarantees: this package depends on nothing, does no I/O, and a SeqNo's
 * numeric order is the order of the source.
 */
export type { Activity, StateRow } from './activity';
export { aggregateHash, aggregateKeyText, laneOf, type AggregateKey } from './aggregate';
export type { Brand } from './brand';
export type { Checkpoint, LaneKey } from './checkpoint';
export { COMMAND_SUBJECT_PREFIX, commandSubjectId, type CommandEventData, type EventId } from './command';
export {
  ConfigError,
  dispositionOf,
  messageOf,
  ReorgTooDeepError,
  SeqNoRangeError,
  WorkerError,
  type ConfigProblem,
  type DifferentBlock,
  type Disposition,
  type WorkerErrorOptions,
} from './errors';
export {
  UNDECODABLE,
  UNDECODABLE_AGGREGATE,
  type Event,
  type EventDataCodec,
  type EventSource,
  type SubjectId,
  type UndecodableData,
} from './event';
export type { KnownBlock, LateChange } from './lateChange';
export type { Folded, FoldState, Observer, Reducer, Snapshot } from './reducer';
export {
  BEFORE_FIRST,
  COMMAND_SEQ_NO_LAYOUT,
  commandSeqNo,
  createSeqNoCodec,
  parseSeqNo,
  type Place,
  type SeqNo,
  type SeqNoCodec,
  type SeqNoLayout,
} from './seqNo';
export { createSeqNosOf, type SeqNosOf, type SubjectKind } from './seqNosOf';
export type {
  AppendMessage,
  BlockRef,
  DiscoveredContract,
  EndMessage,
  FinalizeMessage,
  HeartbeatMessage,
  InvalidateMessage,
  ResumePoint,
  Subject,
  SubjectIdentity,
  SubjectMessage,
} from './subject';
