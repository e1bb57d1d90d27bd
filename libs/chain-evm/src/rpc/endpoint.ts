import {
  createHttpClient,
  createInFlight,
  endpointLabel,
  HttpError,
  readRetryAfterMs,
} from '@imart/endpoints';
import { readBatch, writeBatch, type RpcCall } from './batch';
import {
  RpcBatchLimitError,
  RpcError,
  RpcRangeLimitError,
  RpcRateLimitedError,
  RpcTimeoutError,
  RpcUnavailableError,
  type RpcPlace,
} from './errors';
import { toHttpError } from './toRpcError';

/** Counters of one endpoint since the start. `errors` by the stable code of the error. */
export interface RpcEndpointStats {
  readonly endpoint: string;
  /** HTTP requests; a batch is one. */
  requests: number;
  calls: number;
  /** Of decompressed answers, in characters. */
  receivedChars: number;
  readonly errors: Record<string, number>;
  inFlight: number;
}

export interface RpcEndpointOptions {
  readonly url: string;
  /** Its place in the list, from 1: part of the label. */
  readonly place: number;
  /** Of one HTTP request, connecting and waiting included. @defaultValue 30,000 */
  readonly timeoutMs: number;
  /** Requests on their way at once. @defaultValue 8 */
  readonly inFlightMax: number;
  /** Calls of one batch; lowered when the endpoint refuses. @defaultValue 100 */
  readonly batchCallsMax: number;
  /** Of one decompressed answer. @defaultValue 256 MiB */
  readonly answerBytesMax: number;
  readonly now: () => number;
}

/** One JSON-RPC server. */
export interface RpcEndpoint {
  /** Redacted: safe to log. */
  readonly label: string;
  readonly stats: RpcEndpointStats;
  call(method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown>;
  /**
   * Calls answered together: one request, so that one node answers all of them. Where the endpoint takes no batches, one
   * after the other. All results in the order of the calls, or an error.
   * @throws {RpcError}
   */
  together(calls: readonly RpcCall[], signal: AbortSignal): Promise<unknown[]>;
  /** Any number of calls, in batches, several on their way at once. All results in order, or an error. @throws {RpcError} */
  many(calls: readonly RpcCall[], signal: AbortSignal): Promise<unknown[]>;
  /** Closes kept connections. */
  close(): void;
}

export const RPC_ENDPOINT_DEFAULTS = {
  timeoutMs: 30_000,
  inFlightMax: 8,
  batchCallsMax: 100,
  answerBytesMax: 256 * 1024 * 1024,
} as const;

export function createRpcEndpoint(options: RpcEndpointOptions): RpcEndpoint {
  const { timeoutMs, inFlightMax, answerBytesMax, now } = options;
  const url = new URL(options.url);
  const label = endpointLabel(url, options.place);
  const http = createHttpClient({
    url,
    headers: {},
    connectionsMax: inFlightMax,
    bodyBytesMax: answerBytesMax,
  });
  const inFlight = createInFlight(inFlightMax);
  const stats: RpcEndpointStats = {
    endpoint: label,
    requests: 0,
    calls: 0,
    receivedChars: 0,
    errors: {},
    inFlight: 0,
  };
  let batchCallsMax = options.batchCallsMax;

  const translate = (error: HttpError, place: RpcPlace): RpcError => {
    if (error.kind === 'timeout') return new RpcTimeoutError(place, error.message);
    if (error.kind === 'too-large') {
      return new RpcRangeLimitError(place, error.message, {
        suggested: null,
        blocksMax: null,
        logsMax: null,
      });
    }
    return new RpcUnavailableError(place, error.message, error);
  };

  const send = async (calls: readonly RpcCall[], signal: AbortSignal): Promise<unknown[]> => {
    await inFlight.enter(signal);
    stats.inFlight++;
    const place: RpcPlace = {
      endpoint: label,
      method: calls.length === 1 ? (calls[0] as RpcCall).method : 'batch',
    };
    try {
      stats.requests++;
      stats.calls += calls.length;
      const answer = await http.send({ body: writeBatch(calls) }, timeoutMs, signal);
      stats.receivedChars += answer.body.length;
      const retryAfterMs = readRetryAfterMs(answer.headers['retry-after'], now());
      if (answer.status !== 200) throw toHttpError(place, answer.status, answer.body, retryAfterMs);
      const results = readBatch(answer.body, calls, label, retryAfterMs);
      inFlight.succeeded();
      return results;
    } catch (cause) {
      const error = cause instanceof HttpError ? translate(cause, place) : cause;
      if (error instanceof RpcError) stats.errors[error.code] = (stats.errors[error.code] ?? 0) + 1;
      if (error instanceof RpcRateLimitedError) inFlight.tooMany();
      throw error;
    } finally {
      stats.inFlight--;
      inFlight.leave();
    }
  };

  /** Halves the batch when the endpoint refuses it for its size, down to single calls. */
  const together = async (calls: readonly RpcCall[], signal: AbortSignal): Promise<unknown[]> => {
    if (calls.length <= batchCallsMax) {
      try {
        return await send(calls, signal);
      } catch (error) {
        if (!(error instanceof RpcBatchLimitError) || calls.length === 1) throw error;
        batchCallsMax = Math.max(1, Math.floor(calls.length / 2));
      }
    }
    const results: unknown[] = [];
    for (let i = 0; i < calls.length;) {
      const slice = calls.slice(i, i + batchCallsMax);
      for (const result of await together(slice, signal)) results.push(result);
      i += slice.length;
    }
    return results;
  };

  return {
    label,
    stats,
    together,
    async call(method, params, signal) {
      return (await send([{ method, params }], signal))[0];
    },
    async many(calls, signal) {
      const slices: (readonly RpcCall[])[] = [];
      for (let i = 0; i < calls.length; i += batchCallsMax) slices.push(calls.slice(i, i + batchCallsMax));
      return (await Promise.all(slices.map((slice) => together(slice, signal)))).flat();
    },
    close: () => http.close(),
  };
}
