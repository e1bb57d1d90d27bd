import type { LogQuery } from '../follow';
import type { EvmBlock, EvmLog } from '../log';
import type { AdaptiveRange } from '../ranges/adaptiveRange';
import { blocksIn, rangeText, type BlockRange } from '../ranges/blockRange';
import type { RpcCall } from '../rpc/batch';
import type { RpcEndpoint } from '../rpc/endpoint';
import { BlockNotServedError, RpcInconsistentError } from '../rpc/errors';
import { readBlock } from './canonicalBlock';
import { canonicalHash, type LogReader, type RawLog, type SkipReason } from './canonicalLog';
import type { LogNumbering } from './logNumbering';
import { findDuplicate, sortLogs } from './logOrder';
import { parseQuantity, toQuantity } from './quantity';

/** Whom a range is asked from, and what is learnt on the way. One range, one endpoint. */
export interface FetchContext {
  readonly endpoint: RpcEndpoint;
  readonly sizes: AdaptiveRange;
  readonly reader: LogReader;
  readonly signal: AbortSignal;
  readonly numbering: LogNumbering;
  /** Counts logs that were left out. */
  readonly skipped: (reason: SkipReason, count?: number) => void;
  /** Says that a log was left out: the first one for each reason. */
  readonly leftOut: (reason: SkipReason, raw: RawLog) => void;
  /** Told when a node gives removed logs: it may be that the chain took blocks back (P12). */
  readonly sawRemoved?: (() => void) | undefined;
  /** Looks again at blocks without logs whose bloom says that they may have some (P2). */
  readonly checkBlooms: boolean;
  /** Counts blocks that were looked at again for nothing. */
  readonly bloomAlarm: () => void;
}

/** Heights without a block that are looked past for the first block of a range (P17). */
const SKIPPED_HEIGHTS_MAX = 32;

export const getBlock = (number: number): RpcCall => ({
  method: 'eth_getBlockByNumber',
  params: [toQuantity(number), false],
});

/** One query about a range. */
export const getLogs = (query: LogQuery, { from, to }: BlockRange): RpcCall => ({
  method: 'eth_getLogs',
  params: [{ fromBlock: toQuantity(from), toBlock: toQuantity(to), ...query }],
});

/** That an answer about logs cannot be right. */
export const inconsistent = (context: FetchContext, detail: string, fields: Record<string, unknown> = {}) =>
  new RpcInconsistentError({ endpoint: context.endpoint.label, method: 'eth_getLogs' }, detail, fields);

/** The headers of a batch; the last block must be there, or the node's word about its logs is not believed. */
export async function readHeaders(
  context: FetchContext,
  range: BlockRange,
  numbers: readonly number[],
  answers: readonly unknown[],
): Promise<{ all: Map<number, EvmBlock>; first: EvmBlock; last: EvmBlock }> {
  const all = new Map<number, EvmBlock>();
  const keep = (number: number, answer: unknown): void => {
    if (answer === null) return;
    const block = readBlock(answer, number);
    if (block === null)
      throw inconsistent(context, `the answer for block ${number} is not that block's header`);
    all.set(number, block);
  };
  numbers.forEach((number, i) => keep(number, answers[i]));
  const last = all.get(range.to);
  if (last === undefined) {
    const place = { endpoint: context.endpoint.label, method: 'eth_getLogs' };
    throw new BlockNotServedError(
      place,
      `the node does not have block ${range.to} yet; its logs are not believed`,
      range.to,
    );
  }
  if (!all.has(range.from)) {
    const heights = Array.from(
      { length: Math.min(SKIPPED_HEIGHTS_MAX, range.to - range.from) },
      (_, i) => range.from + 1 + i,
    );
    const found = await context.endpoint.together(heights.map(getBlock), context.signal);
    heights.forEach((number, i) => keep(number, found[i]));
  }
  const first = [...all.values()].reduce((a, b) => (b.number < a.number ? b : a));
  let before: EvmBlock | null = null;
  for (const number of numbers) {
    const block = all.get(number);
    if (block === undefined) continue;
    // A height without a block is one that its neighbours skip: contiguity is by parent hash, not by number (P17).
    const adjacent = before !== null && (numbers.length === blocksIn(range) || before.number === number - 1);
    if (adjacent && before !== null && block.parentHash !== before.hash) {
      throw inconsistent(context, `block ${number} is no child of block ${before.number}`, {
        number,
        hash: block.hash,
      });
    }
    before = block;
  }
  return { all, first, last };
}

/** The block of a log that a node gave as removed. */
export interface RemovedPlace {
  readonly blockNumber: number;
  readonly blockHash: string;
}

/** The logs of one answer. */
export interface ReadLogs {
  readonly logs: EvmLog[];
  readonly received: number;
  readonly timestamps: Map<number, number>;
  /** Of logs of this range that were left out as removed: to be checked. */
  readonly removed: readonly RemovedPlace[];
}

/**
 * The logs of an answer, in the order of the chain.
 * @throws {RpcInconsistentError} a log is there twice, of another block, or of another branch than the headers (P11).
 */
export function readLogs(
  context: FetchContext,
  answer: unknown,
  range: BlockRange,
  headers: ReadonlyMap<number, EvmBlock>,
): ReadLogs {
  if (!Array.isArray(answer))
    throw inconsistent(context, `the answer for ${rangeText(range)} is no list of logs`);
  const { reader, skipped, leftOut } = context;
  const logs: EvmLog[] = [];
  const timestamps = new Map<number, number>();
  const removed: RemovedPlace[] = [];
  for (const raw of answer as (RawLog | null)[]) {
    const log = reader.read(raw ?? {});
    if (typeof log === 'string') {
      skipped(log);
      leftOut(log, raw ?? {});
      const [blockNumber, blockHash] = [parseQuantity(raw?.blockNumber), canonicalHash(raw?.blockHash)];
      if (log === 'removed') context.sawRemoved?.();
      if (log !== 'removed' || blockNumber === null || blockHash === null) continue;
      if (blockNumber >= range.from && blockNumber <= range.to) removed.push({ blockNumber, blockHash });
      continue;
    }
    const { blockNumber, blockHash } = log;
    if (blockNumber < range.from || blockNumber > range.to) {
      throw inconsistent(context, `a log of block ${blockNumber} is in the answer for ${rangeText(range)}`);
    }
    const header = headers.get(blockNumber);
    if (header !== undefined && header.hash !== blockHash) {
      throw inconsistent(
        context,
        `a log is of block ${blockNumber} ${blockHash}, but that block is ${header.hash}`,
      );
    }
    if (reader.lastTimestamp !== null) timestamps.set(blockNumber, reader.lastTimestamp);
    logs.push(log);
  }
  sortLogs(logs);
  const twice = findDuplicate(logs);
  if (twice !== null) {
    throw inconsistent(context, `log ${twice.logIndex} of block ${twice.blockNumber} is in the answer twice`);
  }
  for (let i = 1; i < logs.length; i++) {
    const [before, log] = [logs[i - 1] as EvmLog, logs[i] as EvmLog];
    if (before.blockNumber === log.blockNumber && before.blockHash !== log.blockHash) {
      throw inconsistent(context, `logs of block ${log.blockNumber} name two block hashes`);
    }
  }
  return { logs, received: answer.length, timestamps, removed };
}
