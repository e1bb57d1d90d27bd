import { RpcInconsistentError } from '../rpc/errors';
import type { BlockRange } from '../ranges/blockRange';
import type { LogFilter, LogQuery } from '../follow';
import type { EvmBlock, EvmLog, EvmReceipt } from '../log';
import { readBlock } from './canonicalBlock';
import { fetchLogs } from './fetchLogs';
import { fetchBlockReceipts, fetchReceipts } from './fetchReceipts';
import { blocksToRenumber, mergeLogs, sameLog, sortLogs } from './logOrder';
import { getBlock, type FetchContext } from './readAnswers';

/** All that is needed of a range of blocks to make events of it. */
export interface RangeData {
  readonly range: BlockRange;
  readonly first: EvmBlock;
  readonly last: EvmBlock;
  /** All blocks of the range when they were asked for, else `first`, `last`, and those whose time was needed. */
  readonly headers: ReadonlyMap<number, EvmBlock>;
  /** In the order of the chain, log indexes rising within a block. Foreign logs are left out. */
  readonly logs: readonly EvmLog[];
  /** Seconds since 1970, of each block that has one of the logs. */
  readonly timestamps: ReadonlyMap<number, number>;
  /** By transaction hash: of each transaction in which a marketplace asks for it. */
  readonly receipts: ReadonlyMap<string, EvmReceipt>;
  /** Logs from this block on have been numbered by their receipts; `null`: none has. */
  readonly numberedFrom: number | null;
  /** How many logs were received. */
  readonly received: number;
  /** The discovered contracts whose logs are in `logs`, besides those that were followed before. */
  readonly children: ReadonlySet<string>;
}

export interface RangeRequest {
  readonly range: BlockRange;
  readonly queries: readonly LogQuery[];
  /** The headers of all blocks: above finality each block is remembered. */
  readonly allHeaders: boolean;
  /** Contracts to take for followed though the filter does not know them yet. */
  readonly children: readonly string[];
}

/**
 * One range from one endpoint, complete: its logs, those of the contracts that are discovered in it, and the headers and
 * receipts that they need.
 * @throws {RpcError} nothing of the range is to be used.
 */
export async function fetchRange(
  context: FetchContext,
  filter: LogFilter,
  request: RangeRequest,
): Promise<RangeData> {
  const { range, queries, allHeaders } = request;
  const children = new Set(request.children);
  const fetched = await fetchLogs(context, queries, range, allHeaders);
  const headers = new Map(fetched.headers);
  const timestamps = new Map(fetched.timestamps);
  let received = fetched.received;

  const relevant = (all: readonly EvmLog[]): EvmLog[] => {
    const own = all.filter((log) => filter.possibleOwners(log, children).length > 0);
    if (own.length < all.length) context.skipped('foreign', all.length - own.length);
    return own;
  };
  let logs = relevant(fetched.logs);
  for (let fresh = logs; fresh.length > 0;) {
    const born = newChildren(filter, fresh, children);
    const childQueries = filter.childQueries(born);
    if (childQueries.length === 0) break;
    const more = await fetchLogs(context, childQueries, range, false);
    if (more.last.hash !== fetched.last.hash) {
      throw new RpcInconsistentError(
        { endpoint: context.endpoint.label, method: 'eth_getLogs' },
        `block ${range.to} changed while the range was read`,
      );
    }
    for (const [number, seconds] of more.timestamps) timestamps.set(number, seconds);
    received += more.received;
    fresh = relevant(more.logs);
    logs = mergeLogs([logs, fresh]);
  }

  const renumbered = new Map<string, EvmReceipt>();
  const numberedFrom = numberFrom(context, logs);
  if (numberedFrom !== null) logs = await renumber(context, logs, numberedFrom, renumbered);
  await fetchTimes(context, logs, headers, timestamps);
  const receipts = await fetchWantedReceipts(context, filter, logs, renumbered, children);
  return {
    range,
    first: fetched.first,
    last: fetched.last,
    headers,
    logs,
    timestamps,
    receipts,
    numberedFrom,
    received,
    children,
  };
}

