import type { MarketEventData, MarketEventName } from '@imart/market';
import type { EvmLog, EvmReceipt } from './log';

/** What a marketplace may ask of the chain it is on. Constant while the worker runs. */
export interface EvmChainFacts {
  readonly chainId: number;
  /** Wrapped native coin; `null` when not known for this chain. */
  readonly wrappedNative: string | null;
}

/** A transaction as a marketplace sees it. */
export interface MarketTransaction {
  readonly chain: EvmChainFacts;
  readonly hash: string;
  readonly blockNumber: number;
  /** The marketplace's own logs in it, ascending by log index: at its contracts, with its topics. Never empty. */
  readonly logs: readonly EvmLog[];
  /** All that happened in the transaction; given when the marketplace asked for it by `needsReceipt`, else `null`. */
  readonly receipt: EvmReceipt | null;
}

/**
 * Receives what a log means. Events of one log keep the order in which they are emitted. `log` must be one of the
 * transaction's `logs`: the event takes its place.
 */
export interface EmitMarketEvent {
  <Name extends MarketEventName>(
    log: EvmLog,
    aggregateType: string,
    aggregateId: string,
    name: Name,
    data: MarketEventData[Name],
  ): void;
}

/** A contract to follow, and from which block. */
export interface MarketplaceContract {
  readonly address: string;
  /** What kind of contract it is to its marketplace, where it has several (`single`, `multiple`); else absent. */
  readonly role?: string;
}

/** A contract that a log named and that is to be followed from that log on. */
export interface DiscoveredCollection {
  readonly address: string;
  readonly standard: 'erc721' | 'erc1155';
}

/**
 * Turns the logs of one marketplace into market events. Pure and without memory: it sees one transaction at a time, so
 * the same transaction gives the same events in any batching.
 */
export interface Marketplace {
  /** As in the `MARKETS` setting: lower case, digits, `-`, `.`. */
  readonly name: string;
  /** Where it is deployed on a chain when the setting names no address; empty when it is not known there. */
  contracts(chainId: number): readonly MarketplaceContract[];
  /** First topics of all its events that mean something. */
  readonly topics: readonly string[];
  /**
   * Each of its logs means what it means alone: one that cannot be decoded does not take the others of its transaction
   * with it.
   */
  readonly independentLogs?: boolean;
  /** Whether this log can only be understood with its transaction's receipt. */
  needsReceipt(log: EvmLog): boolean;
  /**
   * @throws {WorkerError} `park` when a log cannot be decoded: the transaction's logs of this marketplace, or that log
   * alone where they are independent, become `Undecodable` events.
   */
  translate(transaction: MarketTransaction, emit: EmitMarketEvent): void;
  /** Collections that this log created. Called for each of its logs, before `translate`. */
  discover?(log: EvmLog): readonly DiscoveredCollection[];
}
