import {
  RpcMethodUnsupportedError,
  RpcRateLimitedError,
  RpcTimeoutError,
  RpcUnavailableError,
  safeText,
  type RpcError,
  type RpcPlace,
} from '@imart/endpoints';
import { VersionNotServedError } from './versionNotServedError';
import { VersionPrunedError } from './versionPrunedError';

/** What a fullnode says of its ledger with every answer; `null` where it did not. */
export interface LedgerHeaders {
  readonly chainId: number | null;
  readonly version: bigint | null;
  readonly oldestVersion: bigint | null;
}

/** An answer other than 200. */
export interface RefusedAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs: number | null;
  readonly ledger: LedgerHeaders;
  /** The version that was asked for; `null`: none. */
  readonly version: bigint | null;
}

function errorOf(body: string): { code: string; message: string } {
  try {
    const { error_code: code, message } = JSON.parse(body) as { error_code?: unknown; message?: unknown };
    return {
      code: typeof code === 'string' ? code : '',
      message: typeof message === 'string' ? message : '',
    };
  } catch {
    // A page of a gateway: the status says enough.
    return { code: '', message: '' };
  }
}

/**
 * What a refusal of a fullnode means. Whether a version is gone or not there yet is told by the bounds of the ledger that come with
 * the answer: which status and text a node gives for it depends on the endpoint and on its version.
 */
export function toRestError(place: RpcPlace, answer: RefusedAnswer): RpcError {
  const { status, body, retryAfterMs, ledger, version } = answer;
  const { code, message } = errorOf(body);
  const text = safeText(
    `HTTP ${status} ${message === '' ? body : message}${code === '' ? '' : ` (${code})`}`,
  );
  if (status === 429) return new RpcRateLimitedError(place, text, retryAfterMs);
  if (status === 408 || status === 413 || status === 504) return new RpcTimeoutError(place, text);
  const { oldestVersion } = ledger;
  if (version !== null && oldestVersion !== null && version < oldestVersion)
    return new VersionPrunedError(place, text, oldestVersion);
  if (status === 410 || /pruned/i.test(message) || /pruned/.test(code))
    return new VersionPrunedError(place, text, oldestVersion);
  const isAhead = version !== null && ledger.version !== null && version > ledger.version;
  if (isAhead || /higher than the current ledger version/i.test(message) || code === 'transaction_not_found')
    return new VersionNotServedError(place, text);
  if ([400, 401, 403, 404, 405, 501, 505].includes(status)) return new RpcMethodUnsupportedError(place, text);
  return new RpcUnavailableError(place, text);
}
