import { RpcInconsistentError } from '../rpc/errors';
import type { EvmBlock, EvmReceipt } from '../log';
import { readBlock } from './canonicalBlock';
import { canonicalHash } from './canonicalLog';
import { getBlock, type FetchContext } from './readAnswers';

/** Calls of one batch: a receipt may be large. */
export const RECEIPTS_PER_BATCH = 50;

/** A receipt as the node numbers its logs, with how many there are, those that cannot be read included. */
export interface CountedReceipt extends EvmReceipt {
  readonly places: number;
}

/**
 * Whether a block's receipts are those of all its transactions: a log without its receipt would be lost, and the places of
 * those after it wrong. A transaction that has no receipt when asked for singly either is one that was never executed, as
 * some chains list them (Cronos); the logs of the others count on without it.
 * @param receipts sorted by transaction index.
 * @throws {RpcInconsistentError} a receipt or one of its logs is missing.
 */
export async function checkEveryReceipt(
  context: FetchContext,
  block: Pick<EvmBlock, 'number' | 'hash'>,
  receipts: readonly CountedReceipt[],
): Promise<void> {
  const { endpoint, signal } = context;
  const refuse = (method: string, detail: string): RpcInconsistentError =>
    new RpcInconsistentError({ endpoint: endpoint.label, method }, `block ${block.number}: ${detail}`);
  const hole = missingIndex(receipts);
  if (hole !== null) throw refuse('eth_getBlockReceipts', `log ${hole} is in no receipt`);
  const { method, params } = getBlock(block.number);
  const header = await endpoint.call(method, params, signal);
  if (readBlock(header, block.number)?.hash !== block.hash) {
    throw refuse(method, 'it changed while its receipts were read');
  }
  const listed = (header as { transactions?: unknown }).transactions;
  if (!Array.isArray(listed)) return;
  const known = new Set(receipts.map(({ transactionHash }) => transactionHash));
  const missing = listed.map(canonicalHash).filter((hash) => hash !== null && !known.has(hash));
  for (let i = 0; i < missing.length; i += RECEIPTS_PER_BATCH) {
    const hashes = missing.slice(i, i + RECEIPTS_PER_BATCH);
    const calls = hashes.map((hash) => ({ method: 'eth_getTransactionReceipt', params: [hash] }));
    const answers = await endpoint.together(calls, signal);
    const found = answers.findIndex((answer) => answer !== null);
    if (found !== -1) {
      throw refuse('eth_getBlockReceipts', `the receipt of transaction ${hashes[found]} is missing`);
    }
  }
}

/** The first log index that no receipt has, where logs are numbered through the block; `null`: none, or none that shows. */
export function missingIndex(receipts: readonly CountedReceipt[]): number | null {
  if (receipts.some(({ logs, places }) => logs.length !== places)) return null;
  const indexes = receipts.flatMap(({ logs }) => logs.map(({ logIndex }) => logIndex));
  // Where they begin again with each transaction, a hole does not show.
  if (indexes.some((index, i) => i > 0 && index <= (indexes[i - 1] as number))) return null;
  const hole = indexes.findIndex((index, i) => index !== i);
  return hole === -1 ? null : hole;
}
