import type { AggregateKey, Event, EventId, FoldState, SeqNo } from '@imart/core';
import type { PersonalData, PersonKey } from './personalData';
import type { IngestLeases, ParkMarker, SubjectStore } from '@imart/pipeline';

/** An accepted event as it is kept before it is read by a definition: `data` is the codec's text. */
export interface KeptEvent {
  readonly version: number;
  readonly eventId: EventId;
  readonly name: string;
  readonly data: string;
  readonly timeUs: bigint;
}

/** An idempotency key: each asker has keys of their own. */
export interface IdempotencyKey {
  readonly actor: string;
  readonly key: string;
}

/** What a command was answered with. */
export type Answer =
  | { readonly kind: 'accepted'; readonly eventId: EventId; readonly version: number }
  | { readonly kind: 'refused'; readonly rule: string; readonly reason: string };

/** The first answer to an idempotency key. */
export interface KeptAnswer {
  /** Of the command that it answers. */
  readonly bodyHash: string;
  readonly answer: Answer;
}

/** All that a command is validated with, of one moment. */
export interface RequestReading {
  /** `null`: the key is new, or there is none. */
  readonly kept: KeptAnswer | null;
  /**
   * The latest accepted event: by its marker, or, when that is gone or over, by what waits and by the log. `null`: the aggregate has none.
   */
  readonly marked: KeptEvent | null;
  /** The aggregate is in the archive: it takes no more commands. */
  readonly archived: boolean;
  /** How long the first command of this type that is not in the log waits; 0 when none does. Of a guess it is an upper bound. */
  readonly lagMs: number;
  /**
   * The store has not looked, but says what it last knew: by a marker beside the database, or by what it marked itself. Only an acceptance may be
   * built on it: nobody is refused by it before the reading is `certain`. `mark` must be told. @defaultValue false
   */
  readonly hint?: boolean;
}

/** An event to mark and to produce. */
export interface MarkRequest {
  readonly aggregateId: string;
  /** The version of the event that the command was validated against; 0: the aggregate had none. */
  readonly validatedVersion: number;
  /** That event; `null`: there was none. A marker of the same version with another id is another event's. */
  readonly validatedEventId: EventId | null;
  /** The reading was a hint: where it was not of the marked event, nothing is marked. @defaultValue false */
  readonly hint?: boolean;
  /** The version that whoever asked demanded; `null`: any. Kept with the message. */
  readonly expectedVersion: number | null;
  readonly event: Omit<KeptEvent, 'timeUs'>;
  readonly actor: string;
  /** Kept in the same statement. */
  readonly idempotency: (IdempotencyKey & KeptAnswer) | null;
  /** The key that personal fields of the event are sealed with; `null`: it has none. */
  readonly personKey: PersonKey | null;
}

/** What became of marking. Unless it is `marked`, nothing was written. */
export type MarkResult =
  | 'marked'
  /** Another event was marked since, or the person was forgotten. */
  | 'moved'
  /** The idempotency key has an answer. */
  | 'answered';

/** What became of a batch. */
export interface Appended {
  /** How many events are in the log now that were not before. */
  readonly events: number;
  /** Aggregates with messages that do not continue their events in the log; they wait still. */
  readonly conflicts: readonly string[];
  /** There may be more to append. */
  readonly more: boolean;
}

/** An accepted command that waits to be appended. */
export interface Waiting extends KeptEvent {
  readonly actor: string;
  readonly expectedVersion: number | null;
}

/** What becomes of messages that do not continue the log: those kept get the versions they then have, in this order. */
export interface Resolution {
  readonly kept: readonly Waiting[];
  readonly rejected: readonly (Waiting & { readonly rule: string; readonly reason: string })[];
}

/** How far the event at a position is. */
export type PositionFate =
  /** Accepted; it waits to be appended or executed. */
  | { readonly kind: 'pending' }
  | { readonly kind: 'executed'; readonly seqNo: SeqNo; readonly eventId: EventId }
  /** In the log, but its aggregate is set aside at it or before it. */
  | { readonly kind: 'parked'; readonly seqNo: SeqNo; readonly eventId: EventId }
  /** Accepted, but what it had been validated against did not come into the log, and a rule refused it then. */
  | { readonly kind: 'rejected'; readonly rule: string; readonly reason: string }
  /** Nothing was accepted under this version. */
  | { readonly kind: 'unknown' };

