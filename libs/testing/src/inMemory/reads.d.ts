import {
  type Activity,
  type AggregateKey,
  type Event,
  type FoldState,
  type Observer,
  type SeqNo,
  type StateRow,
  type SubjectId,
} from '@imart/core';
import {
  type LogRange,
  type OperatorAction,
  type ParkAction,
  type ParkMarker,
  type SubjectProgress,
} from '@imart/pipeline';
import { type Committed } from './committed';
/** Everything that is committed, in an order of its own: two stores that hold the same give equal contents. */
export interface StoreContents {
  readonly rows: readonly StateRow[];
  readonly activities: readonly (Omit<Activity, 'event'> & {
    readonly seqNo: SeqNo;
  })[];
  readonly parked: readonly ParkMarker[];
}
/** What a store keeps besides its contents, in the order in which it came about. */
export interface StoreKept {
  readonly parkActions: readonly ParkAction[];
  readonly operatorActions: readonly OperatorAction[];
  /** Ascending. */
  readonly skipped: readonly SeqNo[];
  /** By aggregate, ascending. */
  readonly snapshots: readonly (AggregateKey & {
    readonly seqNo: SeqNo;
  })[];
  /** Since when each marker is there, in the order of their events; the same text for the same time. */
  readonly parkedAt: readonly string[];
}
/** How far the subject is. */
export declare const progressOf: (state: Committed) => SubjectProgress;
/** The states of aggregates, as their rows hold them. */
export declare function statesOf(
  committed: Committed,
  observer: Observer,
  keys: readonly AggregateKey[],
): ReadonlyMap<string, FoldState>;
/** The log between two positions. */
export declare function rangeOf(committed: Committed, fromPosition: bigint, toPosition: bigint): LogRange;
/**
 * That a range which is there has the same events.
 * @throws {EventConflictError} it has others.
 */
export declare function mustBeTheSame(
  subjectId: SubjectId,
  committed: Committed,
  {
    events,
    from,
    to,
  }: {
    readonly events: readonly Event[];
    readonly from: SeqNo;
    readonly to: SeqNo;
  },
): void;
/** Everything that is committed. */
export declare const contentsOf: (committed: Committed) => StoreContents;
/** What else is kept. */
export declare const keptOf: (committed: Committed) => StoreKept;
