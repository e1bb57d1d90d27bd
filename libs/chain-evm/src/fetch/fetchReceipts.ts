import { BlockNotServedError, RpcInconsistentError, RpcMethodUnsupportedError } from '../rpc/errors';
import type { EvmBlock, EvmLog, EvmReceipt } from '../log';
import { readReceipt } from './canonicalBlock';
import { checkEveryReceipt, missingIndex, RECEIPTS_PER_BATCH, type CountedReceipt } from './everyReceipt';
import type { FetchContext } from './readAnswers';
import { sameLog } from './logOrder';
import { toQuantity } from './quantity';

const inconsistent = (context: FetchContext, method: string, detail: string): RpcInconsistentError =>
  new RpcInconsistentError({ endpoint: context.endpoint.label, method }, detail);

/**
 * All receipts of a block, log indexes being places in the block whatever the node counts by.
 * @throws {RpcInconsistentError} a receipt is missing, malformed, or of another block.
 * @throws {RpcMethodUnsupportedError} the node does not have `eth_getBlockReceipts`.
 */
export async function fetchBlockReceipts(
  context: FetchContext,
  block: Pick<EvmBlock, 'number' | 'hash'>,
): Promise<EvmReceipt[]> {
  const method = 'eth_getBlockReceipts';
  const answer = await context.endpoint.call(method, [toQuantity(block.number)], context.signal);
  if (answer === null) {
    throw new BlockNotServedError(
      { endpoint: context.endpoint.label, method },
      `no receipts of block ${block.number}`,
      block.number,
    );
  }
  if (!Array.isArray(answer))
    throw inconsistent(context, method, `the answer for block ${block.number} is no list`);
  const receipts = (answer as unknown[]).map((raw) => countedReceipt(context, method, block, raw));
  receipts.sort((a, b) => a.transactionIndex - b.transactionIndex);
  await checkEveryReceipt(context, block, receipts);
  return numberedByPlace(receipts);
}

function countedReceipt(
  context: FetchContext,
  method: string,
  block: Pick<EvmBlock, 'number' | 'hash'>,
  raw: unknown,
): CountedReceipt {
  const receipt = readReceipt(raw);
  if (typeof receipt === 'string') throw inconsistent(context, method, `block ${block.number}: ${receipt}`);
  if (receipt.blockHash !== block.hash || receipt.blockNumber !== block.number) {
    throw inconsistent(
      context,
      method,
      `a receipt is of block ${receipt.blockNumber} ${receipt.blockHash}, not ${block.number} ${block.hash}`,
    );
  }
  // Logs that cannot be read have a place too.
  return { ...receipt, places: (raw as { logs: unknown[] }).logs.length };
}

/** @param receipts sorted by transaction index. */
function numberedByPlace(receipts: readonly CountedReceipt[]): EvmReceipt[] {
  let place = 0;
  return receipts.map(({ places, ...receipt }) => {
    const readable = receipt.logs.length === places;
    const logs = readable ? receipt.logs.map((log, i) => ({ ...log, logIndex: place + i })) : receipt.logs;
    place += places;
    return { ...receipt, logs };
  });
}

/**
 * The same from a node that gives receipts one by one only.
 * @param listed the transactions of the block as its header lists them. One without a receipt was never executed.
 */
export async function fetchReceiptsSingly(
  context: FetchContext,
  block: Pick<EvmBlock, 'number' | 'hash'>,
  listed: readonly unknown[],
): Promise<EvmReceipt[]> {
  const method = 'eth_getTransactionReceipt';
  const receipts: CountedReceipt[] = [];
  for (let i = 0; i < listed.length; i += RECEIPTS_PER_BATCH) {
    const calls = listed.slice(i, i + RECEIPTS_PER_BATCH).map((hash) => ({ method, params: [hash] }));
    for (const answer of await context.endpoint.together(calls, context.signal)) {
      if (answer !== null) receipts.push(countedReceipt(context, method, block, answer));
    }
  }
  receipts.sort((a, b) => a.transactionIndex - b.transactionIndex);
  const hole = missingIndex(receipts);
  if (hole !== null)
    throw inconsistent(context, method, `block ${block.number}: log ${hole} is in no receipt`);
  return numberedByPlace(receipts);
}

/** All logs of a block, from its receipts. */
export async function fetchBlockLogs(context: FetchContext, block: EvmBlock): Promise<EvmLog[]> {
  return (await fetchBlockReceipts(context, block)).flatMap(({ logs }) => logs);
}

/**
 * The receipts of these transactions, each with all logs that `logs` has of it, numbered as those are.
 * @param logs at least one log of each transaction that is wanted.
 * @throws {RpcInconsistentError} a receipt is missing or short, singly and with its block. Never half a transaction.
 */
