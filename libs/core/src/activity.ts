import type { Event } from './event';
import type { SeqNo } from './seqNo';

/**
 * Something that happened and that a person may read about: one line of a history. Written with the states that the
 * same event changed; identified by the event's SeqNo and, where one event gives several, by `item`.
 */
export interface Activity {
  /** The event that caused it: gives SeqNo, block, transaction and time. */
  readonly event: Event;
  /** From 0, in the order in which the reducer gave them. */
  readonly item: number;
  readonly kind: string;
}

/**
 * A row of market state that an event changed. `key` identifies it within `table`; of several versions in one run, the
 * last one is written.
 */
export interface StateRow {
  readonly table: string;
  readonly key: string;
  /** The event that last changed the row. An event at or below it is not applied again. */
  readonly seqNo: SeqNo;
  /** How many events had changed the aggregate when this row was last changed. */
  readonly version: number;
}
