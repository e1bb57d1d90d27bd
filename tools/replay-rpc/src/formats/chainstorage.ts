import { quantity, toNumber, toRpcForm } from '../hex';
import { isObject, listOf, objectAt, textAt, type Json, type RecordedBlock } from '../recording';
import { readWireBlock } from './rpcWire';

export function isChainstorageBlock(value: Json): boolean {
  return isObject(value['ethereum']) && 'header' in value['ethereum'];
}

/** A block of Coinbase's chainstorage: parsed (protobuf as JSON), or raw (the node's answers in base64). */
export function readChainstorageBlock(source: Json, file: string): RecordedBlock {
  const ethereum = objectAt(source, 'ethereum');
  return typeof ethereum['header'] === 'string'
    ? readRaw(ethereum, file)
    : readNative(source, ethereum, file);
}

function decode(base64: unknown): Json {
  if (typeof base64 !== 'string') throw new Error('a raw answer is not base64 text');
  const value: unknown = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  if (!isObject(value)) throw new Error('a raw answer is not an object');
  return value;
}

/** The wrapper's metadata is borrowed from another block: only the decoded header is believed. */
function readRaw(ethereum: Json, file: string): RecordedBlock {
  const receipts = ethereum['transactionReceipts'];
  if (!Array.isArray(receipts)) throw new Error('transactionReceipts is not a list');
  return readWireBlock(decode(ethereum['header']), receipts.map(decode), file, 'part');
}

/** Protobuf JSON leaves out what is zero or empty, and writes times as ISO text. */
function readNative(source: Json, ethereum: Json, file: string): RecordedBlock {
  const header = objectAt(ethereum, 'header');
  const transactions = listOf(ethereum, 'transactions');
  const hashes = (header['transactions'] ?? []) as readonly unknown[];
  const problems: string[] = [];
  for (const [what, count] of [
    ['numTransactions', toNumber(source['numTransactions'] ?? 0)],
    ["the header's transactions", hashes.length],
  ] as const) {
    if (count !== transactions.length)
      problems.push(`${what} is ${count}, but ${transactions.length} are recorded`);
  }
  const chainId = transactions[0]?.['chainId'];
  return {
    number: toNumber(header['number']),
    hash: textAt(header, 'hash'),
    parentHash: textAt(header, 'parentHash'),
    header: {
      uncles: [],
      difficulty: '0x0',
      ...toRpcForm({ ...header, timestamp: unixSeconds(header['timestamp']) }, ['transactions']),
    },
    transactions: transactions.map(transactionOf),
    receipts: transactions.map((tx) => receiptOf(objectAt(tx, 'receipt'))),
    chainId: chainId === undefined ? undefined : toNumber(chainId),
    extent: 'whole',
    file,
    problems,
  };
}

function unixSeconds(iso: unknown): number {
  const ms = Date.parse(String(iso));
  if (!Number.isSafeInteger(ms)) throw new Error(`timestamp ${String(iso)} is not a time`);
  return Math.floor(ms / 1000);
}

function transactionOf(source: Json): Json {
  const access = source['transactionAccessList'];
  const { index, ...rest } = source;
  return {
    ...toRpcForm({ nonce: 0, type: 0, value: 0, to: null, input: '0x', ...rest }, [
      'blockTimestamp',
      'flattenedTraces',
      'priorityFeePerGas',
      'receipt',
      'tokenTransfers',
      'transactionAccessList',
    ]),
    transactionIndex: quantity(index ?? 0),
    ...(isObject(access) ? { accessList: listOf(access, 'accessList') } : {}),
  };
}

function receiptOf(source: Json): Json {
  return {
    ...toRpcForm({
      contractAddress: null,
      to: null,
      type: 0,
      transactionIndex: 0,
      cumulativeGasUsed: 0,
      ...source,
    }),
    logs: listOf(source, 'logs').map((log) =>
      toRpcForm({ data: '0x', topics: [], logIndex: 0, transactionIndex: 0, removed: false, ...log }),
    ),
  };
}
