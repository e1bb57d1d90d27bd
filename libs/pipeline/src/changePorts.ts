import type {
  AggregateKey,
  BlockRef,
  DiscoveredContract,
  Event,
  FoldState,
  KnownBlock,
  ResumePoint,
  SeqNo,
} from '@imart/core';

/**
 * What a store does for changes of what was told already: reorgs, late knowledge, released and skipped aggregates. The engine's
 * functions (`invalidate`, `applyLateChange`, `retryParked`, `skipParked`, `rewind`) put these steps together, each in one transaction.
 */

/** Why a subject stands still. Nothing is ingested or executed until an operator has cleared it. */
export interface Halt {
  /** The code of the error that stopped it. */
  readonly code: string;
  readonly message: string;
  /** Milliseconds since 1970, by the database's clock. */
  readonly haltedAtMs: number;
}

/** Why an aggregate is set aside: its events from `fromSeqNo` on wait in the log. */
export interface ParkMarker extends AggregateKey {
  readonly fromSeqNo: SeqNo;
  readonly code: string;
  readonly message: string;
}

/** Where reading goes on, and under which epoch that holds: one consistent read. */
export interface StoredResumePoint extends ResumePoint {
  readonly epoch: bigint;
}

/** What a heartbeat is answered with: whoever reads under another epoch starts anew from the resume point. */
export interface Pulse {
  readonly epoch: bigint;
  readonly halt: Halt | null;
}

/** A part of the log, as one consistent read. */
export interface LogRange {
  readonly epoch: bigint;
  /** The log's end: positions from here on have not been ingested. */
  readonly nextPosition: bigint;
  /** Every event of the range, ascending; skipped and waiting ones included. */
  readonly events: readonly Event[];
  /** The blocks of the range that are known, by the window or by an event. Ascending. */
  readonly blocks: readonly KnownBlock[];
  /** The contracts that events of the range named. */
  readonly discovered: readonly DiscoveredContract[];
}

/** Kinds of changes, as the feed tells them. */
export type ChangeKind = 'appended' | 'late' | 'invalidated' | 'released' | 'skipped';

/** An event as the feed tells it. */
export interface FeedEvent {
  readonly event: Event;
  /** The feed number that added it. */
  readonly addedBy: bigint;
  /** The feed number that took it back; `null`: it is in the log. */
  readonly retractedBy: bigint | null;
}

/**
 * One committed change. Who adds `added` and removes `retracted`, in this order of changes (within one change: first removes), has
 * exactly the log's events at each step.
 */
export interface FeedChange {
  /** 1, 2, 3 ... in the order of commits. */
  readonly feedNo: bigint;
  readonly kind: ChangeKind;
  readonly epoch: bigint;
  /** The first place concerned (inclusive). */
  readonly fromSeqNo: SeqNo;
  /** The last place concerned (inclusive). */
  readonly toSeqNo: SeqNo;
  /** When it was committed, in milliseconds since 1970 by the database's clock. */
  readonly committedAtMs: number;
  /** The aggregate of `released` and `skipped`: its states are others now, its events are not. */
  readonly aggregate: AggregateKey | null;
  /** Events that it added, ascending, also those that a later change took back. */
  readonly added: readonly FeedEvent[];
  /** Events that it took back, ascending. */
  readonly retracted: readonly FeedEvent[];
}

/** How much one read of the feed gives at most. */
export interface FeedLimits {
  /** @defaultValue `100` */
  readonly changesMax?: number;
  /** After the change that reaches this many events no further one is given. @defaultValue `10_000` */
  readonly eventsMax?: number;
}

/** Reads committed changes in order. Each reader keeps its own cursor: the last feed number that it has taken in. */
export interface FeedReader {
  /**
   * The changes after `afterFeedNo`, without a gap. A change is shown once the lanes have executed all that is left of it, or when
   * a later one has taken it back; those after it wait for it. Empty: nothing new is to be shown yet.
   * @throws {FeedGapError} `stop` when a number is missing, or the cursor is beyond the feed: it is of another database.
   */
  readFeed(afterFeedNo: bigint, limits?: FeedLimits): Promise<readonly FeedChange[]>;
}

