import type { LogQuery } from '../follow';
import type { EvmBlock, EvmLog } from '../log';
import type { RpcCall } from '../rpc/batch';
import { bloomMayHold } from './bloom';
import { inconsistent, type FetchContext } from './readAnswers';

/**
 * A block whose bloom says that it may have logs, and that has none, is asked for once more, by its hash, which a node that
 * does not have the block cannot answer (P2).
 */
export async function checkBlooms(
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
