/**
 * Several servers of one chain as one that always answers. Guarantees: what can be retried is retried, elsewhere where there is
 * an elsewhere; an endpoint of another chain is never used; requests on their way are bounded; no URL of an endpoint is ever
 * logged, only its place and host.
 */
export { childAbort, type ChildAbort } from './abort';
export { readRetryAfterMs, safeText } from './answerText';
export { createBackPressure, type BackPressure } from './backPressure';
export {
  RpcAnswerRefusedError,
  RpcError,
  RpcInconsistentError,
  RpcMethodUnsupportedError,
  RpcPrunedError,
  RpcRateLimitedError,
  RpcTimeoutError,
  RpcUnavailableError,
  WrongChainError,
  type RpcPlace,
} from './errors';
export {
  createHttpClient,
  HttpError,
  type HttpAnswer,
  type HttpClient,
  type HttpClientOptions,
  type HttpRequest,
} from './httpClient';
export { createInFlight, type InFlight } from './inFlight';
export { endpointLabel } from './label';
export {
  CHAIN_CHECK_VALID_MS,
  createEndpointPool,
  RETRY_AFTER_MAX_MS,
  RPC_POOL_DEFAULTS,
  RPC_RETRY,
  WRONG_CHAIN_RECHECK_MS,
  type EndpointPool,
  type EndpointPoolOptions,
  type PoolEndpoint,
  type PoolQuestion,
  type PoolRun,
} from './pool';
