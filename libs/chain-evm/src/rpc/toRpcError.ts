import { safeText } from '@imart/endpoints';
import {
  BlockNotServedError,
  RpcBatchLimitError,
  RpcMethodUnsupportedError,
  RpcPrunedError,
  RpcRangeLimitError,
  RpcRateLimitedError,
  RpcTimeoutError,
  RpcUnavailableError,
  type RpcError,
  type RpcPlace,
} from './errors';
import { readRangeHint } from './rangeHint';

export { readRetryAfterMs, safeText } from '@imart/endpoints';

type Kind = 'rate' | 'range' | 'batch' | 'timeout' | 'absent' | 'pruned' | 'unsupported' | 'gateway';

/**
 * What providers say, and what it means. The first row that matches decides, so the order matters: "exceeded its compute
 * units" is no range limit, and -32005 is both "too often" and "too many results": the text decides (P10).
 */
const MESSAGES: readonly (readonly [Kind, RegExp])[] = [
  [
    'rate',
    /rate.?limit|too many requests|compute units|credits limited|request count exceeded|requests? per (second|minute|day)|capacity exceeded|throttl/i,
  ],
  [
    'batch',
    /batch(es)? (size|limit|requests?|of|is|are|call)|too large batch|batch.*(not supported|not allowed|too (large|many)|exceed)/i,
  ],
  [
    'timeout',
    /(query|request|execution|connection|gateway|deadline).*(timeout|timed out|exceeded \d+ ?m?s)|timeout exceeded|context deadline exceeded|timed out/i,
  ],
  [
    'pruned',
    /pruned|missing trie node|receipt not available|data before txnum|block meta not found|history (has been|is) (pruned|not available)|state .*not available/i,
  ],
  [
    'absent',
    /block not found|header not found|unknown block|invalid block range|blocks? specified in filter .*cannot be found|finalized block|safe block|block height|cannot query unfinalized|after last accepted block|could not find block/i,
  ],
  [
    'range',
    /returned more than|more than [\d.,]+ (results|logs)|log response size|response size|block.?range|blocks? range|range (is )?too (large|wide)|max(imum)? (block )?range|exceeds (max(imum)? results|limit)|limit exceeded|exceeds the range|too many blocks|at most [\d.,]+ blocks|requested blocks is|limited to|ranges over|query must be smaller|exceeded max(imum)?( allowed| limit)?|response (is )?too (big|large)|exceeds limit of/i,
  ],
  ['gateway', /no backend is currently healthy/i],
  [
    'unsupported',
    /(method|rpc).*(not (found|supported|available|exist|allowed|whitelisted|enabled)|does not exist|disabled|unsupported)|unsupported method|unauthorized|forbidden|invalid api key/i,
  ],
];

const CODES: Readonly<Record<number, Kind>> = {
  [-32601]: 'unsupported',
  [-32004]: 'unsupported',
  [-32700]: 'unsupported',
  [-32012]: 'rate',
  [-32007]: 'rate',
  [-32008]: 'range',
  [-39001]: 'absent',
  429: 'rate',
  4444: 'pruned',
};

function build(
  kind: Kind | undefined,
  place: RpcPlace,
  text: string,
  data: unknown,
  retryAfterMs: number | null,
): RpcError {
  switch (kind) {
    case 'rate':
      return new RpcRateLimitedError(place, text, retryAfterMs);
    case 'range':
      return new RpcRangeLimitError(place, text, readRangeHint(text, data));
    case 'batch':
      return new RpcBatchLimitError(place, text);
    case 'timeout':
      return new RpcTimeoutError(place, text);
    case 'pruned':
      return new RpcPrunedError(place, text);
    case 'absent':
      return new BlockNotServedError(place, text);
    case 'unsupported':
      return new RpcMethodUnsupportedError(place, text);
    default:
      return new RpcUnavailableError(place, text);
  }
}

/** Whether a refusal with a range hint can be about this method at all. */
const hasRange = (method: string): boolean => method === 'eth_getLogs' || method === 'batch';

/** What the `error` member of a JSON-RPC answer means. */
export function toRpcError(place: RpcPlace, error: unknown, retryAfterMs: number | null = null): RpcError {
  const { code, message, data } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown;
    message?: unknown;
    data?: unknown;
  };
  const said = typeof message === 'string' ? message : JSON.stringify(error ?? null);
  // Some put the reason into `data` and a formality into `message`.
  const detail = typeof data === 'string' ? `${said} ${data}` : said;
  const text = safeText(`${detail}${typeof code === 'number' ? ` (code ${code})` : ''}`);
  let kind = MESSAGES.find(([, pattern]) => pattern.test(detail))?.[0];
  if (kind === undefined || kind === 'gateway')
    kind = (typeof code === 'number' ? CODES[code] : undefined) ?? kind;
  if (kind === 'range' && !hasRange(place.method)) kind = undefined;
  return build(kind, place, text, data, retryAfterMs);
}

/** What an HTTP status other than 200 means; the body is looked at first, where it is JSON. */
export function toHttpError(
  place: RpcPlace,
  status: number,
  body: string,
  retryAfterMs: number | null,
): RpcError {
  try {
    const parsed = JSON.parse(body) as { error?: unknown } | { error?: unknown }[];
    const error = Array.isArray(parsed) ? parsed[0]?.error : parsed.error;
    if (error !== undefined && error !== null) {
      const known = toRpcError(place, error, retryAfterMs);
      if (!(known instanceof RpcUnavailableError)) return known;
    }
  } catch {
    // A page of a gateway: the status says enough.
  }
  const text = safeText(`HTTP ${status} ${body}`);
  if (status === 429) return new RpcRateLimitedError(place, text, retryAfterMs);
  if (status === 413) return new RpcBatchLimitError(place, text);
  if ([400, 401, 403, 404, 405, 501, 505].includes(status)) return new RpcMethodUnsupportedError(place, text);
  if (status === 408 || status === 504) return new RpcTimeoutError(place, text);
  return new RpcUnavailableError(place, text);
}
