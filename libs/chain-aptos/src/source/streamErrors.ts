import { status, type ServiceError } from '@grpc/grpc-js';
import {
  RpcMethodUnsupportedError,
  RpcPrunedError,
  RpcRateLimitedError,
  RpcTimeoutError,
  RpcUnavailableError,
  safeText,
  type RpcError,
  type RpcPlace,
} from '@imart/endpoints';
import { VersionNotServedError } from './versionNotServedError';

const PRUNED =
  /pruned|too old|no longer available|(lowest|earliest|oldest) (available )?version|not available in the cache/i;

/** Whether an error is one of gRPC, with a status. */
export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && typeof (error as Partial<ServiceError>).code === 'number';
}

/** What the end of a stream with an error means. */
export function toStreamError(place: RpcPlace, error: ServiceError): RpcError {
  const details = error.details ?? error.message;
  const text = safeText(`${details} (gRPC ${status[error.code] ?? error.code})`);
  // Too large a message is met as one that takes too long: by asking for less.
  if (/larger than max/i.test(details)) return new RpcTimeoutError(place, text);
  if (PRUNED.test(details)) return new RpcPrunedError(place, text);
  switch (error.code) {
    case status.RESOURCE_EXHAUSTED: {
      const [seconds] = error.metadata?.get('retry-after') ?? [];
      const retryAfterMs =
        typeof seconds === 'string' && /^\d+$/.test(seconds) ? Number(seconds) * 1_000 : null;
      return new RpcRateLimitedError(place, text, retryAfterMs);
    }
    case status.DEADLINE_EXCEEDED:
      return new RpcTimeoutError(place, text);
    case status.OUT_OF_RANGE:
      return new VersionNotServedError(place, text);
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
    case status.UNIMPLEMENTED:
    case status.INVALID_ARGUMENT:
      return new RpcMethodUnsupportedError(place, text);
    default:
      return new RpcUnavailableError(place, text, error);
  }
}
