import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FakeBlock, FakeChain } from './fakeChain';
import { quantity } from './fakeChain';

/** What a scripted method answers; `undefined`: what a healthy node would. */
export type Scripted = { readonly result: unknown } | { readonly error: unknown } | undefined;

/** How the node misbehaves. All of it may be changed while it runs. */
export interface FakeRpcRules {
  /** The last block it has. @defaultValue that of the chain */
  head?: number;
  /** @defaultValue 64 blocks below the head */
  finalized?: number | null;
  /** Most blocks of a query. */
  blocksMax?: number;
  /** Most logs of an answer, refused with the range that would do. */
  logsMax?: number;
  /** Answers are cut here, without a word. */
  silentCap?: number;
  /** Logs carry the time of their block. */
  blockTimestamps?: boolean;
  /** Bloom of a block. @defaultValue an empty one */
  bloom?: (block: FakeBlock) => string;
  reverseBatches?: boolean;
  /** Before anything else. */
  onCall?: (method: string, params: readonly unknown[]) => Scripted;
  /** After it: what becomes of a healthy answer. */
  changeResult?: (method: string, params: readonly unknown[], result: unknown) => unknown;
  /** Instead of it all. */
  onHttp?: (
    body: string,
  ) => { status?: number; body: string | Buffer; headers?: Record<string, string> } | 'hang' | undefined;
}

export interface FakeRpc {
  readonly url: string;
  readonly rules: FakeRpcRules;
  /** Every call, in order. */
  readonly calls: { readonly method: string; readonly params: readonly unknown[]; readonly batch: number }[];
  /** Requests on their way, now and at most. */
  readonly inFlight: { now: number; max: number };
  count(method: string): number;
  close(): Promise<void>;
}

interface RpcRequest {
  readonly id: unknown;
  readonly method: string;
  readonly params?: readonly unknown[];
}

interface LogsFilter {
  readonly blockHash?: string;
  readonly fromBlock?: string;
  readonly toBlock?: string;
  readonly address?: readonly string[];
  readonly topics?: readonly (readonly string[] | null)[];
}

type RawLog = Readonly<Record<string, unknown>>;

const refusal = (code: number, message: string, data?: unknown): Scripted => ({
  error: { code, message, data },
});

const header = ({ number, hash, parentHash, timestamp }: FakeBlock) => ({
  number: quantity(number),
  hash,
  parentHash,
  timestamp: quantity(timestamp),
  logsBloom: `0x${'0'.repeat(512)}`,
  transactions: [],
});

/** All receipts of a block: those of the transactions with logs. */
export function receiptsOf(block: FakeBlock): Record<string, unknown>[] {
  const byHash = new Map<string, Record<string, unknown> & { logs: RawLog[] }>();
  for (const log of block.logs) {
    const hash = log['transactionHash'] as string;
    const receipt = byHash.get(hash) ?? {
      transactionHash: hash,
      transactionIndex: log['transactionIndex'],
      blockNumber: quantity(block.number),
      blockHash: block.hash,
      from: `0x${'f'.repeat(40)}`,
      to: log['address'],
      status: '0x1',
      logs: [],
    };
    receipt.logs.push(log);
    byHash.set(hash, receipt);
  }
  return [...byHash.values()];
}

