import type { Event } from './event';
import type { SeqNo } from './seqNo';
import type { DiscoveredContract } from './subject';

/** What is known of a block that was read: enough to tell whether the chain still has it. */
export interface KnownBlock {
  readonly position: bigint;
  readonly hash: string;
}

/**
 * What a second reading of the source knows better than the log: events that were left out, that say something else, or that were
 * never there. The difference between the log as it was read under `epoch` and the source; a change applied makes both equal.
 * It lies within what is ingested, above or below finality: it adds truth, it does not move the end of the log.
 */
export interface LateChange {
  /** The subject's epoch when the log was read. Under another one nothing is changed. */
  readonly epoch: bigint;
  /**
   * Blocks that the source told the change from. Where the log knows a block of the position, by its window or by an event, and it
   * has another hash, nothing is changed: the two tell of different branches.
   */
  readonly blocks: readonly KnownBlock[];
  /** Events of places where the log has none. Ascending. */
  readonly inserted: readonly Event[];
  /** Events of places where the log has another content. Ascending. */
  readonly replaced: readonly Event[];
  /** Places of events that the log must not have. Ascending. */
  readonly retracted: readonly SeqNo[];
  /** Contracts that the events named; those that retracted or replaced events had named are forgotten unless they are here. */
  readonly discovered: readonly DiscoveredContract[];
}
