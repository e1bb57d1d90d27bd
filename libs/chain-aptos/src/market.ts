import type { MarketEventData, MarketEventName } from '@imart/market';
import type { EventHandleField } from './eventHandles';
import type { AptosEvent, AptosTransaction } from './transaction';

/** Receives what an event means. What one event means keeps the order in which it is emitted. */
export interface EmitAptosMarketEvent {
  <Name extends MarketEventName>(
    aggregateType: string,
    aggregateId: string,
    name: Name,
    data: MarketEventData[Name],
  ): void;
}

/**
 * Turns the events of one marketplace into market events. Pure and without memory: it sees one transaction at a time, so that
 * the same ledger gives the same events from any source and in any batching.
 */
export interface AptosMarket {
  /** As in the `MARKETS` setting: lower case, digits, `-`, `.`. */
  readonly name: string;
  /**
   * The types of all its events that mean something: canonical, without type arguments. Whatever type arguments an event
   * has, it is shown.
   * @example ['0x584b…58c9::events::ListingPlacedEvent']
   */
  readonly eventTypes: readonly string[];
  /**
   * Its package, canonical: events of the package that no market knows are counted, and told once for each type. Absent: it has none of
   * its own.
   */
  readonly packageAddress?: string;
  /**
   * Where the handles of its events are. An event of the package whose type no market knows, and which came from one of them, is shown
   * under the type that the handle stands for. Absent: its events are known by their types alone.
   */
  readonly handles?: readonly EventHandleField[];
  /**
   * Says what one of its events means. The transaction has all that happened with it, the events of others too.
   * @throws {WorkerError} `park` when the event cannot be decoded: it becomes an `Undecodable` one at its place; those beside it
   * are not affected.
   */
  translate(event: AptosEvent, transaction: AptosTransaction, emit: EmitAptosMarketEvent): void;
}
