import { quantity, receiptsOf } from './fakeBlock';
import type { FakeBlock, FakeChain } from './fakeChain';
import type { FakeRpcRules, Scripted } from './fakeRules';

type RawLog = Readonly<Record<string, unknown>>;

interface LogsFilter {
  readonly blockHash?: string;
  readonly fromBlock?: string;
  readonly toBlock?: string;
  readonly address?: string | readonly string[];
  readonly topics?: readonly (string | readonly string[] | null)[];
}

export const refusal = (code: number, message: string, data?: unknown): Scripted => ({
  error: { code, message, data },
});

const METHOD_NOT_FOUND = (method: string): Scripted =>
  refusal(-32601, `the method ${method} does not exist/is not available`);

/** A header as a node gives it, the hashes of its transactions included. */
export function headerOf(block: FakeBlock, { bloom }: FakeRpcRules = {}): Record<string, unknown> {
  const { number, hash, parentHash, timestamp, transactions, logsBloom } = block;
  return {
    number: quantity(number),
    hash,
    parentHash,
    timestamp: quantity(timestamp),
    logsBloom: bloom?.(block) ?? logsBloom,
    transactions: transactions.map((transaction) => transaction.hash),
  };
}

/** The chain as one node sees it. */
export interface NodeView {
  readonly head: number;
  at(number: number): FakeBlock | null;
  /** `null` for what it does not have. @param tag a number or `latest`, `finalized`, `safe`, `earliest`, `pending`. */
  byTag(tag: unknown): FakeBlock | null;
}

export function viewOf(chain: FakeChain, rules: FakeRpcRules): NodeView {
  const blocks = rules.branch ?? chain.blocks;
  const end = blocks.length - 1;
  const head = Math.max(0, Math.min(rules.head ?? end, end) - (rules.lag ?? 0));
  const at = (number: number): FakeBlock | null =>
    number > head || rules.withheld?.includes(number) === true || number < (rules.prunedBelow ?? 0)
      ? null
      : (blocks[number] ?? null);
  /** A height may have no block: then the one below it. */
  const newestAt = (from: number): FakeBlock | null => {
    for (let number = from; number >= 0; number--) {
      const block = blocks[number];
      if (block !== null && block !== undefined) return block;
    }
    return null;
  };
  return {
    head,
    at,
    byTag(tag) {
      if (tag === 'earliest') return at(0);
      if (tag === 'safe') return newestAt(Math.max(0, head - 32));
      if (tag === 'finalized') {
        const { finalized = Math.max(0, head - (rules.finalityDepth ?? 64)) } = rules;
        return typeof finalized === 'number' ? newestAt(finalized) : null;
      }
      return tag === 'latest' || tag === 'pending' ? newestAt(head) : at(Number(tag));
    },
  };
}

function matches(log: RawLog, address: LogsFilter['address'], topics: LogsFilter['topics'] = []): boolean {
  const of = (log['address'] as string).toLowerCase();
  const own = log['topics'] as string[];
  if (typeof address === 'string' ? address.toLowerCase() !== of : address?.includes(of) === false)
    return false;
  return (
    topics.length <= own.length &&
    topics.every(
      (any, i) => any === null || (typeof any === 'string' ? any === own[i] : any.includes(own[i] as string)),
    )
  );
}

function suggestion(rules: FakeRpcRules, from: number, to: number, works: number): string {
  const text = (a: number, b: number): string => `[${quantity(a)}, ${quantity(b)}]`;
  switch (rules.suggests ?? 'right') {
    case 'right':
      return text(from, works);
    case 'asked':
      return text(from, to);
    case 'inverted':
      return text(works, from);
    case 'beyond':
      return text(from, to + 1_000);
  }
}