/** Who changed a parked aggregate, and what came of it. */
export interface ParkAction extends AggregateKey {
  /** The event that it was parked at. */
  readonly fromSeqNo: SeqNo;
  readonly action: 'retry' | 'skip' | 'late' | 'invalidate';
  readonly outcome: ReleaseOutcome;
  readonly actedBy: string;
  readonly reason: string | null;
}

/**
 * What came of a parked aggregate. `released`: it is folded up to its lane. `parked-again`: it failed at a later event. `unchanged`: it
 * failed at the same event again. `gone`: the event that it was parked at is no longer in the log.
 */
export type ReleaseOutcome = 'released' | 'parked-again' | 'unchanged' | 'gone';

/** Who decides something about a whole chain, and why. */
export interface OperatorDecision {
  readonly actedBy: string;
  readonly reason: string | null;
}

/** What an operator did to a whole chain, as it is kept. */
export interface OperatorAction extends OperatorDecision {
  readonly action: 'rewind' | 'resume';
  /** Of a rewind: the last position that was to stay. */
  readonly toPosition: bigint | null;
  /** The halt under which the chain stood, and which it cleared with its end. */
  readonly halt: Halt | null;
  /** Of a rewind: how many events it has taken back. */
  readonly events: bigint;
  /** Of a rewind: where the log ended afterwards; `null`: it has taken nothing back. */
  readonly nextPosition: bigint | null;
  /** A rewind that was interrupted did not come to its end; another one does. */
  readonly isFinished: boolean;
}

/** An aggregate whose events changed, and the first one that did. */
export interface TouchedAggregate extends AggregateKey {
  readonly fromSeqNo: SeqNo;
}

/** A feed row to write. Its number and the raised epoch come back. */
export interface NewChange {
  readonly kind: Exclude<ChangeKind, 'appended'>;
  readonly fromSeqNo: SeqNo;
  readonly toSeqNo: SeqNo;
  readonly aggregate: AggregateKey | null;
}

export interface RecordedChange {
  readonly feedNo: bigint;
  readonly epoch: bigint;
}

/** A state to refold from, and the events to refold. */
export interface AggregateRange extends AggregateKey {
  /** Exclusive. */
  readonly afterSeqNo: SeqNo;
  /** Inclusive. */
  readonly upToSeqNo: SeqNo;
}

/** Where a cut log goes on. */
export interface LogEnd {
  /** The last block that stays; `null`: nothing stays, the log is empty again. */
  readonly block: BlockRef | null;
  /** The first position to read again. */
  readonly nextPosition: bigint;
  /** The new ingested seq no: everything above is taken back. */
  readonly ingested: SeqNo;
}

