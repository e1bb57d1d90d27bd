import type { EvmLog } from '../log';

/**
 * Whether log indexes are believed to be places in their blocks. Where they begin again with each transaction, a block
 * whose relevant logs are all of one transaction does not show it: once a block showed it, each block after it with
 * relevant logs is numbered by its receipts, so that a log's place does not hang on which others are relevant. Of the blocks
 * handed on in order, the same ones are, however they are batched and read.
 *
 * What remains: up to the first block that shows it, and so after each start of the process, the node's own indexes are
 * taken. The order of events is right all the same.
 */
export interface LogNumbering {
  /** The lowest block known whose log indexes repeat; `null`: none was seen. */
  readonly from: number | null;
  /** Log indexes of this block repeat or go back. */
  repeats(block: number): void;
  /** Forgets what this block or one above it showed: the chain took them back, and may not show it there again. */
  forgetFrom(block: number): void;
}

/** @param onFirst is told of the first such block. */
export function createLogNumbering(onFirst: (block: number) => void): LogNumbering {
  let from: number | null = null;
  return {
    get from() {
      return from;
    },
    repeats(block) {
      if (from === null) onFirst(block);
      from = Math.min(from ?? block, block);
    },
    forgetFrom(block) {
      if (from !== null && from >= block) from = null;
    },
  };
}

/**
 * Whether some of these logs are to be numbered by their receipts and are not.
 * @param numberedFrom from this block on they are; `null`: none is.
 */
export function lacksNumbers(
  { from }: LogNumbering,
  logs: readonly EvmLog[],
  numberedFrom: number | null,
): boolean {
  if (from === null || (numberedFrom !== null && numberedFrom <= from)) return false;
  return logs.some(
    ({ blockNumber }) => blockNumber >= from && (numberedFrom === null || blockNumber < numberedFrom),
  );
}