export async function fetchReceipts(
  context: FetchContext,
  logs: readonly EvmLog[],
): Promise<Map<string, EvmReceipt>> {
  const wanted = new Map<string, EvmLog[]>();
  for (const log of logs) {
    const own = wanted.get(log.transactionHash);
    if (own === undefined) wanted.set(log.transactionHash, [log]);
    else own.push(log);
  }
  const transactions = [...wanted];
  const batches: (typeof transactions)[] = [];
  for (let i = 0; i < transactions.length; i += RECEIPTS_PER_BATCH) {
    batches.push(transactions.slice(i, i + RECEIPTS_PER_BATCH));
  }
  const receipts = new Map<string, EvmReceipt>();
  const missing: EvmLog[][] = [];
  await Promise.all(
    batches.map(async (batch) => {
      const answers = await receiptsOf(context, batch);
      batch.forEach(([hash, own], i) => {
        const receipt = answers === null ? null : readReceipt(answers[i]);
        const whole = receipt === null || typeof receipt === 'string' ? null : numberedAs(own, receipt);
        if (whole === null) missing.push(own);
        else receipts.set(hash, whole);
      });
    }),
  );
  await fromBlocks(context, missing, receipts);
  return receipts;
}

/** `null` when the node does not have the method. */
async function receiptsOf(
  context: FetchContext,
  batch: readonly (readonly [string, readonly EvmLog[]])[],
): Promise<unknown[] | null> {
  const calls = batch.map(([hash]) => ({ method: 'eth_getTransactionReceipt', params: [hash] }));
  try {
    return await context.endpoint.together(calls, context.signal);
  } catch (error) {
    if (error instanceof RpcMethodUnsupportedError) return null;
    throw error;
  }
}

/** What could not be had singly: from all receipts of its block. */
async function fromBlocks(
  context: FetchContext,
  missing: readonly (readonly EvmLog[])[],
  receipts: Map<string, EvmReceipt>,
): Promise<void> {
  const blocks = new Map<number, { number: number; hash: string }>();
  for (const [log] of missing) {
    if (log !== undefined) blocks.set(log.blockNumber, { number: log.blockNumber, hash: log.blockHash });
  }
  for (const block of blocks.values()) {
    const all = await blockReceipts(context, block);
    for (const own of missing) {
      const [log] = own;
      if (log?.blockNumber !== block.number) continue;
      const receipt = all.find(({ transactionHash }) => transactionHash === log.transactionHash);
      const whole = receipt === undefined ? null : numberedAs(own, receipt);
      if (whole === null) {
        throw inconsistent(
          context,
          'eth_getBlockReceipts',
          `transaction ${log.transactionHash} of block ${block.number} has logs, but no receipt with all of them`,
        );
      }
      receipts.set(whole.transactionHash, whole);
    }
  }
}

async function blockReceipts(
  context: FetchContext,
  block: { number: number; hash: string },
): Promise<EvmReceipt[]> {
  try {
    return await fetchBlockReceipts(context, block);
  } catch (error) {
    if (!(error instanceof RpcMethodUnsupportedError)) throw error;
    throw inconsistent(
      context,
      'eth_getTransactionReceipt',
      `receipts of block ${block.number} are missing or short`,
    );
  }
}

/**
 * The receipt with its logs numbered as these logs of it are: a node may count them from each transaction on in one answer
 * and through the block in another, and marketplaces compare the numbers of both.
 * @returns `null` when it is of another block, or lacks one of the logs.
 */
function numberedAs(own: readonly EvmLog[], receipt: EvmReceipt): EvmReceipt | null {
  const [log] = own;
  if (
    log === undefined ||
    receipt.blockHash !== log.blockHash ||
    receipt.transactionHash !== log.transactionHash
  )
    return null;
  const isSame = (other: EvmLog, one: EvmLog): boolean => sameLog({ ...other, logIndex: one.logIndex }, one);
  // A log may be there several times: the distance is one at which each of these logs is in the receipt.
  const distances = new Set([0]);
  for (const other of receipt.logs) if (isSame(other, log)) distances.add(log.logIndex - other.logIndex);
  for (const distance of distances) {
    const fits = (one: EvmLog): boolean =>
      receipt.logs.some((other) => other.logIndex + distance === one.logIndex && isSame(other, one));
    if (!own.every(fits)) continue;
    if (distance === 0) return receipt;
    const logs = receipt.logs.map((other) => ({ ...other, logIndex: other.logIndex + distance }));
    return { ...receipt, logs };
  }
  return null;
}
