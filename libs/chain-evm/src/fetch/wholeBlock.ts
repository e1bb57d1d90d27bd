import type { LogFilter } from '../follow';
import type { EvmBlock, EvmLog, EvmReceipt } from '../log';
import { RpcMethodUnsupportedError } from '../rpc/errors';
import { readBlock } from './canonicalBlock';
import { fetchBlockReceipts, fetchReceiptsSingly } from './fetchReceipts';
import { getBlock, inconsistent, type FetchContext } from './readAnswers';

/** A block by the receipts of all its transactions: what it does not have is not in the chain. */
export interface WholeBlock {
  readonly block: EvmBlock;
  /** In the order of the chain, each at its place in the block; foreign ones included. */
  readonly logs: readonly EvmLog[];
  readonly receipts: readonly EvmReceipt[];
}

/**
 * Reads a block without asking for its logs, which some nodes answer from an index that lacks some (P2).
 * @param expected the block as its header was told before; `null`: whatever is there.
 * @returns `null` when the chain has no block at this height (P17).
 * @throws {RpcInconsistentError} a receipt is missing, or the block is another one than expected.
 */
export async function fetchWholeBlock(
  context: FetchContext,
  number: number,
  expected: EvmBlock | null,
): Promise<WholeBlock | null> {
  const { method, params } = getBlock(number);
  const header = await context.endpoint.call(method, params, context.signal);
  if (header === null && expected === null) return null;
  const block = readBlock(header, number);
  if (block === null || (expected !== null && block.hash !== expected.hash)) {
    throw inconsistent(context, `block ${number} changed while it was read`);
  }
  const receipts = await receiptsOf(context, block, header);
  return { block, receipts, logs: receipts.flatMap(({ logs }) => logs) };
}

async function receiptsOf(context: FetchContext, block: EvmBlock, header: unknown): Promise<EvmReceipt[]> {
  try {
    return await fetchBlockReceipts(context, block);
  } catch (error) {
    if (!(error instanceof RpcMethodUnsupportedError)) throw error;
    const listed = (header as { transactions?: unknown }).transactions;
    if (!Array.isArray(listed)) throw error;
    return fetchReceiptsSingly(context, block, listed);
  }
}

/** The logs of these that somebody follows, or may when these children are discovered too. */
export function ownLogs(
  logs: readonly EvmLog[],
  filter: LogFilter,
  children: ReadonlySet<string>,
): readonly EvmLog[] {
  return logs.filter((log) => filter.possibleOwners(log, children).length > 0);
}
