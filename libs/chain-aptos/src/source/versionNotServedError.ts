import { RpcError, type RpcPlace } from '@imart/endpoints';

/** The node does not have a version yet: it lags behind another one, or was asked too early. Wait, or ask elsewhere. */
export class VersionNotServedError extends RpcError {
  constructor(place: RpcPlace, detail: string) {
    super(detail, place, { code: 'VERSION_NOT_SERVED', disposition: 'retry' });
  }
}

const NOT_SERVED_ATTEMPTS = 3;

/** When to leave a question: a node that lags may be the only one that answers, then it is time to look at the head again. */
export const servedByNone =
  (endpoints: readonly unknown[]) =>
  (error: RpcError, attempt: number): boolean =>
    error instanceof VersionNotServedError && attempt >= Math.max(NOT_SERVED_ATTEMPTS, endpoints.length);
