import {
  type Activity,
  type AggregateKey,
  type BlockRef,
  type DiscoveredContract,
  type Event,
  type SeqNo,
  type Snapshot,
  type StateRow,
} from '@imart/core';
import {
  LedgerGapError,
  type ChangeKind,
  type Halt,
  type OperatorAction,
  type ParkAction,
  type ParkMarker,
  type Pass,
} from '@imart/pipeline';
/** An event as the log keeps it: what is read is decoded from its text. */
export interface StoredEvent {
  readonly event: Omit<Event, 'data'>;
  readonly text: string;
  /** The feed number that added it. */
  readonly feedNo: bigint;
}
export interface RetractedEvent extends StoredEvent {
  readonly retractedBy: bigint;
}
export interface StoredSnapshot {
  readonly snapshot: Omit<Snapshot, 'state'>;
  readonly seqNo: SeqNo;
  readonly version: number;
  readonly text: string;
}
export interface FeedRow {
  readonly feedNo: bigint;
  readonly kind: ChangeKind;
  readonly epoch: bigint;
  readonly fromSeqNo: SeqNo;
  readonly toSeqNo: SeqNo;
  readonly aggregate: AggregateKey | null;
}
/** All that is committed. */
export interface Committed {
  /** Ascending. */
  log: StoredEvent[];
  retracted: RetractedEvent[];
  feed: FeedRow[];
  rows: Map<string, StateRow>;
  activities: Map<string, Activity>;
  parked: Map<string, ParkMarker>;
  /** How many markers had been set when each of these was, by its aggregate. One that comes back for the same event keeps it. */
  parkedAt: Map<
    string,
    {
      readonly fromSeqNo: SeqNo;
      readonly at: number;
    }
  >;
  parkActions: ParkAction[];
  operatorActions: OperatorAction[];
  passes: Pass[];
  skipped: Set<SeqNo>;
  snapshots: StoredSnapshot[];
  discovered: DiscoveredContract[];
  blocks: BlockRef[];
  halt: Halt | null;
  epoch: bigint;
  ingested: SeqNo;
  nextPosition: bigint;
  lanes: SeqNo[];
  lastFeedNo: bigint;
  finalized: SeqNo;
  finalizedPosition: bigint | null;
  chainTimeUs: bigint | null;
}
export declare function nothingCommitted(lanes: number): Committed;
/** A copy whose changes are nobody else's. What it holds is never changed, only replaced. */
export declare function copyOf(state: Committed): Committed;
export declare const readStored: ({ event, text }: StoredEvent) => Event;
export declare const storedOf: ({ data, ...event }: Event, feedNo: bigint) => StoredEvent;
export declare const isOf: (key: AggregateKey, other: AggregateKey) => boolean;
export declare const ascending: (a: StoredEvent, b: StoredEvent) => number;
/** Of one event there is one snapshot: the one that is written last. */
export declare function addSnapshot(state: Committed, { state: folded, ...snapshot }: Snapshot): void;
/** Sets an aggregate aside; one that is set aside already stays so from where it was. */
export declare function park(state: Committed, marker: ParkMarker): void;
/** The newest usable snapshot of an aggregate below a place. */
export declare function newestSnapshot(
  { snapshots }: Committed,
  key: AggregateKey,
  below: bigint,
  reducerVersion: number | undefined,
):
  | (StoredSnapshot & {
      readonly state: Snapshot['state'];
    })
  | undefined;
/** The port is used as it must not be. Of disposition `stop`, so that no retry hides it from a spec. */
export declare class LedgerMisuse extends LedgerGapError {
  constructor(what: string);
}
/** A broken rule of the port, not of the data. */
export declare const refuse: (what: string) => never;
