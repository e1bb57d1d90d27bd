import { describePieces, type RecordedChain } from './chain';
import { isObject, type Json, type RecordedBlock } from './recording';
import { RpcError } from './rpcError';

/** Limits a provider sets on eth_getLogs; undefined is none. */
export interface LogLimits {
  readonly maxRange: number | undefined;
  readonly maxResults: number | undefined;
}

type Matches = (log: Json) => boolean;

/**
 * Logs that match, in order of block and index. A range with a block that is not recorded is an error that names the
 * block: an empty answer would say that nothing happened there.
 */
export function getLogs(
  chain: RecordedChain,
  filter: unknown,
  limits: LogLimits,
  numberOf: (tag: unknown) => number,
): Json[] {
  if (!isObject(filter)) throw new RpcError(-32602, 'invalid argument 0: a filter object is required');
  const matches = matcher(filter);
  if (filter['blockHash'] !== undefined) {
    if (filter['fromBlock'] !== undefined || filter['toBlock'] !== undefined) {
      throw new RpcError(-32602, 'invalid argument 0: cannot specify both BlockHash and FromBlock/ToBlock');
    }
    const block = chain.byHash(String(filter['blockHash']));
    if (block === undefined) throw new RpcError(-32000, `unknown block ${String(filter['blockHash'])}`);
    return chain.logs(block).filter(matches);
  }
  const from = numberOf(filter['fromBlock'] ?? 'latest');
  const to = numberOf(filter['toBlock'] ?? 'latest');
  if (from > to) throw new RpcError(-32602, `invalid block range: ${from} is after ${to}`);
  if (limits.maxRange !== undefined && to - from + 1 > limits.maxRange) {
    const last = from + limits.maxRange - 1;
    throw new RpcError(
      -32602,
      `range ${to - from + 1} exceeds limit of ${limits.maxRange}. ${suggest(from, last)}`,
    );
  }
  const missing = chain.firstMissing({ from, to });
  if (missing !== undefined) {
    throw new RpcError(
      -32000,
      `block ${missing} is not recorded; recorded are ${describePieces(chain.pieces)}, head is ${chain.head()}`,
    );
  }
  return collect(chain, { from, to }, matches, limits.maxResults);
}

function collect(
  chain: RecordedChain,
  range: { from: number; to: number },
  matches: Matches,
  maxResults: number | undefined,
): Json[] {
  const result: Json[] = [];
  for (let number = range.from; number <= range.to; number++) {
    const found = chain.logs(chain.byNumber(number) as RecordedBlock).filter(matches);
    if (maxResults !== undefined && result.length + found.length > maxResults) {
      // As providers do, one block over the limit on its own is suggested again.
      const last = Math.max(range.from, number - 1);
      throw new RpcError(
        -32005,
        `query returned more than ${maxResults} results. ${suggest(range.from, last)}`,
        {
          from: hex(range.from),
          to: hex(last),
          limit: maxResults,
        },
      );
    }
    result.push(...found);
  }
  return result;
}

const hex = (number: number): string => `0x${number.toString(16)}`;

function suggest(from: number, to: number): string {
  return `Try with this block range [${hex(from)}, ${hex(to)}].`;
}

function matcher(filter: Json): Matches {
  const addresses = oneOrMany(filter['address'], 'address', 40);
  const wanted = filter['topics'] ?? [];
  if (!Array.isArray(wanted)) throw new RpcError(-32602, 'invalid argument 0: topics is not a list');
  if (wanted.length > 4) throw new RpcError(-32602, 'invalid argument 0: exceed max topics');
  const topics = wanted.map((topic, i) => oneOrMany(topic, `topics[${i}]`, 64));
  return (log) => {
    if (addresses !== undefined && !addresses.has(String(log['address']))) return false;
    const logTopics = log['topics'] as readonly string[];
    return (
      topics.length <= logTopics.length &&
      topics.every((set, i) => set === undefined || set.has(logTopics[i]!))
    );
  };
}

/** Undefined: anything. Null and an empty list are anything too, as in geth. */
function oneOrMany(value: unknown, what: string, digits: number): ReadonlySet<string> | undefined {
  if (value === undefined || value === null) return undefined;
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const pattern = new RegExp(`^0x[0-9a-f]{${digits}}$`, 'i');
  for (const item of list) {
    if (item === null && what !== 'address') return undefined;
    if (typeof item !== 'string' || !pattern.test(item)) {
      throw new RpcError(
        -32602,
        `invalid argument 0: ${what} holds ${JSON.stringify(item)}, not ${digits} hex digits`,
      );
    }
  }
  return list.length === 0 ? undefined : new Set(list.map((item) => String(item).toLowerCase()));
}