function logsFor(chain: FakeChain, view: NodeView, rules: FakeRpcRules, filter: LogsFilter): Scripted {
  const { blockHash, address, topics } = filter;
  const named = blockHash === undefined ? undefined : chain.byHash(blockHash);
  if (blockHash !== undefined && (named === undefined || view.at(named.number)?.hash !== named.hash))
    return refusal(-32000, 'unknown block');
  const from = named?.number ?? Number(filter.fromBlock ?? 0);
  const last = named?.number ?? Number(filter.toBlock ?? 0);
  if (from < (rules.prunedBelow ?? 0)) return refusal(4444, 'pruned history unavailable');
  if (rules.blocksMax !== undefined && last - from + 1 > rules.blocksMax) {
    return refusal(-32600, `eth_getLogs is limited to a ${rules.blocksMax} blocks range`);
  }
  const found: RawLog[] = [];
  for (let number = from; number <= Math.min(last, view.head); number++) {
    const block = view.at(number);
    for (const log of block?.logs ?? []) {
      if (!matches(log, address, topics)) continue;
      found.push(
        rules.blockTimestamps === true ? { ...log, blockTimestamp: quantity(block?.timestamp ?? 0) } : log,
      );
    }
    if (rules.logsMax !== undefined && found.length > rules.logsMax) {
      const range = suggestion(rules, from, last, Math.max(from, number - 1));
      return refusal(
        -32005,
        `query returned more than ${rules.logsMax} results. Try with this block range ${range}.`,
      );
    }
  }
  return { result: spoil(chain, view, rules, found, { from, last, isRange: named === undefined }) };
}

/** What lies make of a healthy list of logs. */
function spoil(
  chain: FakeChain,
  view: NodeView,
  rules: FakeRpcRules,
  found: readonly RawLog[],
  { from, last, isRange }: { from: number; last: number; isRange: boolean },
): RawLog[] {
  const { omitsEvery, omits, logBlockHash } = rules;
  let logs = found.slice(0, rules.silentCap);
  if (isRange && omitsEvery !== undefined) logs = logs.filter((_, i) => (i + 1) % omitsEvery !== 0);
  if (isRange && omits !== undefined) logs = logs.filter((log) => !omits(log));
  if (rules.repeatsLogs === true) logs = [...logs, ...logs];
  if (logBlockHash !== undefined) logs = logs.map((log) => ({ ...log, blockHash: logBlockHash }));
  if (rules.removedLogs === true) {
    const gone = chain
      .orphans()
      .filter(({ number, hash }) => number >= from && number <= last && view.at(number)?.hash !== hash);
    logs = [...gone.flatMap((block) => block.logs.map((log) => ({ ...log, removed: true }))), ...logs];
  }
  return logs;
}

/** What a node with these rules answers. */
export function answerMethod(
  chain: FakeChain,
  rules: FakeRpcRules,
  method: string,
  params: readonly unknown[],
): Scripted {
  const view = viewOf(chain, rules);
  const header = (block: FakeBlock | null | undefined) => ({
    result: block === null || block === undefined ? null : headerOf(block, rules),
  });
  switch (method) {
    case 'eth_chainId':
      return { result: quantity(rules.chainId ?? chain.chainId) };
    case 'net_version':
      return { result: String(rules.chainId ?? chain.chainId) };
    case 'web3_clientVersion':
      return { result: 'fake-chain' };
    case 'eth_syncing':
      return { result: false };
    case 'eth_blockNumber':
      return { result: quantity(view.head) };
    case 'eth_getBlockByNumber':
      if (params[0] === 'finalized' && rules.finalized === 'error')
        return refusal(-32603, 'invalid block height');
      return header(view.byTag(params[0]));
    case 'eth_getBlockByHash':
      // A node keeps blocks that were taken back.
      return header(chain.byHash(String(params[0])));
    case 'eth_getLogs':
      return logsFor(chain, view, rules, params[0] as LogsFilter);
    case 'eth_getBlockReceipts': {
      if (rules.receipts === 'unsupported') return METHOD_NOT_FOUND(method);
      const block = rules.receipts === 'null' ? null : view.byTag(params[0]);
      return { result: block === null ? null : receiptsOf(block) };
    }
    case 'eth_getTransactionReceipt': {
      if (rules.receipts === 'unsupported') return METHOD_NOT_FOUND(method);
      const hash = String(params[0]).toLowerCase();
      const block =
        rules.receipts === 'null'
          ? undefined
          : chain.withTransaction(hash).find((one) => view.at(one.number)?.hash === one.hash);
      if (block === undefined) return { result: null };
      return { result: receiptsOf(block).find((receipt) => receipt['transactionHash'] === hash) ?? null };
    }
    default:
      return METHOD_NOT_FOUND(method);
  }
}