/** Steps of a transaction that changes what was told. All need `lockIngest`, and `lockLanes` of every lane. */
export interface ChangeTransaction {
  /** Raises the epoch and writes the next feed row. The steps that follow are done under its number. Once in a transaction. */
  recordChange(change: NewChange): Promise<RecordedChange>;
  /**
   * Ends the log at an earlier place: events above it become retracted ones, skips and discovered contracts of them are forgotten, the
   * window of blocks, next position, ingested seq no and chain time go back, checkpoints are lowered to it, their activities go.
   * @returns how many events that were, and their aggregates, each with its first one.
   */
  cutLog(
    end: LogEnd,
    feedNo: bigint,
  ): Promise<{ readonly events: number; readonly aggregates: readonly TouchedAggregate[] }>;
  /**
   * Where the log can end so that nothing after `position` is left: there where its block is known, else at the last position before
   * it that has an event, else at its beginning. Never beyond where it ends now.
   */
  endAt(position: bigint): Promise<LogEnd>;
  /** The position of the event that has this many events after it; `null`: there are not so many. */
  positionBefore(events: number): Promise<bigint | null>;
  /** What ending the log there would take back. */
  countAbove(
    end: LogEnd,
  ): Promise<{ readonly events: bigint; readonly aggregates: bigint; readonly discovered: bigint }>;
  /** Lowers what is final to the end of the log, where it lies beyond; nothing else moves it back. */
  lowerFinality(end: LogEnd): Promise<void>;
  /** Records who is about to take the log back, why, and under which halt. @returns what `recordRewound` names it by. */
  recordRewind(toPosition: bigint, decision: OperatorDecision): Promise<bigint>;
  /** Records how far a rewind has come. With its last step the halt, whatever it is, is cleared. */
  recordRewound(
    rewind: bigint,
    step: { readonly events: number; readonly nextPosition: bigint; readonly isLast: boolean },
  ): Promise<void>;
  /**
   * Takes single events out of the log, with their skips, activities and what they discovered.
   * @returns the aggregates of these events, each with its first one.
   * @throws {EventConflictError} when one is not there.
   */
  retractEvents(seqNos: readonly SeqNo[], feedNo: bigint): Promise<readonly TouchedAggregate[]>;
  /** Adds events at places of the log where none is. @throws {EventConflictError} when one is there. */
  insertEvents(events: readonly Event[], feedNo: bigint): Promise<void>;
  /** Remembers contracts; one that is known already keeps its earliest event. */
  discover(contracts: readonly DiscoveredContract[]): Promise<void>;
  /** The known blocks of some positions: of the window and of events. */
  knownBlocks(positions: readonly bigint[]): Promise<readonly KnownBlock[]>;
  /** The markers among these aggregates. */
  parkedAmong(keys: readonly AggregateKey[]): Promise<readonly ParkMarker[]>;
  /** Removes markers. A marker that is written again for the same event keeps its time. */
  unpark(keys: readonly AggregateKey[]): Promise<void>;
  /** Takes an event out of its aggregate's story for good; it stays in the log. */
  skipEvent(seqNo: SeqNo, by: string, reason: string): Promise<void>;
  recordParkActions(actions: readonly ParkAction[]): Promise<void>;
  /**
   * The newest snapshot of each aggregate below its place, of the current version of its reducer. Keyed by `aggregateKeyText`; those
   * without one are missing.
   */
  snapshotsBelow(requests: readonly TouchedAggregate[]): Promise<ReadonlyMap<string, FoldState>>;
  /**
   * Gives the events of many aggregates to `take`, in pieces that fit into memory, each aggregate's in order. Skipped events are left out.
   */
  readAggregates(
    ranges: readonly AggregateRange[],
    take: (events: readonly Event[]) => Promise<void>,
  ): Promise<void>;
  /** Removes snapshots from `fromSeqNo` on, and the rows that were opened after `keptSeqNo`. */
  eraseAggregates(aggregates: readonly (TouchedAggregate & { readonly keptSeqNo: SeqNo })[]): Promise<void>;
  /** Removes the activities of these events. */
  eraseActivities(seqNos: readonly SeqNo[]): Promise<void>;
}

/** What a store tells, and keeps, besides running transactions. */
export interface ChangeStore extends FeedReader {
  resumePoint(): Promise<StoredResumePoint>;
  /**
   * What the source says of its head. The answer tells whether whoever reads still reads under the right epoch.
   * @throws {FencedError} `stop` on a fenced store, when another process has taken the lease.
   */
  heartbeat(head: BlockRef): Promise<Pulse>;
  /** The log between two positions, both inclusive. The caller bounds the range. */
  rangeEvents(fromPosition: bigint, toPosition: bigint): Promise<LogRange>;
  /** The events of a range that are not as they were written: somebody has changed the log behind the worker's back. */
  tamperedEvents(range: {
    readonly fromPosition: bigint;
    readonly toPosition: bigint;
  }): Promise<readonly SeqNo[]>;
  /** The places of all events that came from these addresses. Reads the whole log: for what an operator asks for. */
  eventsAt(addresses: readonly string[]): Promise<readonly SeqNo[]>;
  /** Why the subject stands still; `null`: it does not. */
  halted(): Promise<Halt | null>;
  /** Stops the subject until `clearHalt`, or a rewind. The first reason stays. @returns the reason that holds. */
  halt(code: string, message: string): Promise<Halt>;
  /**
   * Lets the subject go on, and records who decided so, in one; with the next heartbeat its readers notice.
   * @param code of the halt that was decided about: one that stands under another code meanwhile stays.
   * @returns whether there was such a halt. If not, nothing is changed, and nothing recorded.
   */
  clearHalt(code: string, decision: OperatorDecision): Promise<boolean>;
}
