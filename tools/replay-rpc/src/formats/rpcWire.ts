import { toNumber } from '../hex';
import { listOf, textAt, type Json, type RecordedBlock } from '../recording';

export function isWireBlock(value: Json): boolean {
  return typeof value['number'] === 'string' && value['number'].startsWith('0x') && 'parentHash' in value;
}

/** The answers of a node to eth_getBlockByNumber(n, true) and eth_getBlockReceipts(n), kept as they came. */
export function readWireBlock(
  block: Json,
  receipts: readonly (Json | null)[],
  file: string,
  extent: 'whole' | 'part' = 'whole',
): RecordedBlock {
  const transactions = listOf(block, 'transactions');
  const { transactions: _left, ...header } = block;
  const chainId = transactions.find((tx) => tx['chainId'] !== undefined)?.['chainId'];
  return {
    number: toNumber(block['number']),
    hash: textAt(block, 'hash'),
    parentHash: textAt(block, 'parentHash'),
    header,
    transactions,
    receipts,
    chainId: chainId === undefined ? undefined : toNumber(chainId),
    extent,
    file,
    problems: [],
  };
}