/** The command side of one aggregate type. Every method is one transaction. */
export interface CommandStore {
  /** Log, lanes, feed, parked aggregates: the engine's store of the type's subject. */
  readonly subject: SubjectStore;
  /** `null`: nothing of this type is about a person. */
  readonly personalData: PersonalData | null;
  /** The key of a person: the one that is there, or a new one. */
  personKey(person: string): Promise<PersonKey>;
  /** @param certain as the database has it: no hint will do. @defaultValue false */
  readForRequest(
    aggregateId: string,
    idempotency: IdempotencyKey | null,
    certain?: boolean,
  ): Promise<RequestReading>;
  /** Checks the marker, overwrites it, keeps the answer and writes the outgoing message: all or nothing. */
  mark(request: MarkRequest): Promise<MarkResult>;
  /** Keeps the refusal as the key's answer, unless it has one. */
  keepRefusal(idempotency: IdempotencyKey & KeptAnswer): Promise<void>;
  /**
   * Moves messages into the log, in key-version order, as one change of the feed, and out of the outbox in the same transaction.
   * Whoever else appends waits: any number of processes may call it.
   */
  append(eventsMax: number): Promise<Appended>;
  /**
   * Decides anew about the messages of an aggregate that do not continue the log, and puts marker and messages right. New commands of
   * the aggregate wait meanwhile.
   * @param resolve is given the last event of the log and the messages in their order; it may be called more than once.
   */
  resolveConflict(
    aggregateId: string,
    resolve: (last: KeptEvent | null, waiting: readonly Waiting[]) => Resolution,
  ): Promise<Resolution>;
  /** How far the event at a position is, in one statement. */
  fateOf(aggregateId: string, version: number): Promise<PositionFate>;
  /** Removes markers that are over, and answers and rejections that have been kept for long enough. @returns how many. */
  sweep(): Promise<number>;
  backlog(): Promise<Backlog>;
}

/** Aggregates whose last event is old, by that event, ascending. */
export interface Archivable {
  readonly candidates: readonly { readonly aggregateId: string; readonly seqNo: SeqNo }[];
  /** All events up to here are old, and were looked at. */
  readonly upTo: SeqNo;
  /** There may be more behind them. */
  readonly more: boolean;
}

/** The archive of one aggregate type: events that nobody will add to. */
export interface ArchiveStore {
  /** Looks at so many events after a seq no, up to the first one that is younger than `afterMs`. */
  archivable(after: SeqNo, events: number, afterMs: number): Promise<Archivable>;
  /**
   * Moves an aggregate's events out of the log and keeps its state as a snapshot, in one transaction. From then on it takes no commands.
   * @returns `changed`: something has happened to it since the state was read, or waits to; `behind`: a reader of the feed, or the
   * aggregate's lane, has not come to its last event. Nothing was written then.
   */
  archive(aggregateId: string, state: FoldState, afterMs: number): Promise<'archived' | 'changed' | 'behind'>;
}

/** What waits, for metrics (E25). */
export interface Backlog {
  /** Accepted commands that are not in the log. */
  readonly pending: number;
  /** How long the first of them waits. */
  readonly oldestPendingMs: number;
  readonly parkedAggregates: number;
  /** Server processes that hold locks which others of this database wait for. */
  readonly blockingPids: readonly number[];
}

/** Up to which moment a state is wanted: both inclusive. */
export type Moment =
  | { readonly kind: 'latest' }
  | { readonly kind: 'seqNo'; readonly seqNo: SeqNo }
  | { readonly kind: 'time'; readonly timeUs: bigint };

/** Snapshot and later events of an aggregate, of one statement. */
export interface StateSource {
  /** The newest one of this reducer's version, not after the moment. */
  readonly snapshot: FoldState | null;
  /** After the snapshot, ascending; up to the moment, and to where the aggregate is set aside. */
  readonly events: readonly Event[];
  /** Where and why the aggregate is set aside; `null`: it is not, up to the moment. */
  readonly parked: Pick<ParkMarker, 'fromSeqNo' | 'code' | 'message'> | null;
}

/** What an aggregate's newest snapshot is of. */
export interface SnapshotPlace {
  readonly version: number;
  readonly timeUs: bigint;
}

/** Reads of one aggregate type. */
export interface AggregateReads {
  /** Events with versions after this one, ascending, at most `limit`. Skipped events are among them. */
  readEvents(aggregateId: string, afterVersion: number, limit: number): Promise<readonly Event[]>;
  /** @param useSnapshot `false`: all events from the first one on. @defaultValue `true` */
  readStateSource(aggregateId: string, moment: Moment, useSnapshot?: boolean): Promise<StateSource>;
  /** The newest snapshot of this reducer's version, not after the moment. */
  readSnapshot(aggregateId: string, moment: Moment): Promise<FoldState | null>;
  /** Of the aggregates that have one; keyed by aggregate id. */
  snapshotPlaces(aggregateIds: readonly string[]): Promise<ReadonlyMap<string, SnapshotPlace>>;
  /** Keeps states; one that is there stays, and one with the data of a person who is forgotten by now is not kept. Older ones beyond a number of each aggregate are removed. */
  writeSnapshots(states: readonly (AggregateKey & { readonly state: FoldState })[]): Promise<void>;
  /** Aggregates that have a snapshot, newest first. */
  snapshotAggregates(limit: number): Promise<readonly string[]>;
}

/** How far a subscription is: every event up to `afterFeedNo`, and of the next change those up to `partSeqNo`. */
export interface SubscriptionCursor {
  readonly afterFeedNo: bigint;
  /** `null`: nothing of the next change. */
  readonly partSeqNo: SeqNo | null;
}

/** Cursor and lease of one named subscription. */
export interface SubscriptionStore {
  readonly leases: IngestLeases;
  cursor(): Promise<SubscriptionCursor>;
  /** @returns `false`: somebody else holds the subscription now. Nothing was written. */
  commit(fencing: bigint, cursor: SubscriptionCursor): Promise<boolean>;
}
