import type { LogQuery } from '../follow';
import type { EvmBlock, EvmLog } from '../log';
import type { BlockRange } from '../ranges/blockRange';
import { RpcMethodUnsupportedError, RpcRangeLimitError } from '../rpc/errors';
import { readBlock } from './canonicalBlock';
import { checkRemoved } from './checkRemoved';
import type { FetchedLogs } from './fetchedLogs';
import { fetchBlockLogs } from './fetchReceipts';
import { mergeLogs } from './logOrder';
import { getBlock, getLogs, inconsistent, readHeaders, readLogs, type FetchContext } from './readAnswers';

/**
 * One block with more logs than the provider gives at once: its receipts hold them all. Where there are none to be had,
 * the question is divided by addresses, then by topics.
 */
export async function fetchLargeBlock(
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

/** Whether a node that has this log gives it for this query. */
export function matches({ address, topics }: LogQuery, log: EvmLog): boolean {
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
      const { logs, removed } = readLogs(context, answer, range, headers);
      await checkRemoved(context, removed, headers);
      lists.push(logs);
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
