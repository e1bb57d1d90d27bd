import type { Event, SubjectId } from './event';
import type { SeqNo } from './seqNo';

/** A block or a ledger's version as the window of unfinalized positions keeps it. */
export interface BlockRef {
  readonly position: bigint;
  readonly hash: string;
  /** Empty where it is not known: after a rewind, of a block that only its events had told of. */
  readonly parentHash: string;
  /** Chain time in microseconds since 1970. */
  readonly timeUs: bigint;
}

/** A contract that is followed because an event of another contract named it. */
export interface DiscoveredContract {
  readonly address: string;
  /** What it is followed as: `erc721`, `erc1155`, or a name that the subject's own translators give it. */
  readonly kind: string;
  /** The event that named it; its own logs are followed from that position on. */
  readonly discoveredAt: SeqNo;
}

/**
 * The events of complete positions, in order. `from` is always the position after the previous message's `to`, so a
 * receiver can prove that nothing is missing; positions without events are inside the range.
 */
export interface AppendMessage {
  readonly kind: 'append';
  readonly fromPosition: bigint;
  readonly toPosition: bigint;
  /** The greatest SeqNo of `toPosition`: the new ingested SeqNo. */
  readonly toSeqNo: SeqNo;
  readonly events: readonly Event[];
  /**
   * Blocks to remember, ascending: every block above finality, and always the block at `toPosition`, whose successor must
   * name it as its parent.
   */
  readonly blocks: readonly BlockRef[];
  readonly discovered: readonly DiscoveredContract[];
  /** `true` while the range lies so far below the head that a run of thousands is worth more than latency. */
  readonly catchingUp: boolean;
  /** How many source records (logs) the range had, foreign and skipped ones included. */
  readonly sourceRecords: number;
}

/** Everything from this SeqNo on (inclusive) is void: its blocks are no longer part of the chain. */
export interface InvalidateMessage {
  readonly kind: 'invalidate';
  readonly fromSeqNo: SeqNo;
  /** The last position that both branches share. */
  readonly ancestor: BlockRef;
}

/** Nothing at or below this SeqNo will be invalidated any more. Never moves back. */
export interface FinalizeMessage {
  readonly kind: 'finalize';
  readonly upToSeqNo: SeqNo;
  readonly position: bigint;
}

/** The source answers; what it says of its head. Sent at least once per poll, also when nothing is new. */
export interface HeartbeatMessage {
  readonly kind: 'heartbeat';
  readonly head: BlockRef;
}

/** The subject has reached the end it was asked to stop at, and gives no further message. */
export interface EndMessage {
  readonly kind: 'end';
  readonly atPosition: bigint;
}

export type SubjectMessage =
  AppendMessage | InvalidateMessage | FinalizeMessage | HeartbeatMessage | EndMessage;

/** Where a subject goes on: what the storage knows of it. */
export interface ResumePoint {
  /** The first position that has not been ingested. */
  readonly nextPosition: bigint;
  /** The remembered blocks, ascending; the last one is at `nextPosition - 1`. Empty before the first append. */
  readonly window: readonly BlockRef[];
  readonly finalizedPosition: bigint | null;
  readonly discovered: readonly DiscoveredContract[];
}

/** What identifies a subject beyond its id. */
export interface SubjectIdentity {
  readonly subjectId: SubjectId;
  /** Hash of the chain's first block. The same id with another genesis is another chain, and refused. */
  readonly genesisHash: string;
}

/** An ordered source of events. */
export interface Subject {
  readonly id: SubjectId;
  /**
   * Asks the source who it is. Retries what can be retried, until the signal aborts.
   * @throws {WorkerError} `stop` when the source is another chain than configured.
   */
  identify(signal: AbortSignal): Promise<SubjectIdentity>;
  /**
   * The messages from the resume point on, in order, each once. The iterator waits for its consumer: a message is produced
   * when the previous one has been taken, reads running ahead only within a bound.
   * Ends when the signal aborts, or after `end`.
   * @throws {WorkerError} `stop` when an invariant of the source is broken. What can be retried is retried inside.
   */
  messages(resume: ResumePoint, signal: AbortSignal): AsyncIterable<SubjectMessage>;
  /** Everything up to this SeqNo is executed: the subject may read further ahead. */
  executed(upTo: SeqNo): void;
}