/** A JSON-RPC node on a free port of this machine. */
export async function startFakeRpc(chain: FakeChain, rules: FakeRpcRules = {}): Promise<FakeRpc> {
  const calls: FakeRpc['calls'] = [];
  const inFlight = { now: 0, max: 0 };
  let batches = 0;

  const head = (): number => Math.min(rules.head ?? chain.head, chain.head);
  const blockAt = (tag: unknown): FakeBlock | null => {
    const at = (number: number): FakeBlock | null =>
      number > head() ? null : (chain.blocks[number] ?? null);
    if (tag === 'latest') return at(head());
    if (tag !== 'finalized') return at(Number(tag));
    const finalized = rules.finalized === undefined ? Math.max(0, head() - 64) : rules.finalized;
    return finalized === null ? null : (chain.blocks[finalized] ?? null);
  };

  const logsFor = ({ blockHash, address, topics = [], ...filter }: LogsFilter): Scripted => {
    const byHash = chain.blocks.find((block) => block?.hash === blockHash);
    if (blockHash !== undefined && !byHash) return refusal(-32000, 'unknown block');
    const { fromBlock = '0x0', toBlock = '0x0' } = byHash
      ? { fromBlock: quantity(byHash.number), toBlock: quantity(byHash.number) }
      : filter;
    const [from, to] = [Number(fromBlock), Math.min(Number(toBlock), head())];
    if (rules.blocksMax !== undefined && Number(toBlock) - from + 1 > rules.blocksMax) {
      return refusal(-32600, `eth_getLogs is limited to a ${rules.blocksMax} blocks range`);
    }
    const found: RawLog[] = [];
    for (let number = from; number <= to; number++) {
      const block = chain.blocks[number];
      for (const log of block?.logs ?? []) {
        const own = log['topics'] as string[];
        if (address !== undefined && !address.includes((log['address'] as string).toLowerCase())) continue;
        if (
          topics.length > own.length ||
          !topics.every((any, i) => any === null || any.includes(own[i] as string))
        )
          continue;
        found.push(
          rules.blockTimestamps === true ? { ...log, blockTimestamp: quantity(block?.timestamp ?? 0) } : log,
        );
      }
      if (rules.logsMax !== undefined && found.length > rules.logsMax) {
        const range = `[${fromBlock}, ${quantity(Math.max(from, number - 1))}]`;
        return refusal(
          -32005,
          `query returned more than ${rules.logsMax} results. Try with this block range ${range}.`,
        );
      }
    }
    return { result: found.slice(0, rules.silentCap) };
  };

  const healthy = (method: string, params: readonly unknown[]): Scripted => {
    switch (method) {
      case 'eth_chainId':
        return { result: quantity(chain.chainId) };
      case 'eth_blockNumber':
        return { result: quantity(head()) };
      case 'eth_getBlockByNumber': {
        const block = blockAt(params[0]);
        return {
          result:
            block === null
              ? null
              : { ...header(block), ...(rules.bloom && { logsBloom: rules.bloom(block) }) },
        };
      }
      case 'eth_getLogs':
        return logsFor(params[0] as LogsFilter);
      case 'eth_getBlockReceipts': {
        const block = blockAt(params[0]);
        return { result: block === null ? null : receiptsOf(block) };
      }
      case 'eth_getTransactionReceipt': {
        const all = chain.blocks.flatMap((block) => (block === null ? [] : receiptsOf(block)));
        return { result: all.find(({ transactionHash }) => transactionHash === params[0]) ?? null };
      }
      default:
        return refusal(-32601, `the method ${method} does not exist/is not available`);
    }
  };

  const answer = ({ id, method, params = [] }: RpcRequest): Record<string, unknown> => {
    calls.push({ method, params, batch: batches });
    const scripted = rules.onCall?.(method, params) ?? healthy(method, params);
    if (scripted !== undefined && 'result' in scripted && rules.changeResult !== undefined) {
      return { jsonrpc: '2.0', id, result: rules.changeResult(method, params, scripted.result) };
    }
    return { jsonrpc: '2.0', id, ...scripted };
  };

  const respond = (body: string, response: ServerResponse): void => {
    batches++;
    const special = rules.onHttp?.(body);
    if (special === 'hang') return;
    if (special !== undefined) {
      response.writeHead(special.status ?? 200, special.headers).end(special.body);
      return;
    }
    const request = JSON.parse(body) as RpcRequest | RpcRequest[];
    const answers = Array.isArray(request) ? request.map(answer) : answer(request);
    if (Array.isArray(answers) && rules.reverseBatches === true) answers.reverse();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answers));
  };

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    inFlight.now++;
    inFlight.max = Math.max(inFlight.max, inFlight.now);
    response.on('close', () => inFlight.now--);
    if (request.method !== 'POST') {
      response.writeHead(404).end();
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => respond(Buffer.concat(chunks).toString('utf8'), response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    rules,
    calls,
    inFlight,
    count: (method) => calls.filter((call) => call.method === method).length,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
