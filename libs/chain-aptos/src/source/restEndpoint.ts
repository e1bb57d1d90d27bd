import {
  createHttpClient,
  createInFlight,
  endpointLabel,
  HttpError,
  readRetryAfterMs,
  RpcError,
  RpcRateLimitedError,
  RpcTimeoutError,
  RpcUnavailableError,
  WrongChainError,
  type HttpAnswer,
  type PoolEndpoint,
  type RpcPlace,
} from '@imart/endpoints';
import type { LedgerEndpointStats } from './ledgerSource';
import { toRestError, type LedgerHeaders } from './restErrors';

export interface RestEndpointOptions {
  /** Of the REST API, with or without `/v1` at its end. */
  readonly url: string;
  /** Its place in the list, from 1: part of the label. */
  readonly place: number;
  /** Answers of another chain are refused; `null`: any chain. */
  readonly chainId: number | null;
  /** Sent as a bearer token, never logged; `null`: none. */
  readonly apiKey: string | null;
  /** Of one request, connecting and waiting included. */
  readonly timeoutMs: number;
  /** Requests on their way at once. */
  readonly inFlightMax: number;
  /** Of one decompressed answer. */
  readonly answerBytesMax: number;
  readonly now: () => number;
}

/** An answer with what the node says of its ledger. */
export interface RestAnswer {
  readonly body: string;
  readonly ledger: LedgerHeaders;
}

/** The REST API of one fullnode. */
export interface RestEndpoint extends PoolEndpoint {
  readonly stats: LedgerEndpointStats;
  /**
   * @param path after `/v1`, with its query.
   * @param version the one that is asked for, to tell a pruned one from one that is not there yet; `null`: none.
   * @throws {RpcError}
   */
  get(path: string, version: bigint | null, signal: AbortSignal): Promise<RestAnswer>;
}

const numberOf = (text: unknown): bigint | null =>
  typeof text === 'string' && /^\d{1,20}$/.test(text) ? BigInt(text) : null;

function ledgerOf({ headers }: HttpAnswer): LedgerHeaders {
  const chainId = numberOf(headers['x-aptos-chain-id']);
  return {
    chainId: chainId === null ? null : Number(chainId),
    version: numberOf(headers['x-aptos-ledger-version']),
    oldestVersion: numberOf(headers['x-aptos-ledger-oldest-version']),
  };
}

function translate(error: HttpError, place: RpcPlace): RpcError {
  // Too large an answer is met as one that takes too long: by asking for less.
  if (error.kind === 'timeout' || error.kind === 'too-large')
    return new RpcTimeoutError(place, error.message);
  return new RpcUnavailableError(place, error.message, error);
}

export function createRestEndpoint(options: RestEndpointOptions): RestEndpoint {
  const { chainId, apiKey, timeoutMs, inFlightMax, answerBytesMax, now } = options;
  const url = new URL(options.url);
  const base = url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '');
  const label = endpointLabel(url, options.place, 'rest');
  const client = createHttpClient({
    url,
    headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` },
    connectionsMax: inFlightMax,
    bodyBytesMax: answerBytesMax,
  });
  const inFlight = createInFlight(inFlightMax);
  const stats: LedgerEndpointStats = {
    endpoint: label,
    requests: 0,
    receivedBytes: 0,
    errors: {},
    inFlight: 0,
  };

  const fullPath = (path: string): string => {
    const joined = `${base}/v1${path}`;
    if (url.search === '') return joined;
    return `${joined}${joined.includes('?') ? '&' : '?'}${url.search.slice(1)}`;
  };

  return {
    label,
    stats,
    close: () => client.close(),
    async get(path, version, signal) {
      await inFlight.enter(signal);
      stats.inFlight++;
      const place: RpcPlace = { endpoint: label, method: `GET ${path.replace(/\?.*/, '')}` };
      try {
        stats.requests++;
        const answer = await client.send({ path: fullPath(path) }, timeoutMs, signal);
        stats.receivedBytes += answer.body.length;
        const ledger = ledgerOf(answer);
        if (chainId !== null && ledger.chainId !== null && ledger.chainId !== chainId)
          throw new WrongChainError(label, String(chainId), String(ledger.chainId), place.method);
        if (answer.status !== 200) {
          const retryAfterMs = readRetryAfterMs(answer.headers['retry-after'], now());
          throw toRestError(place, { ...answer, retryAfterMs, ledger, version });
        }
        inFlight.succeeded();
        return { body: answer.body, ledger };
      } catch (cause) {
        const error = cause instanceof HttpError ? translate(cause, place) : cause;
        if (error instanceof RpcError) stats.errors[error.code] = (stats.errors[error.code] ?? 0) + 1;
        if (error instanceof RpcRateLimitedError) inFlight.tooMany();
        throw error;
      } finally {
        stats.inFlight--;
        inFlight.leave();
      }
    },
  };
}
