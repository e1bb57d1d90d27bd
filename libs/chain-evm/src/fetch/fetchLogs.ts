import {
  BlockNotServedError,
  RpcInconsistentError,
  RpcMethodUnsupportedError,
  RpcRangeLimitError,
  RpcTimeoutError,
} from '../rpc/errors';
import type { RpcEndpoint } from '../rpc/endpoint';
import type { RpcCall } from '../rpc/batch';
import { reducedEnd } from '../rpc/rangeHint';
import type { AdaptiveRange } from '../ranges/adaptiveRange';
import { blocksIn, rangeText, type BlockRange } from '../ranges/blockRange';
import { maybeCut } from '../ranges/silentCap';
import type { LogQuery } from '../follow';
import type { EvmBlock, EvmLog } from '../log';
import { bloomMayHold } from './bloom';
import { readBlock } from './canonicalBlock';
import type { LogReader, RawLog, SkipReason } from './canonicalLog';
import { fetchBlockLogs } from './fetchReceipts';
import { findDuplicate, mergeLogs, sortLogs } from './logOrder';
import { toQuantity } from './quantity';

/** Whom a range is asked from, and what is learnt on the way. One range, one endpoint. */
export interface FetchContext {
  readonly endpoint: RpcEndpoint;
  readonly sizes: AdaptiveRange;
  readonly reader: LogReader;
  readonly signal: AbortSignal;
  /** Counts logs that were left out. */
  readonly skipped: (reason: SkipReason, count?: number) => void;
  /** Looks again at blocks without logs whose bloom says that they may have some (P2). */
  readonly checkBlooms: boolean;
  /** Counts blocks that were looked at again for nothing. */
  readonly bloomAlarm: () => void;
}

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

/** Heights without a block that are looked past for the first block of a range (P17). */
const SKIPPED_HEIGHTS_MAX = 32;
/** Heights without a block that the end of a part is moved past. */
const SKIPPED_ENDS_MAX = 3;

const NONE: ReadonlyMap<number, number> = new Map();

export const getBlock = (number: number): RpcCall => ({
  method: 'eth_getBlockByNumber',
  params: [toQuantity(number), false],
});

const getLogs = (query: LogQuery, { from, to }: BlockRange): RpcCall => ({
  method: 'eth_getLogs',
  params: [{ fromBlock: toQuantity(from), toBlock: toQuantity(to), ...query }],
});

const inconsistent = (context: FetchContext, detail: string, fields: Record<string, unknown> = {}) =>
  new RpcInconsistentError({ endpoint: context.endpoint.label, method: 'eth_getLogs' }, detail, fields);

/**
 * Asks for a range, in as many queries as this endpoint needs.
 * @param allHeaders the headers of all blocks are wanted, not only of the first and the last one.
 * @throws {BlockNotServedError} the node does not have the range's last block (P1).
 * @throws {RpcInconsistentError} the answer contradicts itself; nothing of it is used.
 */
export async function fetchLogs(
  context: FetchContext,
  queries: readonly LogQuery[],
  range: BlockRange,
  allHeaders: boolean,
): Promise<FetchedLogs> {
  const parts: FetchedLogs[] = [];
  for (let { from } = range; from <= range.to;) {
    const to = Math.min(from + Math.max(1, context.sizes.blocks) - 1, range.to);
    const part = await fetchFrom(context, queries, { from, to }, range.to, allHeaders);
    parts.push(part);
    from = part.last.number + 1;
  }
  return join(context, parts);
}

/** A part that may end a little later than asked, when there is no block where it was to end (P17). */
async function fetchFrom(
  context: FetchContext,
  queries: readonly LogQuery[],
  { from, to }: BlockRange,
  toMax: number,
  allHeaders: boolean,
): Promise<FetchedLogs> {
  for (let end = to; ; end++) {
    try {
      return await fetchPart(context, queries, { from, to: end }, allHeaders);
    } catch (error) {
      const mayExtend = end < toMax && end - to < SKIPPED_ENDS_MAX;
      if (!(error instanceof BlockNotServedError) || error.blockNumber !== end || !mayExtend) throw error;
    }
  }
}

/** Adjacent parts as one; each must begin with the child of the block that the one before ends with. */
function join(context: FetchContext, parts: readonly FetchedLogs[]): FetchedLogs {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const headers = new Map<number, EvmBlock>();
  const timestamps = new Map<number, number>();
  let before: EvmBlock | null = null;
  for (const part of parts) {
    if (before !== null && part.first.parentHash !== before.hash) {
      throw inconsistent(context, `block ${part.first.number} is no child of block ${before.number}`);
    }
    for (const [number, block] of part.headers) headers.set(number, block);
    for (const [number, seconds] of part.timestamps) timestamps.set(number, seconds);
    before = part.last;
  }
  return {
    logs: parts.flatMap(({ logs }) => logs),
    received: parts.reduce((sum, { received }) => sum + received, 0),
    headers,
    first: (parts[0] as FetchedLogs).first,
    last: (parts.at(-1) as FetchedLogs).last,
    timestamps,
  };
}

