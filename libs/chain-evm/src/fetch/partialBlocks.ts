import type { LogFilter } from '../follow';
import type { EvmBlock, EvmLog } from '../log';
import type { RpcCall } from '../rpc/batch';
import { RpcMethodUnsupportedError, RpcRangeLimitError } from '../rpc/errors';
import type { RangeData } from './fetchRange';
import { matches } from './largeBlock';
import { mergeLogs } from './logOrder';
import { readLogs, type FetchContext } from './readAnswers';

/** A block, and the questions that brought its logs, by its hash. */
interface Asked {
  readonly block: EvmBlock;
  readonly calls: readonly RpcCall[];
}

/**
 * Blocks of which a range's answer may have only some of the logs: asked for by the hash of the block, which nodes answer from its
 * receipts and not from an index over ranges, there are more of them, or fewer (P2). No bloom shows this: it holds the contract and the
 * topic as soon as one of their logs is there.
 *
 * One small question for each block with logs. A node that does not answer such questions, or not with so many logs, is not believed
 * of any of these blocks.
 *
 * @param blocks those to look at; of them, the ones that `data` has logs of are asked for.
 * @throws {RpcError} nothing of the answers is to be used.
 */
export async function blocksToldInPart(
  context: FetchContext,
  filter: LogFilter,
  data: RangeData,
  blocks: Iterable<EvmBlock>,
): Promise<readonly EvmBlock[]> {
  const { children } = data;
  const told = new Map<number, EvmLog[]>();
  for (const log of data.logs) {
    const before = told.get(log.blockNumber);
    if (before === undefined) told.set(log.blockNumber, [log]);
    else before.push(log);
  }
  const queries = [...filter.queries(), ...filter.childQueries([...children])];
  const asked: Asked[] = [];
  for (const block of blocks) {
    const logs = told.get(block.number);
    if (logs === undefined) continue;
    const calls = queries
      .filter((query) => logs.some((log) => matches(query, log)))
      .map((query): RpcCall => ({ method: 'eth_getLogs', params: [{ blockHash: block.hash, ...query }] }));
    asked.push({ block, calls });
  }
  const answers = await answersTo(context, asked);
  if (answers === null) return asked.map(({ block }) => block);
  let at = 0;
  return asked.flatMap(({ block, calls }) => {
    const range = { from: block.number, to: block.number };
    const lists = answers
      .slice(at, (at += calls.length))
      .map((answer) => readLogs(context, answer, range, new Map([[block.number, block]])).logs);
    const own = mergeLogs(lists).filter((log) => filter.possibleOwners(log, children).length > 0);
    return own.length === told.get(block.number)?.length ? [] : [block];
  });
}

/** In the order of the questions; `null`: the node does not answer them. */
async function answersTo(context: FetchContext, asked: readonly Asked[]): Promise<unknown[] | null> {
  if (asked.length === 0) return [];
  try {
    const calls = asked.flatMap((one) => one.calls);
    return await context.endpoint.many(calls, context.signal);
  } catch (error) {
    if (error instanceof RpcMethodUnsupportedError || error instanceof RpcRangeLimitError) return null;
    throw error;
  }
}
