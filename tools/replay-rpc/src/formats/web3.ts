import { toNumber, toRpcForm } from '../hex';
import { listOf, objectAt, textAt, type Json, type RecordedBlock } from '../recording';

export function isWeb3Block(value: Json): boolean {
  return typeof value['number'] === 'number' && Array.isArray(value['transactions']) && 'parentHash' in value;
}

/**
 * A block as web3.js gives it, each transaction with its `receipt`. `traces` and `decoded`, which some files have, are
 * left out, and so is `id`, which web3.js adds to logs.
 */
export function readWeb3Block(source: Json, file: string): RecordedBlock {
  const transactions = listOf(source, 'transactions');
  const chainId = transactions.find((tx) => tx['chainId'] !== undefined)?.['chainId'];
  return {
    number: toNumber(source['number']),
    hash: textAt(source, 'hash'),
    parentHash: textAt(source, 'parentHash'),
    header: toRpcForm(source, ['transactions', 'chainId']),
    transactions: transactions.map((tx) => toRpcForm(tx, ['receipt', 'traces', 'decoded'])),
    receipts: transactions.map((tx) => {
      if (tx['receipt'] === undefined || tx['receipt'] === null) return null;
      const receipt = objectAt(tx, 'receipt');
      return { ...toRpcForm(receipt), logs: listOf(receipt, 'logs').map((log) => toRpcForm(log, ['id'])) };
    }),
    chainId: chainId === undefined ? undefined : toNumber(chainId),
    extent: 'whole',
    file,
    problems: [],
  };
}
