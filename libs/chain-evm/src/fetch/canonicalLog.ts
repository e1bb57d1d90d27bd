import type { EvmLog } from '../log';
import { parseQuantity } from './quantity';

/** A log as a node gives it: any of it may be missing or malformed. */
export interface RawLog {
  readonly address?: unknown;
  readonly topics?: unknown;
  readonly data?: unknown;
  readonly blockNumber?: unknown;
  readonly blockHash?: unknown;
  readonly blockTimestamp?: unknown;
  readonly transactionHash?: unknown;
  readonly transactionIndex?: unknown;
  readonly logIndex?: unknown;
  readonly removed?: unknown;
}

/** Why a single log was left out; counted by reason (D7). */
export type SkipReason =
  | 'removed'
  | 'pending'
  | 'address'
  | 'topics'
  | 'data'
  | 'block'
  | 'transaction'
  | 'log-index'
  | 'foreign'
  | 'malformed';

/** Turns raw logs into {@link EvmLog}s. Keeps no log; its caches of repeated strings are bounded. */
export interface LogReader {
  /** The canonical log, or why there is none. */
  read(raw: RawLog): EvmLog | SkipReason;
  /** Chain time of the log that was read last, in seconds, where the node says so; else `null`. */
  readonly lastTimestamp: number | null;
}

const HASH = /^0x[0-9a-f]{64}$/;
const ADDRESS = /^0x[0-9a-f]{40}$/;
const DATA = /^0x(?:[0-9a-f]{2})*$/;
const CACHE_MAX = 20_000;

/** A 32-byte word in lower case with `0x`; `null` when it is none. */
export function canonicalHash(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  if (HASH.test(value)) return value;
  const lower = value.toLowerCase();
  return HASH.test(lower) ? lower : null;
}

/** A 20-byte address in lower case with `0x`; `null` when it is none. */
export function canonicalAddress(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const lower = value.toLowerCase();
  return ADDRESS.test(lower) ? lower : null;
}

function canonicalData(value: unknown): string | null {
  if (value === '' || value === null || value === undefined) return '0x';
  if (typeof value !== 'string') return null;
  if (DATA.test(value)) return value;
  const lower = value.toLowerCase();
  return DATA.test(lower) ? lower : null;
}

export function createLogReader(): LogReader {
  // Few addresses and first topics appear in many logs: one string of each is kept, checked once.
  const addresses = new Map<string, string | null>();
  const topics0 = new Map<string, string | null>();
  const cached = (cache: Map<string, string | null>, value: string, parse: (v: unknown) => string | null) => {
    let known = cache.get(value);
    if (known === undefined) {
      if (cache.size >= CACHE_MAX) cache.clear();
      known = parse(value);
      cache.set(value, known);
    }
    return known;
  };
  // Logs of one block and transaction follow each other; comparing is cheaper than checking, and shares the strings.
  let rawNumber: unknown;
  let blockNumber: number | null = null;
  let rawBlockHash: unknown;
  let blockHash: string | null = null;
  let rawTransactionHash: unknown;
  let transactionHash: string | null = null;
  let timestamp: number | null = null;

  const readTopics = (raw: unknown): string[] | null => {
    if (!Array.isArray(raw) || raw.length > 4) return null;
    const topics = new Array<string>(raw.length);
    for (let i = 0; i < raw.length; i++) {
      const value: unknown = raw[i];
      if (typeof value !== 'string') return null;
      const topic = i === 0 ? cached(topics0, value, canonicalHash) : canonicalHash(value);
      if (topic === null) return null;
      topics[i] = topic;
    }
    return topics;
  };

  return {
    get lastTimestamp() {
      return timestamp;
    },
    read(raw) {
      if (raw.removed === true) return 'removed';
      if (raw.blockHash === null || raw.blockNumber === null || raw.logIndex === null) return 'pending';
      if (typeof raw.address !== 'string') return 'address';
      const address = cached(addresses, raw.address, canonicalAddress);
      if (address === null) return 'address';
      const topics = readTopics(raw.topics);
      if (topics === null) return 'topics';
      const data = canonicalData(raw.data);
      if (data === null) return 'data';
      if (raw.blockNumber !== rawNumber) {
        rawNumber = raw.blockNumber;
        blockNumber = parseQuantity(raw.blockNumber);
      }
      if (raw.blockHash !== rawBlockHash) {
        rawBlockHash = raw.blockHash;
        blockHash = canonicalHash(raw.blockHash);
      }
      if (blockNumber === null || blockHash === null) return 'block';
      if (raw.transactionHash !== rawTransactionHash) {
        rawTransactionHash = raw.transactionHash;
        transactionHash = canonicalHash(raw.transactionHash);
      }
      // proto3 JSON leaves out what is zero.
      const transactionIndex = raw.transactionIndex === undefined ? 0 : parseQuantity(raw.transactionIndex);
      if (transactionHash === null || transactionIndex === null) return 'transaction';
      const logIndex = raw.logIndex === undefined ? 0 : parseQuantity(raw.logIndex);
      if (logIndex === null) return 'log-index';
      timestamp = raw.blockTimestamp === undefined ? null : parseQuantity(raw.blockTimestamp);
      return { address, topics, data, blockNumber, blockHash, transactionHash, transactionIndex, logIndex };
    },
  };
}
