import { aggregateHash, laneOf, type AppendMessage, type Event, type SeqNo } from '@imart/core';

/** A range that this process has just appended: its events, without reading them again. A cache of the log, nothing more. */
export interface AppendedRange {
  /** Where the log ended before it. */
  readonly afterSeqNo: SeqNo;
  readonly toSeqNo: SeqNo;
  /** The epoch under which it was appended. */
  readonly epoch: bigint;
  readonly events: readonly Event[];
}

/**
 * The lanes of the process that appends. They begin as soon as the log is committed, without waiting for a job to come round; the jobs
 * are for the lanes of other processes, and tell what became of each event.
 */
export interface LocalLanes {
  /** These events are about to be appended: their states may be read meanwhile. Changes no result, and never fails. */
  expect(events: readonly Event[]): void;
  /**
   * This range is in the log: every lane takes its part of it. Resolves when all have reached the end of the log; failures meet
   * their fate inside.
   */
  appended(range: AppendedRange, signal: AbortSignal): Promise<void>;
}

/** What {@link LocalLanes} needs to know of a message. */
export function appendedRange(message: AppendMessage, afterSeqNo: SeqNo, epoch: bigint): AppendedRange {
  return { afterSeqNo, toSeqNo: message.toSeqNo, epoch, events: message.events };
}

/** The events of each lane, in their order, by lane number. */
export function eventsByLane(events: readonly Event[], lanes: number): readonly (readonly Event[])[] {
  if (lanes === 1) return [events];
  const parts: Event[][] = Array.from({ length: lanes }, () => []);
  for (const event of events) {
    parts[laneOf(aggregateHash(event.aggregateType, event.aggregateId), lanes)]?.push(event);
  }
  return parts;
}
