/**
 * A log in canonical form: hex in lower case, places as numbers. Block numbers, indexes and timestamps of every EVM chain
 * stay below 2^53, so they are exact; amounts and ids are never numbers.
 */
export interface EvmLog {
  readonly address: string;
  readonly topics: readonly string[];
  /** `0x` when there is none. */
  readonly data: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly transactionHash: string;
  readonly transactionIndex: number;
  readonly logIndex: number;
}

/** A block as far as the worker needs it. */
export interface EvmBlock {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly logsBloom: string | null;
}

/** A transaction's outcome: all its logs, whoever emitted them. */
export interface EvmReceipt {
  readonly transactionHash: string;
  readonly transactionIndex: number;
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly from: string;
  /** `null` for a contract creation. */
  readonly to: string | null;
  /** `false`: reverted; such a transaction has no logs. */
  readonly succeeded: boolean;
  readonly logs: readonly EvmLog[];
}
