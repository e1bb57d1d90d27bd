import type { LogQuery } from '../follow';
import type { EvmBlock } from '../log';
import { blocksIn, type BlockRange } from '../ranges/blockRange';
import { maybeCut } from '../ranges/silentCap';
import {
  BlockNotServedError,
  RpcMethodUnsupportedError,
  RpcRangeLimitError,
  RpcTimeoutError,
} from '../rpc/errors';
import { reducedEnd } from '../rpc/rangeHint';
import { checkBlooms } from './checkBlooms';
import { checkRemoved } from './checkRemoved';
import { fetchBlockLogs } from './fetchReceipts';
import { fetchLargeBlock, matches } from './largeBlock';
import { mergeLogs } from './logOrder';
import type { FetchedLogs } from './fetchedLogs';
import { getBlock, getLogs, inconsistent, readHeaders, readLogs, type FetchContext } from './readAnswers';

/** Heights without a block that the end of a part is moved past. */
const SKIPPED_ENDS_MAX = 3;

const NONE: ReadonlyMap<number, number> = new Map();

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
  await checkRemoved(
    context,
    lists.flatMap(({ removed }) => removed),
    headers.all,
  );
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
  // Before the blooms: of a cut answer they would only say that it lacks logs, each time it is asked for.
  if (lists.some((list) => maybeCut(list.received)))
    return recount(context, queries, range, allHeaders, fetched);
  if (allHeaders && context.checkBlooms) await checkBlooms(context, queries, lists, headers.all);
  return fetched;
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
