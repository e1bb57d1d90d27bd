import type { BlockRef } from '@imart/core';
import type { EvmBlock, EvmReceipt } from '../log';
import { canonicalAddress, canonicalHash, createLogReader, type RawLog } from './canonicalLog';
import { parseQuantity } from './quantity';

/** A block header from a node's answer, or `null` when it is none: `null`, incomplete, or not of this height. */
export function readBlock(raw: unknown, expectedNumber: number | null): EvmBlock | null {
  if (typeof raw !== 'object' || raw === null) return null;
  const block = raw as Record<string, unknown>;
  const number = parseQuantity(block['number']);
  const hash = canonicalHash(block['hash']);
  const parentHash = canonicalHash(block['parentHash']);
  const timestamp = parseQuantity(block['timestamp']);
  if (number === null || hash === null || parentHash === null || timestamp === null) return null;
  if (expectedNumber !== null && number !== expectedNumber) return null;
  const logsBloom = typeof block['logsBloom'] === 'string' ? block['logsBloom'] : null;
  return { number, hash, parentHash, timestamp, logsBloom };
}

/** Microseconds since 1970. */
export function timeUs(seconds: number): bigint {
  return BigInt(seconds) * 1_000_000n;
}

/** What the window of remembered blocks keeps of a header. */
export function toBlockRef(block: EvmBlock): BlockRef {
  return {
    position: BigInt(block.number),
    hash: block.hash,
    parentHash: block.parentHash,
    timeUs: timeUs(block.timestamp),
  };
}

/**
 * A receipt with all its logs, or why it cannot be believed. A log that is malformed makes the whole receipt unusable:
 * a marketplace would be shown half a transaction.
 */
export function readReceipt(raw: unknown): EvmReceipt | string {
  if (typeof raw !== 'object' || raw === null) return 'there is no receipt';
  const receipt = raw as Record<string, unknown>;
  const transactionHash = canonicalHash(receipt['transactionHash']);
  const blockHash = canonicalHash(receipt['blockHash']);
  const blockNumber = parseQuantity(receipt['blockNumber']);
  const transactionIndex =
    receipt['transactionIndex'] === undefined ? 0 : parseQuantity(receipt['transactionIndex']);
  // State-sync transactions have no sender (bor).
  const from = canonicalAddress(receipt['from']) ?? '0x0000000000000000000000000000000000000000';
  const to = canonicalAddress(receipt['to']);
  if (transactionHash === null || blockHash === null || blockNumber === null || transactionIndex === null) {
    return 'the receipt does not say of which transaction and block it is';
  }
  if (!Array.isArray(receipt['logs'])) return 'the receipt has no list of logs';
  const reader = createLogReader();
  const logs = [];
  for (const entry of receipt['logs'] as unknown[]) {
    // Places that a receipt's log leaves out are those of its receipt.
    const place = { blockNumber, blockHash, transactionHash, transactionIndex };
    const log = reader.read({ ...place, ...(entry as RawLog) });
    // A log that no decoder could read (zksync: an empty topic) is none of a marketplace's business.
    if (log === 'topics' || log === 'data' || log === 'address') continue;
    if (typeof log === 'string') return `a log of the receipt is malformed (${log})`;
    logs.push(log);
  }
  const succeeded = receipt['status'] === undefined || parseQuantity(receipt['status']) !== 0;
  return { transactionHash, transactionIndex, blockNumber, blockHash, from, to, succeeded, logs };
}