async function fetchPart(
  context: FetchContext,
  queries: readonly LogQuery[],
  range: BlockRange,
  allHeaders: boolean,
): Promise<FetchedLogs> {
  try {
    const fetched = await fetchOnce(context, queries, range, allHeaders);
    context.sizes.answered(blocksIn(range), fetched.received);
    return fetched;
  } catch (error) {
    if (error instanceof RpcTimeoutError && blocksIn(range) > 1) context.sizes.tooSlow(blocksIn(range));
    if (!(error instanceof RpcRangeLimitError)) throw error;
    context.sizes.refused(blocksIn(range), error.hint);
    if (blocksIn(range) === 1) return fetchLargeBlock(context, queries, range, error);
    return fetchHalves(context, queries, range, allHeaders, reducedEnd(range.from, range.to, error.hint));
  }
}

/** The range up to `end`, which lies before its last block, then the rest. */
async function fetchHalves(
  context: FetchContext,
  queries: readonly LogQuery[],
  range: BlockRange,
  allHeaders: boolean,
  end: number,
): Promise<FetchedLogs> {
  const lower = await fetchFrom(context, queries, { from: range.from, to: end }, range.to, allHeaders);
  const from = lower.last.number + 1;
  if (from > range.to) return lower;
  return join(context, [lower, await fetchPart(context, queries, { from, to: range.to }, allHeaders)]);
}

async function fetchOnce(
  context: FetchContext,
  queries: readonly LogQuery[],
  range: BlockRange,
  allHeaders: boolean,
): Promise<FetchedLogs> {
  const { endpoint, signal } = context;
  const numbers: number[] = [];
  if (allHeaders) for (let n = range.from; n <= range.to; n++) numbers.push(n);
  else numbers.push(...new Set([range.from, range.to]));
  const answers = await endpoint.together(
    [...queries.map((query) => getLogs(query, range)), ...numbers.map(getBlock)],
    signal,
  );
  const headers = await readHeaders(context, range, numbers, answers.slice(queries.length));
  const lists = answers
    .slice(0, queries.length)
    .map((answer) => readLogs(context, answer, range, headers.all));
  const received = lists.reduce((sum, list) => sum + list.received, 0);
  const fetched: FetchedLogs = {
    logs: mergeLogs(lists.map(({ logs }) => logs)),
    received,
    headers: headers.all,
    first: headers.first,
    last: headers.last,
    timestamps:
      lists.length === 1 ? (lists[0]?.timestamps ?? NONE) : new Map(lists.flatMap((l) => [...l.timestamps])),
  };
  if (allHeaders && context.checkBlooms) await checkBlooms(context, queries, lists, headers.all);
  const suspect = lists.some((list) => maybeCut(list.received));
  return suspect ? recount(context, queries, range, allHeaders, fetched) : fetched;
}

/**
 * A block whose bloom says that it may have logs, and that has none, is asked for once more, by its hash, which a node that
 * does not have the block cannot answer (P2).
 */
async function checkBlooms(
  context: FetchContext,
  queries: readonly LogQuery[],
  lists: readonly { readonly logs: readonly EvmLog[] }[],
  headers: ReadonlyMap<number, EvmBlock>,
): Promise<void> {
  const suspects: { block: EvmBlock; call: RpcCall }[] = [];
  queries.forEach((query, i) => {
    const withLogs = new Set(lists[i]?.logs.map(({ blockNumber }) => blockNumber));
    for (const block of headers.values()) {
      if (withLogs.has(block.number) || !bloomMayHold(block.logsBloom, query)) continue;
      suspects.push({
        block,
        call: { method: 'eth_getLogs', params: [{ blockHash: block.hash, ...query }] },
      });
    }
  });
  if (suspects.length === 0) return;
  const calls = suspects.map(({ call }) => call);
  const answers = await context.endpoint.together(calls, context.signal);
  answers.forEach((answer, i) => {
    const { block } = suspects[i] as { block: EvmBlock };
    if (!Array.isArray(answer))
      throw inconsistent(context, `the answer for block ${block.hash} is no list of logs`);
    if (answer.length > 0) {
      throw inconsistent(
        context,
        `block ${block.number} has logs by its hash that were missing by its number`,
      );
    }
    context.bloomAlarm();
  });
}

