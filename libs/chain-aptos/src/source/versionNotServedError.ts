import { RpcError, type RpcPlace } from '@imart/endpoints';

/** The node does not have a version yet: it lags behind another one, or was asked too early. Wait, or ask elsewhere. */
export class VersionNotServedError extends RpcError {
  constructor(place: RpcPlace, detail: string) {
    super(detail, place, { code: 'VERSION_NOT_SERVED', disposition: 'retry' });
  }
}
