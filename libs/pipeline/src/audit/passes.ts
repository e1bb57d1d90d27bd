import type { SeqNo } from '@imart/core';
import type { PositionRange } from './source';

/** `backfill`: the past of what is followed newly. `second`: everything final, once more, slowly. */
export type PassKind = 'backfill' | 'second';

/** Events that a second reading found in the log otherwise than the source has them. */
export interface Findings {
  readonly missing: number;
  readonly different: number;
  readonly extra: number;
}

/** A second reading of what is in the log already, as it is stored: resumable, it skips nothing. */
export interface Pass {
  readonly id: bigint;
  readonly kind: PassKind;
  /** Why it is made, for people. */
  readonly reason: string;
  readonly fromPosition: bigint;
  /** The last position to read; `null`: it follows what becomes final. */
  readonly toPosition: bigint | null;
  /** The first position that has not been read again. */
  readonly nextPosition: bigint;
  /** Found so far. */
  readonly findings: Findings;
}

/** A range that a pass has read, and what it found there. */
export interface PassStep extends PositionRange {
  readonly id: bigint;
  readonly findings: Findings;
  /**
   * The range named contracts that were not known. What the live stream has read by now it has read without them: a backfill goes on up to
   * there, and where the pass is none, one is added.
   */
  readonly discovered: boolean;
}

/** Steps of passes inside a transaction that locks ingest. */
export interface PassTransaction {
  /**
   * Moves a pass behind a range; one that has read all of its range is finished.
   * @returns `false` when it does not stand at the range's first position: another process has moved it. Roll back.
   */
  advancePass(step: PassStep): Promise<boolean>;
  /** Adds a backfill from a position to the end of the log as it is now; none when nothing lies between. */
  addBackfill(fromPosition: bigint, reason: string): Promise<void>;
  /** Forgets discovered contracts that no event named. */
  forgetContracts(addresses: readonly string[]): Promise<void>;
}

/** What became of what is followed. */
export interface RegisteredFollowed {
  /** What was followed until now; empty: that is not known. */
  readonly before: string;
  /** What of it is new, in words. */
  readonly added: readonly string[];
  /** The positions whose logs of what is new are to be read; `null`: there are none. */
  readonly backfill: PositionRange | null;
}

/** What is stored of passes, and what only an audit asks of the log. */
export interface PassStore {
  /**
   * Writes down what is followed from the next position on, and, in the same transaction, that the past of what is new in it is to be
   * read: from the first position of the log to its end as it is then. To be called by whoever is about to read, before it reads: nobody
   * with other settings may append any more, which the lease sees to.
   *
   * A backfill that is not finished goes into the new one, which reads everything that is followed. The second pass begins anew: what is
   * new has been read by nobody twice.
   *
   * @param added what of `now` is not in `before`, in words; empty: nothing.
   * @throws {FencedError} `stop` on a fenced store, when another process has taken the lease. Nothing was written.
   */
  registerFollowed(
    followed: string,
    added: (before: string, now: string) => readonly string[],
  ): Promise<RegisteredFollowed>;
  /** Unfinished passes, the oldest first. */
  unfinished(): Promise<readonly Pass[]>;
  /** Adds the second pass, from the first position of the log on, unless there is one. */
  ensureSecondPass(): Promise<void>;
  /** Ends a backfill of which nothing is left in the log: a reorg took back what it had not read yet. */
  finish(id: bigint): Promise<void>;
  /** Places of all events at these contracts, ascending. Reads the whole log. */
  eventsAt(addresses: readonly string[]): Promise<readonly SeqNo[]>;
  /**
   * Places of events in the range that were changed behind the log's back: their content is not the one that was hashed when they were
   * written, or their aggregate's hash is another one's. Ascending.
   */
  tamperedEvents(range: PositionRange): Promise<readonly SeqNo[]>;
}
