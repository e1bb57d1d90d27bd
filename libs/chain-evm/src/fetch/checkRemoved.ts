import type { EvmBlock } from '../log';
import { readBlock } from './canonicalBlock';
import { getBlock, inconsistent, type FetchContext, type RemovedPlace } from './readAnswers';

/**
 * Whether logs that an answer marks as removed are of another branch than the node's own: then they were rightly left out.
 * One of a block that the same node has in its chain contradicts it; it may be in the middle of a reorganisation, and the
 * whole answer is not believed (P12).
 * @throws {RpcInconsistentError} a removed log is of a block of the chain.
 */
export async function checkRemoved(
  context: FetchContext,
  removed: readonly RemovedPlace[],
  headers: ReadonlyMap<number, EvmBlock>,
): Promise<void> {
  if (removed.length === 0) return;
  const hashes = new Map<number, string | undefined>();
  for (const { number, hash } of headers.values()) hashes.set(number, hash);
  const unknown = [...new Set(removed.map(({ blockNumber }) => blockNumber))].filter((n) => !hashes.has(n));
  const answers = await context.endpoint.many(unknown.map(getBlock), context.signal);
  unknown.forEach((number, i) => hashes.set(number, readBlock(answers[i], number)?.hash));
  const wrong = removed.find(({ blockNumber, blockHash }) => hashes.get(blockNumber) === blockHash);
  if (wrong === undefined) return;
  throw inconsistent(
    context,
    `a log is marked as removed with block ${wrong.blockNumber} ${wrong.blockHash}, which is in the chain`,
  );
}