/** The headers of a batch; the last block must be there, or the node's word about its logs is not believed. */
async function readHeaders(
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

function readLogs(
  context: FetchContext,
  answer: unknown,
  range: BlockRange,
  headers: ReadonlyMap<number, EvmBlock>,
): { logs: EvmLog[]; received: number; timestamps: Map<number, number> } {
  if (!Array.isArray(answer))
    throw inconsistent(context, `the answer for ${rangeText(range)} is no list of logs`);
  const { reader, skipped } = context;
  const logs: EvmLog[] = [];
  const timestamps = new Map<number, number>();
  for (const raw of answer as (RawLog | null)[]) {
    const log = reader.read(raw ?? {});
    if (typeof log === 'string') {
      skipped(log);
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
  return { logs, received: answer.length, timestamps };
}

/** An answer of a round size may have been cut: its halves must not bring more. What brings more is taken. */
async function recount(
  context: FetchContext,
  queries: readonly LogQuery[],
  range: BlockRange,
  allHeaders: boolean,
  whole: FetchedLogs,
): Promise<FetchedLogs> {
  if (blocksIn(range) === 1) {
    try {
      const logs = (await fetchBlockLogs(context, whole.last)).filter((log) =>
        queries.some((q) => matches(q, log)),
      );
      return logs.length > whole.logs.length ? { ...whole, logs, received: logs.length } : whole;
    } catch (error) {
      // No second source: a block with just so many logs is more likely than a cut one.
      if (error instanceof RpcMethodUnsupportedError) return whole;
      throw error;
    }
  }
  const middle = range.from + Math.floor((range.to - range.from) / 2);
  const halves = await fetchHalves(context, queries, range, allHeaders, middle);
  if (halves.received > whole.received) {
    context.sizes.refused(blocksIn(range), { suggested: null, blocksMax: null, logsMax: whole.received });
  }
  return halves;
}

/**
 * One block with more logs than the provider gives at once: its receipts hold them all. Where there are none to be had,
 * the question is divided by addresses, then by topics.
 */
async function fetchLargeBlock(
  context: FetchContext,
  queries: readonly LogQuery[],
  range: BlockRange,
  reason: RpcRangeLimitError,
): Promise<FetchedLogs> {
  const { endpoint, signal } = context;
  const [answer] = await endpoint.together([getBlock(range.from)], signal);
  const { all, first, last } = await readHeaders(context, range, [range.from], [answer]);
  const base = { headers: all, first, last, timestamps: new Map([[last.number, last.timestamp]]) };
  try {
    const logs = await fetchBlockLogs(context, last);
    const wanted = logs.filter((log) => queries.some((query) => matches(query, log)));
    return { ...base, logs: wanted, received: wanted.length };
  } catch (error) {
    if (!(error instanceof RpcMethodUnsupportedError || error instanceof RpcRangeLimitError)) throw error;
  }
  const lists: EvmLog[][] = [];
  for (const query of queries) lists.push(await fetchDivided(context, query, range, all, reason));
  const logs = mergeLogs(lists);
  return { ...base, logs, received: logs.length };
}

function matches({ address, topics }: LogQuery, log: EvmLog): boolean {
  if (address !== undefined && !address.includes(log.address)) return false;
  return (
    topics.length <= log.topics.length &&
    topics.every((wanted, i) => wanted === null || wanted.includes(log.topics[i] as string))
  );
}

async function fetchDivided(
  context: FetchContext,
  query: LogQuery,
  range: BlockRange,
  headers: ReadonlyMap<number, EvmBlock>,
  reason: RpcRangeLimitError,
): Promise<EvmLog[]> {
  const halves = divide(query);
  if (halves === null) throw reason;
  const lists: EvmLog[][] = [];
  for (const half of halves) {
    try {
      const [answer, header] = await context.endpoint.together(
        [getLogs(half, range), getBlock(range.to)],
        context.signal,
      );
      const block = readBlock(header, range.to);
      if (block?.hash !== headers.get(range.to)?.hash)
        throw inconsistent(context, `block ${range.to} changed while it was read`);
      lists.push(readLogs(context, answer, range, headers).logs);
    } catch (error) {
      if (!(error instanceof RpcRangeLimitError)) throw error;
      lists.push(await fetchDivided(context, half, range, headers, error));
    }
  }
  return mergeLogs(lists);
}

/** A query as two that ask for disjoint halves of it; `null` when it asks for one topic of one address. */
function divide(query: LogQuery): [LogQuery, LogQuery] | null {
  const { address, topics } = query;
  if (address !== undefined && address.length > 1) {
    const middle = Math.ceil(address.length / 2);
    return [
      { address: address.slice(0, middle), topics },
      { address: address.slice(middle), topics },
    ];
  }
  const [first, ...rest] = topics;
  if (first === undefined || first === null || first.length < 2) return null;
  const middle = Math.ceil(first.length / 2);
  const base = address === undefined ? {} : { address };
  return [
    { ...base, topics: [first.slice(0, middle), ...rest] },
    { ...base, topics: [first.slice(middle), ...rest] },
  ];
}
