import { createHash } from 'node:crypto';
import { keccak256 } from 'ethers';

/** A log to be put into a block. Logs of one transaction follow each other. */
export interface FakeLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data?: string;
  /** Place of its transaction in the block; places without logs are transactions without logs. @defaultValue 0 */
  readonly tx?: number;
}

/** A transaction to be put into a block. */
export interface FakeTransaction {
  /** Stays the same when it is included again elsewhere. @defaultValue made of the place where it is mined */
  readonly hash?: string;
  readonly from?: string;
  readonly to?: string;
  readonly logs: readonly Omit<FakeLog, 'tx'>[];
}

/** A transaction as a block has it. */
export interface MinedTransaction {
  readonly hash: string;
  readonly from: string;
  readonly to: string;
}

export interface FakeBlock {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** As a node gives them. */
  readonly logs: readonly Record<string, unknown>[];
  readonly transactions: readonly MinedTransaction[];
  /** Of all its logs, as a real chain has it. */
  readonly logsBloom: string;
}

export const quantity = (value: number): string => `0x${value.toString(16)}`;
export const hashOf = (text: string): string => `0x${createHash('sha256').update(text).digest('hex')}`;
export const EMPTY_BLOOM = `0x${'0'.repeat(512)}`;

const NOBODY = `0x${'f'.repeat(40)}`;
const bits = new Map<string, readonly number[]>();

function bitsOf(item: string): readonly number[] {
  let known = bits.get(item);
  if (known === undefined) {
    const hash = keccak256(item);
    known = [2, 6, 10].map((at) => parseInt(hash.slice(at, at + 4), 16) & 2_047);
    if (bits.size > 50_000) bits.clear();
    bits.set(item, known);
  }
  return known;
}

/** The 2,048-bit bloom of the addresses and topics of these logs. */
export function bloomOf(logs: readonly Omit<FakeLog, 'tx'>[]): string {
  if (logs.length === 0) return EMPTY_BLOOM;
  const bloom = Buffer.alloc(256);
  for (const { address, topics } of logs) {
    for (const item of [address, ...topics]) {
      for (const bit of bitsOf(item)) {
        const byte = 255 - (bit >> 3);
        bloom[byte] = (bloom[byte] as number) | (1 << (bit & 7));
      }
    }
  }
  return `0x${bloom.toString('hex')}`;
}

/** The transactions of logs that name theirs by place. */
export function transactionsOf(logs: readonly FakeLog[]): FakeTransaction[] {
  const count = logs.reduce((most, { tx = 0 }) => Math.max(most, tx + 1), 0);
  return Array.from({ length: count }, (_, place) => ({
    logs: logs.filter(({ tx = 0 }) => tx === place),
  }));
}

export interface SealOptions {
  readonly number: number;
  readonly parentHash: string;
  readonly timestamp: number;
  /** What tells blocks of the same content apart, on another branch or another chain. */
  readonly salt: string;
  readonly transactions: readonly FakeTransaction[];
}

/** Makes a block: hashes are distinct for each place, branch and content, and the same for the same ones. */
export function sealBlock({ number, parentHash, timestamp, salt, transactions }: SealOptions): FakeBlock {
  const mined = transactions.map(({ hash, from, to, logs }, place) => ({
    hash: hash ?? hashOf(`transaction ${salt} ${number} ${place}`),
    from: from ?? NOBODY,
    to: to ?? logs[0]?.address ?? NOBODY,
  }));
  const content = JSON.stringify([salt, number, parentHash, timestamp, transactions]);
  const hash = hashOf(`block ${content}`);
  const logs: Record<string, unknown>[] = [];
  transactions.forEach((transaction, place) => {
    for (const { address, topics, data = '0x' } of transaction.logs) {
      logs.push({
        address,
        topics,
        data,
        blockNumber: quantity(number),
        blockHash: hash,
        transactionHash: mined[place]?.hash,
        transactionIndex: quantity(place),
        logIndex: quantity(logs.length),
        removed: false,
      });
    }
  });
  const logsBloom = bloomOf(transactions.flatMap((transaction) => transaction.logs));
  return { number, hash, parentHash, timestamp, logs, transactions: mined, logsBloom };
}

/** All receipts of a block, as a node gives them. */
export function receiptsOf(block: FakeBlock): Record<string, unknown>[] {
  return block.transactions.map(({ hash, from, to }, place) => ({
    transactionHash: hash,
    transactionIndex: quantity(place),
    blockNumber: quantity(block.number),
    blockHash: block.hash,
    from,
    to,
    status: '0x1',
    logs: block.logs.filter((log) => log['transactionHash'] === hash),
  }));
}
