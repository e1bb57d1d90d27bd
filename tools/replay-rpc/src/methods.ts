import type { RecordedChain } from './chain';
import { getLogs, type LogLimits } from './getLogs';
import { isObject, type Json, type RecordedBlock } from './recording';
import { RpcError } from './rpcError';

export type Params = readonly unknown[];
/** A method's answer: any JSON. Throws {@link RpcError}. */
export type Method = (params: Params) => unknown;

export const CLIENT_VERSION = 'imart-replay-rpc/0.1.0';

/** What is answered, by method name. `finalityDepth` is how far `finalized` and `safe` lie below the head, in blocks. */
export function createMethods(
  chain: RecordedChain,
  options: LogLimits & { readonly finalityDepth: number },
): ReadonlyMap<string, Method> {
  /** The number a tag or quantity means; of blocks that may not be recorded. */
  function numberOf(tag: unknown): number {
    if (tag === 'latest' || tag === 'pending') return chain.head();
    if (tag === 'earliest') return 0;
    if (tag === 'finalized' || tag === 'safe')
      return chain.lastAtOrBelow(chain.head() - options.finalityDepth).number;
    if (typeof tag !== 'string' || !/^0x(0|[1-9a-f][0-9a-f]{0,12})$/i.test(tag)) {
      throw new RpcError(-32602, `invalid argument: ${JSON.stringify(tag)} is not a block number or tag`);
    }
    return Number(tag);
  }

  function blockOf(numberOrHash: unknown): RecordedBlock | undefined {
    const value = isObject(numberOrHash)
      ? (numberOrHash['blockHash'] ?? numberOrHash['blockNumber'])
      : numberOrHash;
    return isHash(value) ? chain.byHash(value) : chain.byNumber(numberOf(value));
  }

  const hashAt = (params: Params): string => {
    if (!isHash(params[0]))
      throw new RpcError(-32602, `invalid argument 0: ${JSON.stringify(params[0])} is not a hash`);
    return params[0];
  };

  const methods: Record<string, Method> = {
    eth_blockNumber: () => hex(chain.head()),
    eth_chainId: () => hex(chain.chainId),
    eth_getBlockByHash: (params) => blockAnswer(chain.byHash(hashAt(params)), params[1]),
    eth_getBlockByNumber: (params) => blockAnswer(chain.byNumber(numberOf(params[0])), params[1]),
    eth_getBlockReceipts: (params) => blockOf(params[0])?.receipts ?? null,
    eth_getLogs: (params) => getLogs(chain, params[0], options, numberOf),
    eth_getTransactionByHash: (params) => chain.transaction(hashAt(params))?.transaction ?? null,
    eth_getTransactionReceipt: (params) => chain.receipt(hashAt(params)) ?? null,
    eth_syncing: () => false,
    net_version: () => String(chain.chainId),
    web3_clientVersion: () => CLIENT_VERSION,
  };
  return new Map(Object.entries(methods));
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^0x[0-9a-f]{64}$/i.test(value);
}

function blockAnswer(block: RecordedBlock | undefined, full: unknown): Json | null {
  if (block === undefined) return null;
  if (typeof full !== 'boolean') throw new RpcError(-32602, 'missing value for required argument 1');
  const transactions = full ? block.transactions : block.transactions.map((tx) => tx['hash']);
  return { ...block.header, transactions };
}
