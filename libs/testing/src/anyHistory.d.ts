import { type DiscoveredContract, type Event, type SeqNo } from '@imart/core';
import type { StoreContents } from './inMemory/reads';
import type { OpenedStore } from './storeFeatures';
export interface AnyHistoryOptions {
  /** Everything that happens follows from it. */
  readonly seed: number;
  readonly rounds: number;
  /** How probable it is that a call of the store fails. */
  readonly faults: number;
}
/** Where a history has led, and where it should have. */
export interface AnyHistoryEnd {
  readonly actual: HistoryEnd;
  readonly expected: HistoryEnd;
  /** What happened, for who looks into a failing seed. */
  readonly happened: Readonly<Record<string, number>>;
}
interface HistoryEnd extends StoreContents {
  readonly log: readonly Event[];
  readonly discovered: readonly DiscoveredContract[];
  /** What a reader of the feed has made of all changes that it was told. */
  readonly readers: readonly (readonly Event[])[];
  readonly lanes: readonly SeqNo[];
  readonly nextPosition: bigint;
}
/**
 * A market's history as it may happen: the chain grows, forks and becomes final; its provider leaves events out and makes some up;
 * second readings mend that; aggregates are parked, retried, skipped; an operator goes back below finality; the database fails and
 * processes die all along. In the end everything is read and executed, and mended by a last second reading.
 */
export declare function liveThrough(opened: OpenedStore, options: AnyHistoryOptions): Promise<AnyHistoryEnd>;
export {};
