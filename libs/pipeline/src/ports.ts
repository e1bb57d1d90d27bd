import type {
  Activity,
  AggregateKey,
  AppendMessage,
  Event,
  FinalizeMessage,
  FoldState,
  SeqNo,
  Snapshot,
  StateRow,
  SubjectId,
} from '@imart/core';
import type { PassTransaction } from './audit/passes';
import type { ChangeStore, ChangeTransaction, Halt, ParkMarker } from './changePorts';

/** Structured logging as the engine needs it; fields never hold a secret. */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** How far a subject is, as one consistent read. */
export interface SubjectProgress {
  readonly epoch: bigint;
  /** End of the last complete position in the log, empty ones included. */
  readonly ingested: SeqNo;
  readonly nextPosition: bigint;
  /** Scanned position of each lane, by lane number. */
  readonly lanes: readonly SeqNo[];
  /** The least of `lanes`. */
  readonly executed: SeqNo;
  readonly lastFeedNo: bigint;
  readonly finalized: SeqNo;
  /** The position that `finalized` is the end of; `null`: nothing is known to be final. */
  readonly finalizedPosition: bigint | null;
  /** Chain time of the last ingested block in microseconds since 1970; `null` before the first. */
  readonly chainTimeUs: bigint | null;
  /** Why the subject stands still; `null`: it does not. Nothing is ingested or executed under a halt. */
  readonly halt: Halt | null;
}

/** What folding a run of events gives: all that one transaction writes besides the checkpoint. */
export interface FoldedRun {
  /** Changed rows; of a row changed several times, its last version. */
  readonly rows: readonly StateRow[];
  readonly activities: readonly Activity[];
  readonly snapshots: readonly Snapshot[];
  readonly parked: readonly ParkMarker[];
  /** How many events were folded. */
  readonly folded: number;
}

/** A run in the form in which it goes to the database: the work that needs no transaction is done. */
export interface PreparedRun {
  readonly run: FoldedRun;
}

/** A range of the log in the form in which it goes to the database. */
export interface PreparedAppend {
  readonly message: AppendMessage;
}

/** What became of an append. */
export type AppendResult =
  /** The events are in the log with this feed number, and the ingested seq no is the message's. */
  | { readonly kind: 'appended'; readonly feedNo: bigint; readonly events: number }
  /** Every event was there already, with the same content. Nothing was written. */
  | { readonly kind: 'already-there' };

/**
 * One database transaction on a subject. Nothing is visible before it commits; an error thrown inside rolls all of it
 * back. Locks are taken in one order everywhere: ingest, then lanes ascending.
 */
export interface SubjectTransaction extends ChangeTransaction, PassTransaction {
  /**
   * Locks the subject against other ingests until the end of the transaction.
   * @throws {FencedError} `stop` on a fenced store, when another process has taken the lease.
   */
  lockIngest(): Promise<SubjectProgress>;
  /** Locks lanes against other workers, and reads how far they are and the epoch. `lanes` ascending. */
  lockLanes(lanes: readonly number[]): Promise<SubjectProgress>;
  /**
   * Adds the events of a complete range and moves the ingested seq no to its end. Needs `lockIngest`.
   * @throws {LedgerGapError} `stop` when the range does not continue the log.
   * @throws {EventConflictError} `stop` when an event of the range is there with another content.
   */
  append(prepared: PreparedAppend): Promise<AppendResult>;
  finalize(message: FinalizeMessage): Promise<void>;
  /** Writes rows, activities, snapshots and park markers. */
  writeRun(prepared: PreparedRun): Promise<void>;
  /**
   * Moves lanes forward. Needs `lockLanes`.
   * @param epoch the one under which the events were read. Whoever changes what was told takes the locks of all lanes, so it
   * cannot be another one; that it is not is checked all the same, because a lane that commits what it read beyond a fork after
   * the fork was taken back could not be told from a right one.
   * @throws {EpochMovedError} `retry`: the log was changed since it was read.
   */
  setCheckpoints(lanes: readonly number[], seqNo: SeqNo, epoch: bigint): Promise<void>;
  /**
   * Events of one lane, or of all (`null`), ascending: after `afterSeqNo`, up to `upToSeqNo` (inclusive), at most `limit`. Skipped events are left out.
   */
  readRun(lane: number | null, afterSeqNo: SeqNo, upToSeqNo: SeqNo, limit: number): Promise<readonly Event[]>;
}

/** Postgres, as the engine sees it: the log, the states and the progress of one subject and one observer. */
export interface SubjectStore extends ChangeStore {
  readonly subjectId: SubjectId;
  readonly lanes: number;
  /**
   * The same store for whoever holds the lease under this number: heartbeats and every transaction that locks ingest are refused
   * with {@link FencedError} once somebody else has a greater one, checked under the lock.
   */
  fenced(fencing: bigint): SubjectStore;
  progress(): Promise<SubjectProgress>;
  /** All aggregates that are set aside. */
  parked(): Promise<readonly ParkMarker[]>;
  /** What has become of a lane's event, or of the log up to a place without one; `null`: the lane has not come that far. */
  fateOf(lane: number, seqNo: SeqNo): Promise<'executed' | 'parked' | null>;
  /** States of aggregates as committed; those without rows are missing from the result. Keyed by `aggregateKeyText`. */
  loadStates(keys: readonly AggregateKey[]): Promise<ReadonlyMap<string, FoldState>>;
  /**
   * The version that the newest usable snapshot of each aggregate has; those without one are missing. Keyed by `aggregateKeyText`.
   */
  snapshotVersions(keys: readonly AggregateKey[]): Promise<ReadonlyMap<string, number>>;
  prepareAppend(message: AppendMessage, feedNo: bigint): Promise<PreparedAppend>;
  prepareRun(run: FoldedRun): Promise<PreparedRun>;
  /** @throws {StorageUnavailableError} `retry`: nothing is known to be written, the whole transaction may be run again. */
  transaction<T>(work: (transaction: SubjectTransaction) => Promise<T>): Promise<T>;
}

/** A wake-up for a lane: "the log reaches this far". Losing, repeating or reordering them changes latency only. */
export interface WakeUp {
  readonly id: string;
  readonly lane: number;
  readonly seqNo: SeqNo;
  readonly epoch: bigint;
}

/** What became of the event that a wake-up was sent for. */
export type WakeUpFate = 'executed' | 'already-executed' | 'parked' | 'not-in-log';

/** Sends wake-ups. They are sent after the transaction that they tell of, never in it. */
export interface WakeUpSender {
  send(wakeUps: readonly WakeUp[]): Promise<void>;
}

/** Takes wake-ups; the handler's result is kept with the job. */
export interface WakeUpReceiver {
  /** Calls the handler for each wake-up of these lanes, one at a time for each lane, until stopped. */
  start(lanes: readonly number[], handler: (wakeUp: WakeUp) => Promise<WakeUpFate>): Promise<void>;
  /** Waits for running handlers, then takes no more. */
  stop(): Promise<void>;
}
