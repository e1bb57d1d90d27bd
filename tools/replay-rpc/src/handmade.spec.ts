import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bloomOf } from './bloom';

export const TOKEN = `0x${'aB'.repeat(20)}`;
export const OTHER = `0x${'cd'.repeat(20)}`;
export const hash = (n: number, kind = 0): string =>
  `0x${kind.toString(16).padStart(2, '0')}${n.toString(16).padStart(62, '0')}`;

type Mutable = Record<string, unknown>;

/**
 * A linked block in web3.js form with `txs` transactions of two logs each: topic0 1 of TOKEN with the block's number
 * as topic1, then topic0 2 of OTHER with 5000 and the transaction's index as topic1.
 */
export function web3Block(number: number, txs = 2): Mutable & { transactions: Mutable[] } {
  const blockHash = hash(number, 0xb0);
  const logs: Mutable[] = [];
  const transactions = Array.from({ length: txs }, (_, i) => {
    const place = {
      blockHash,
      blockNumber: number,
      transactionHash: hash(number * 100 + i, 0x7a),
      transactionIndex: i,
    };
    const own = [
      {
        ...place,
        address: TOKEN,
        topics: [hash(1), hash(number)],
        data: '0x',
        logIndex: i * 2,
        removed: false,
        id: 'log_1',
      },
      {
        ...place,
        address: OTHER,
        topics: [hash(2), hash(5000 + i)],
        data: '0x01',
        logIndex: i * 2 + 1,
        removed: false,
        id: 'log_2',
      },
    ];
    logs.push(...own);
    return {
      hash: place.transactionHash,
      blockHash,
      blockNumber: number,
      transactionIndex: i,
      from: TOKEN,
      to: OTHER,
      nonce: i,
      gas: 21000,
      gasPrice: '1000000000',
      value: '100000000000000000000',
      input: '0x',
      type: 0,
      chainId: '0x7',
      receipt: {
        ...place,
        status: true,
        gasUsed: 21000,
        cumulativeGasUsed: '21000',
        contractAddress: null,
        logs: own,
      },
    };
  });
  return {
    number,
    hash: blockHash,
    parentHash: hash(number - 1, 0xb0),
    timestamp: 1_600_000_000 + number,
    nonce: '0x0000000000000001',
    miner: TOKEN,
    difficulty: '12',
    logsBloom: bloomOf(logs),
    transactions,
  };
}

/** A folder for recordings that is deleted by `remove`. */
export function recordingFolder(): {
  path: string;
  write: (name: string, content: unknown) => string;
  remove: () => void;
} {
  const path = mkdtempSync(join(tmpdir(), 'replay-rpc-'));
  return {
    path,
    write(name, content) {
      const file = join(path, name);
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
      return file;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Asks one thing by HTTP; gives `result`, or throws the error's code and message. */
export async function ask(url: string, method: string, ...params: readonly unknown[]): Promise<unknown> {
  const { result, error } = (await post(url, { jsonrpc: '2.0', id: 1, method, params })) as {
    result?: unknown;
    error?: { code: number; message: string };
  };
  if (error !== undefined) throw new Error(`${error.code} ${error.message}`);
  return result;
}

export async function post(url: string, body: unknown): Promise<unknown> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'application/json' },
  });
  const answer = await response.text();
  return answer === '' ? undefined : JSON.parse(answer);
}
