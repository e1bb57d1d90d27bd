import { bloomOf } from '../bloom';
import { quantity, toNumber, toRpcForm } from '../hex';
import { isObject, textAt, type Json, type RecordedBlock } from '../recording';

/** Names that differ by more than camel case, and what JSON-RPC does not have. */
const RENAMED: Readonly<Record<string, string>> = {
  from_address: 'from',
  to_address: 'to',
  transaction_type: 'type',
  extra_data: 'extraData',
};
const DROPPED: ReadonlySet<string> = new Set([
  'item_id',
  'item_timestamp',
  'block_timestamp',
  'transaction_count',
]);

/** Lines of `ethereum-etl`: blocks, transactions and logs, from one file or several. */
export interface EtlLines {
  readonly blocks: { readonly line: Json; readonly file: string }[];
  readonly transactions: Json[];
  readonly logs: Json[];
}

/**
 * Parses JSON lines, or returns undefined when the text is something else. Wei amounts stand there as bare numbers
 * beyond 2^53, so long digits are read as text.
 */
export function parseEtlLines(text: string): Json[] | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (
    lines[0] === undefined ||
    !/^\s*\{\s*"type":\s*"(block|transaction|log|token_transfer)"/.test(lines[0])
  ) {
    return undefined;
  }
  return lines.map((line, i) => {
    try {
      const value: unknown = JSON.parse(line.replace(/(":\s*)(\d{16,})(?=\s*[,}])/g, '$1"$2"'));
      if (isObject(value)) return value;
      throw new Error('not an object');
    } catch (error) {
      throw new Error(`line ${i + 1} is not valid JSON: ${(error as Error).message}`, { cause: error });
    }
  });
}

export function addEtlLines(lines: readonly Json[], file: string, into: EtlLines): void {
  for (const line of lines) {
    if (line['type'] === 'block') into.blocks.push({ line, file });
    if (line['type'] === 'transaction') into.transactions.push(line);
    if (line['type'] === 'log') into.logs.push(line);
  }
}

function toCamel(line: Json): Json {
  const result: Json = {};
  for (const [key, value] of Object.entries(line)) {
    if (key === 'type' || DROPPED.has(key)) continue;
    result[RENAMED[key] ?? key.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase())] = value;
  }
  return result;
}

/** The block of one line, with its transactions, and receipts put together from the transaction's and its logs' lines. */
export function readEtlBlock(line: Json, file: string, lines: EtlLines): RecordedBlock {
  const hash = textAt(line, 'hash');
  const ofBlock = (other: Json): boolean => other['block_hash'] === hash;
  const byIndex = (key: string) => (a: Json, b: Json) => toNumber(a[key]) - toNumber(b[key]);
  const transactions = lines.transactions.filter(ofBlock).sort(byIndex('transaction_index'));
  const logs = lines.logs.filter(ofBlock).sort(byIndex('log_index'));
  const problems: string[] = [];
  if (toNumber(line['transaction_count']) !== transactions.length) {
    problems.push(
      `transaction_count is ${String(line['transaction_count'])}, but ${transactions.length} are recorded`,
    );
  }
  const known = new Set(transactions.map((tx) => tx['hash']));
  const lost = logs.find((log) => !known.has(log['transaction_hash']));
  if (lost !== undefined)
    problems.push(`log ${String(lost['log_index'])} is of a transaction that is not recorded`);
  return {
    number: toNumber(line['number']),
    hash,
    parentHash: textAt(line, 'parent_hash'),
    header: {
      uncles: [],
      ...toRpcForm(toCamel({ ...line, withdrawals: undefined })),
      ...(Array.isArray(line['withdrawals']) ? { withdrawals: line['withdrawals'].map(withdrawal) } : {}),
    },
    transactions: transactions.map(transactionOf),
    receipts: transactions.map((tx) => receiptOf(tx, logs)),
    chainId: undefined,
    extent: 'whole',
    file,
    problems,
  };
}

function withdrawal(source: unknown): Json {
  const { index, validator_index: validatorIndex, address, amount } = source as Json;
  return {
    index: quantity(index),
    validatorIndex: quantity(validatorIndex),
    address,
    amount: quantity(amount),
  };
}

/** What a line has as null (a legacy transaction's maxFeePerGas) a node leaves out; a creation's `to` it does not. */
function transactionOf(line: Json): Json {
  const fields = Object.entries(toCamel(line)).filter(
    ([key, v]) => !key.startsWith('receipt') && (v !== null || key === 'to'),
  );
  return { ...toRpcForm(Object.fromEntries(fields)), type: quantity(line['transaction_type']) };
}

function receiptOf(tx: Json, blockLogs: readonly Json[]): Json {
  const logs = blockLogs
    .filter((log) => log['transaction_hash'] === tx['hash'])
    .map((log) => toRpcForm({ ...toCamel(log), removed: false }));
  return {
    ...toRpcForm({
      transactionHash: tx['hash'],
      transactionIndex: tx['transaction_index'],
      blockHash: tx['block_hash'],
      blockNumber: tx['block_number'],
      from: tx['from_address'],
      to: tx['to_address'],
      cumulativeGasUsed: tx['receipt_cumulative_gas_used'],
      gasUsed: tx['receipt_gas_used'],
      contractAddress: tx['receipt_contract_address'],
      effectiveGasPrice: tx['receipt_effective_gas_price'],
      status: tx['receipt_status'],
      type: tx['transaction_type'],
    }),
    logs,
    logsBloom: bloomOf(logs),
  };
}
