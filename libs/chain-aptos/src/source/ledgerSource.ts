import type { BlockRef } from '@imart/core';
import type { ReadTransaction } from '../read/readEvent';

/** Transactions of successive versions, at least one; or, with `covers`, those of a range that matter. */
export interface LedgerBatch {
  readonly kind: 'batch';
  readonly transactions: readonly ReadTransaction[];
  /** Every version of this range is dealt with, though only some of them are given. */
  readonly covers?: { readonly from: bigint; readonly to: BlockRef };
  /** Much more is there already: a run of thousands is worth more than latency. */
  readonly catchingUp: boolean;
}

/** The source answers. What it says of its head. */
export interface LedgerPulse {
  readonly kind: 'pulse';
  readonly head: BlockRef;
}

/** Counters of one endpoint since the start. `errors` by the stable code of the error. */
export interface LedgerEndpointStats {
  readonly endpoint: string;
  /** HTTP requests, or streams. */
  requests: number;
  /** Of decompressed answers. */
  receivedBytes: number;
  readonly errors: Record<string, number>;
  inFlight: number;
}

export interface LedgerReading {
  /** The first version to read. */
  readonly from: bigint;
  /** The version before it as it was read, to tell another ledger by; `null`: nothing was read. */
  readonly after: BlockRef | null;
  /** The last version to read; `null`: for ever. */
  readonly to: bigint | null;
}

/** Where transactions come from. All ways to read a ledger are one to the subject. */
export interface LedgerSource {
  /**
   * Asks who the ledger is.
   * @throws {WorkerError} `stop` when every endpoint serves another chain.
   */
  chainId(signal: AbortSignal): Promise<number>;
  /**
   * One transaction, waited for when it is not there yet.
   * @returns `null` when no endpoint has it any more.
   */
  transaction(version: bigint, signal: AbortSignal): Promise<ReadTransaction | null>;
  /**
   * Every version from one on, in order and without a gap, and now and then that the source answers. It reads ahead within a bound
   * while its consumer is busy. What can be retried is retried inside. Ends after `to`, or by throwing the signal's reason.
   * @throws {WorkerError} `stop`
   */
  read(
    reading: LedgerReading,
    signal: AbortSignal,
  ): AsyncGenerator<LedgerBatch | LedgerPulse, void, undefined>;
  stats(): readonly LedgerEndpointStats[];
  close(): void;
}

/** A transaction as the log remembers it. */
export function refOf(transaction: ReadTransaction, parentHash: string): BlockRef {
  return {
    position: transaction.version,
    hash: transaction.accumulatorRootHash,
    parentHash,
    timeUs: transaction.timestampUs,
  };
}
