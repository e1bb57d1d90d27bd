import { RpcPrunedError, type RpcPlace } from '@imart/endpoints';

/** The node has thrown a version away, or the event of one. */
export class VersionPrunedError extends RpcPrunedError {
  /** The first version that the node still has: what is pruned lies below it; `null`: it does not say. */
  readonly oldestVersion: bigint | null;

  constructor(place: RpcPlace, detail: string, oldestVersion: bigint | null) {
    super(place, detail);
    this.oldestVersion = oldestVersion;
  }
}
