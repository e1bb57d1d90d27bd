import type { EvmBlock, EvmLog } from '../log';

/** The logs of a range, proven complete as far as one node can: it has the range's last block. */
export interface FetchedLogs {
  /** In the order of the chain. Foreign ones included. */
  readonly logs: readonly EvmLog[];
  /** How many logs the node sent. */
  readonly received: number;
  /** The range's first block, or the next that exists, and its last; between them, those that were asked for. */
  readonly headers: ReadonlyMap<number, EvmBlock>;
  readonly first: EvmBlock;
  readonly last: EvmBlock;
  /** Chain time by block, in seconds, where the logs tell it. */
  readonly timestamps: ReadonlyMap<number, number>;
}
