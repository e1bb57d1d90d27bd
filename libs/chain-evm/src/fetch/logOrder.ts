import type { EvmLog } from '../log';

/** Order of the chain. Log indexes count per block, on some chains per transaction. */
export function compareLogs(a: EvmLog, b: EvmLog): number {
  return a.blockNumber - b.blockNumber || a.transactionIndex - b.transactionIndex || a.logIndex - b.logIndex;
}

/** Sorts in place into the order of the chain; most answers already are. */
export function sortLogs(logs: EvmLog[]): EvmLog[] {
  for (let i = 1; i < logs.length; i++) {
    if (compareLogs(logs[i - 1] as EvmLog, logs[i] as EvmLog) > 0) return logs.sort(compareLogs);
  }
  return logs;
}

/** The same log twice, whatever its place. */
export function sameLog(a: EvmLog, b: EvmLog): boolean {
  return (
    a.blockNumber === b.blockNumber &&
    a.logIndex === b.logIndex &&
    a.transactionHash === b.transactionHash &&
    a.blockHash === b.blockHash &&
    a.address === b.address &&
    a.data === b.data &&
    a.topics.length === b.topics.length &&
    a.topics.every((topic, i) => topic === b.topics[i])
  );
}

/** The first log of sorted ones that is there twice (P11), or `null`. */
export function findDuplicate(sorted: readonly EvmLog[]): EvmLog | null {
  for (let i = 1; i < sorted.length; i++) {
    const log = sorted[i] as EvmLog;
    // Several logs may share a place before they are renumbered: compare with all of them.
    for (let j = i - 1; j >= 0 && compareLogs(sorted[j] as EvmLog, log) === 0; j--) {
      if (sameLog(sorted[j] as EvmLog, log)) return log;
    }
  }
  return null;
}

/** Sorted logs of several queries as one list; what more than one query brought is there once. */
export function mergeLogs(lists: readonly (readonly EvmLog[])[]): EvmLog[] {
  const filled = lists.filter((list) => list.length > 0);
  if (filled.length <= 1) return [...(filled[0] ?? [])];
  const sorted = filled.flat().sort(compareLogs);
  const merged: EvmLog[] = [];
  for (const log of sorted) {
    let known = false;
    for (let j = merged.length - 1; j >= 0 && compareLogs(merged[j] as EvmLog, log) === 0; j--) {
      if (sameLog(merged[j] as EvmLog, log)) known = true;
    }
    if (!known) merged.push(log);
  }
  return merged;
}

/**
 * The blocks whose log indexes do not rise with the order of the chain: the provider counts per transaction, or begins
 * again, so that an index says nothing of the place in the block.
 */
export function blocksToRenumber(sorted: readonly EvmLog[]): number[] {
  const blocks: number[] = [];
  for (let i = 1; i < sorted.length; i++) {
    const [before, log] = [sorted[i - 1] as EvmLog, sorted[i] as EvmLog];
    if (before.blockNumber !== log.blockNumber || before.logIndex < log.logIndex) continue;
    if (blocks.at(-1) !== log.blockNumber) blocks.push(log.blockNumber);
  }
  return blocks;
}
