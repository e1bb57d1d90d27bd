import type { SubjectId } from './event';
import type { SeqNo } from './seqNo';

/** Names one lane of one observer on one subject. */
export interface LaneKey {
  readonly observer: string;
  readonly subjectId: SubjectId;
  /** From 0. */
  readonly lane: number;
}

/** How far a lane has scanned the log: every event of the lane at or below `seqNo` is executed. */
export interface Checkpoint {
  readonly seqNo: SeqNo;
  /** The subject's epoch under which it was read. A commit under another epoch is refused. */
  readonly epoch: bigint;
}
