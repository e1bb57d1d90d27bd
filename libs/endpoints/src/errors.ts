import { WorkerError } from '@imart/core';

/** Where an error comes from: the redacted label of an endpoint and the method that was called. */
export interface RpcPlace {
  readonly endpoint: string;
  readonly method: string;
}

/** What every error of an endpoint has in common: its `endpoint` label never holds a path, a query or credentials. */
export class RpcError extends WorkerError {
  readonly endpoint: string;
  readonly method: string;

  constructor(
    message: string,
    place: RpcPlace,
    options: {
      code: string;
      disposition: 'retry' | 'stop';
      cause?: unknown;
      fields?: Record<string, unknown>;
    },
  ) {
    super(`${place.endpoint}: ${place.method}: ${message}`, {
      code: options.code,
      disposition: options.disposition,
      fields: { ...place, ...options.fields },
      ...(options.cause === undefined ? {} : { cause: options.cause }),
    });
    this.endpoint = place.endpoint;
    this.method = place.method;
  }
}

/** No usable answer: connection refused, gateway page, broken JSON, internal error. Try again, or elsewhere. */
export class RpcUnavailableError extends RpcError {
  constructor(place: RpcPlace, detail: string, cause?: unknown) {
    super(detail, place, { code: 'RPC_UNAVAILABLE', disposition: 'retry', cause });
  }
}

/** No answer within the time limit of a call. The same question about fewer blocks may be answered. */
export class RpcTimeoutError extends RpcError {
  constructor(place: RpcPlace, detail: string) {
    super(detail, place, { code: 'RPC_TIMEOUT', disposition: 'retry' });
  }
}

/** Asked too often. Never a reason to ask for less (P10). */
export class RpcRateLimitedError extends RpcError {
  /** What the provider asked for; `null` when it did not say. */
  readonly retryAfterMs: number | null;

  constructor(place: RpcPlace, detail: string, retryAfterMs: number | null) {
    super(detail, place, { code: 'RPC_RATE_LIMITED', disposition: 'retry', fields: { retryAfterMs } });
    this.retryAfterMs = retryAfterMs;
  }
}

/** The node has thrown these blocks away. Only an archive node answers; never taken as an empty answer. */
export class RpcPrunedError extends RpcError {
  constructor(place: RpcPlace, detail: string) {
    super(`${detail}. Add an endpoint of an archive node, or start at a later block`, place, {
      code: 'RPC_PRUNED',
      disposition: 'stop',
    });
  }
}

/** The endpoint does not know the method, or refuses it for this key. Another method or endpoint may do. */
export class RpcMethodUnsupportedError extends RpcError {
  constructor(place: RpcPlace, detail: string) {
    super(detail, place, { code: 'RPC_METHOD_UNSUPPORTED', disposition: 'stop' });
  }
}

/** The endpoint serves another chain than the one that is followed (P14). */
export class WrongChainError extends RpcError {
  constructor(endpoint: string, expected: string, actual: string, method = 'eth_chainId') {
    super(
      `serves chain ${actual}, but the worker follows ${expected}. Correct RPC_URLS or the chain id`,
      { endpoint, method },
      { code: 'WRONG_CHAIN', disposition: 'stop', fields: { expected, actual } },
    );
  }
}

/** An answer that contradicts itself, or another answer of the same node. Nothing of it was used. */
export class RpcInconsistentError extends RpcError {
  constructor(place: RpcPlace, detail: string, fields: Record<string, unknown> = {}) {
    super(detail, place, { code: 'RPC_INCONSISTENT', disposition: 'retry', fields });
  }
}

/** Every attempt at a range gave an answer that contradicts itself. */
export class RpcAnswerRefusedError extends WorkerError {
  constructor(what: string, attempts: number, last: Error) {
    super(
      `${what}: no endpoint gave an answer that can be believed in ${attempts} attempts; nothing of it was stored. ` +
        `Last reason: ${last.message}. Check the endpoints, or add another one`,
      { code: 'RPC_ANSWER_REFUSED', disposition: 'stop', cause: last, fields: { attempts } },
    );
  }
}