/** Collections that these logs create and nobody follows yet; added to `children`. */
function newChildren(filter: LogFilter, logs: readonly EvmLog[], children: Set<string>): string[] {
  const born: string[] = [];
  for (const log of logs) {
    for (const { address } of filter.discoveriesIn(log)) {
      if (children.has(address)) continue;
      children.add(address);
      born.push(address);
    }
  }
  return born;
}

/** The block from which on logs are to be numbered by their receipts, with what these logs show of it. */
function numberFrom({ numbering }: FetchContext, logs: readonly EvmLog[]): number | null {
  const [first] = blocksToRenumber(logs);
  if (first !== undefined) numbering.repeats(first);
  return numbering.from;
}

/** From this block on, a log's index becomes its place in its block's receipts. */
async function renumber(
  context: FetchContext,
  logs: EvmLog[],
  from: number,
  receiptsByHash: Map<string, EvmReceipt>,
): Promise<EvmLog[]> {
  const blocks = new Map<number, string>();
  for (const log of logs) if (log.blockNumber >= from) blocks.set(log.blockNumber, log.blockHash);
  const result = [...logs];
  for (const [number, hash] of blocks) {
    const receipts = await fetchBlockReceipts(context, { number, hash });
    const taken = new Set<EvmLog>();
    for (const receipt of receipts) receiptsByHash.set(receipt.transactionHash, receipt);
    for (let i = 0; i < result.length; i++) {
      const log = result[i] as EvmLog;
      if (log.blockNumber !== number) continue;
      // Equal logs of one transaction are taken in their order.
      const placed = receiptsByHash
        .get(log.transactionHash)
        ?.logs.find((other) => !taken.has(other) && sameLog({ ...other, logIndex: log.logIndex }, log));
      if (placed === undefined) {
        throw new RpcInconsistentError(
          { endpoint: context.endpoint.label, method: 'eth_getBlockReceipts' },
          `log ${log.logIndex} of transaction ${log.transactionHash} is not in its receipt`,
        );
      }
      taken.add(placed);
      result[i] = placed;
    }
  }
  return sortLogs(result);
}

/** Chain times of the blocks with logs: from the logs or the headers that are there, else from more headers. */
async function fetchTimes(
  context: FetchContext,
  logs: readonly EvmLog[],
  headers: Map<number, EvmBlock>,
  timestamps: Map<number, number>,
): Promise<void> {
  const missing: EvmLog[] = [];
  let before = -1;
  for (const log of logs) {
    const { blockNumber } = log;
    if (blockNumber === before) continue;
    before = blockNumber;
    const header = headers.get(blockNumber);
    if (header !== undefined) timestamps.set(blockNumber, header.timestamp);
    else if (!timestamps.has(blockNumber)) missing.push(log);
  }
  if (missing.length === 0) return;
  const answers = await context.endpoint.many(
    missing.map(({ blockNumber }) => getBlock(blockNumber)),
    context.signal,
  );
  missing.forEach(({ blockNumber, blockHash }, i) => {
    const block = readBlock(answers[i], blockNumber);
    if (block === null || block.hash !== blockHash) {
      throw new RpcInconsistentError(
        { endpoint: context.endpoint.label, method: 'eth_getBlockByNumber' },
        `a log is of block ${blockNumber} ${blockHash}, but ${block === null ? 'there is no such block' : `that block is ${block.hash}`}`,
      );
    }
    timestamps.set(blockNumber, block.timestamp);
  });
}

async function fetchWantedReceipts(
  context: FetchContext,
  filter: LogFilter,
  logs: readonly EvmLog[],
  known: ReadonlyMap<string, EvmReceipt>,
  children: ReadonlySet<string>,
): Promise<ReadonlyMap<string, EvmReceipt>> {
  const transactions = new Set<string>();
  for (const log of logs) {
    for (const owner of filter.possibleOwners(log, children)) {
      if (filter.marketplaces[owner]?.needsReceipt(log) === true) transactions.add(log.transactionHash);
    }
  }
  if (transactions.size === 0) return known;
  const wanted = logs.filter(
    ({ transactionHash }) => transactions.has(transactionHash) && !known.has(transactionHash),
  );
  if (wanted.length === 0) return known;
  const receipts = await fetchReceipts(context, wanted);
  for (const [hash, receipt] of known) receipts.set(hash, receipt);
  return receipts;
}
