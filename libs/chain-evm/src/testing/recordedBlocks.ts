import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EvmLog, EvmReceipt } from '../log';

/**
 * Blocks of the Ethereum mainnet that were recorded with all their receipts, and what they mean. They are not part of the
 * repository: `IMART_SHARED` names the folder that has them, else it is `../shared` beside the repository.
 */
const shared = process.env['IMART_SHARED'] ?? resolve(__dirname, '../../../../../shared');
const recordings = join(shared, 'data', 'evm');

/** Whether there are recordings on this machine; says so when there are none. */
export function hasRecordings(): boolean {
  if (existsSync(recordings)) return true;
  console.warn(`no recordings at ${recordings}: tests on recorded blocks are skipped (IMART_SHARED)`);
  return false;
}

/** A recorded file, by its path within the recordings. */
export function readRecording(path: string): string {
  return readFileSync(join(recordings, path), 'utf8');
}

interface WebLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string | null;
  readonly logIndex: number;
}

interface WebBlock {
  readonly number: number;
  readonly hash: string;
  readonly transactions: readonly {
    readonly hash: string;
    readonly receipt: {
      readonly transactionIndex: number;
      readonly from: string;
      readonly to: string | null;
      readonly status: boolean;
      readonly logs: readonly WebLog[];
    };
  }[];
}

function fromWebBlock(block: WebBlock): EvmReceipt[] {
  return block.transactions.map(({ hash, receipt }) => {
    const place = {
      blockNumber: block.number,
      blockHash: block.hash,
      transactionHash: hash,
      transactionIndex: receipt.transactionIndex,
    };
    return {
      ...place,
      from: receipt.from.toLowerCase(),
      to: receipt.to?.toLowerCase() ?? null,
      succeeded: receipt.status,
      logs: receipt.logs.map((log): EvmLog => ({
        ...place,
        address: log.address.toLowerCase(),
        topics: log.topics,
        data: log.data ?? '0x',
        logIndex: log.logIndex,
      })),
    };
  });
}

interface EtlTransaction {
  readonly hash: string;
  readonly transaction_index: number;
  readonly from_address: string;
  readonly to_address: string | null;
  readonly block_number: number;
  readonly block_hash: string;
  readonly receipt_status: number;
}

interface EtlLog {
  readonly log_index: number;
  readonly transaction_hash: string;
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

function jsonLines<T>(path: string): T[] {
  return readRecording(path)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as T);
}

function fromEtl(folder: string): EvmReceipt[] {
  const logs = jsonLines<EtlLog>(`${folder}/expected_logs.json`);
  return jsonLines<EtlTransaction>(`${folder}/expected_transactions.json`).map((transaction) => {
    const place = {
      blockNumber: transaction.block_number,
      blockHash: transaction.block_hash,
      transactionHash: transaction.hash,
      transactionIndex: transaction.transaction_index,
    };
    return {
      ...place,
      from: transaction.from_address,
      to: transaction.to_address,
      succeeded: transaction.receipt_status === 1,
      logs: logs
        .filter((log) => log.transaction_hash === transaction.hash)
        .map(({ log_index: logIndex, address, topics, data }) => ({
          ...place,
          address,
          topics,
          data,
          logIndex,
        })),
    };
  });
}

let receipts: readonly EvmReceipt[] | undefined;

/** The receipts of all 24 recorded mainnet blocks that `sales.csv` and `marketplace-events.csv` are about, in chain order. */
export function recordedReceipts(): readonly EvmReceipt[] {
  receipts ??= ['mainnet-14000000', 'mainnet-15000000', 'mainnet-single']
    .flatMap((folder) =>
      readdirSync(join(recordings, folder))
        .filter((file) => file.endsWith('.json'))
        .flatMap((file) => fromWebBlock(JSON.parse(readRecording(`${folder}/${file}`)) as WebBlock)),
    )
    .concat(fromEtl('etl-17173049'))
    .sort((a, b) => a.blockNumber - b.blockNumber || a.transactionIndex - b.transactionIndex);
  return receipts;
}

function csv<Column extends string>(path: string): Record<Column, string>[] {
  const [head = '', ...lines] = readRecording(path).trimEnd().split('\n');
  const columns = head.trim().split(',') as Column[];
  return lines.map((line) => {
    const cells = line.trim().split(',');
    return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? ''])) as Record<Column, string>;
  });
}

/** Sales as others read them from the recorded blocks. */
export function recordedSales() {
  return csv<
    | 'block'
    | 'tx_hash'
    | 'log_index'
    | 'protocol'
    | 'kind'
    | 'order_hash'
    | 'token'
    | 'token_id'
    | 'amount'
    | 'seller'
    | 'buyer'
    | 'currency'
    | 'price_raw'
    | 'items_in_order'
    | 'confirmed_by_log_index'
    | 'note'
  >('derived/sales.csv');
}

/** Every marketplace log in the recorded blocks. */
export function recordedMarketplaceLogs() {
  return csv<'block' | 'tx_hash' | 'log_index' | 'address' | 'protocol' | 'event'>(
    'derived/marketplace-events.csv',
  );
}
