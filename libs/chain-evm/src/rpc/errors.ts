import { RpcError, type RpcPlace } from '@imart/endpoints';

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
} from '@imart/endpoints';

/** What a provider said about the range it would have answered. */
export interface RangeHint {
  /** First and last block that would work, as the provider wrote it: possibly inverted, or what was asked (P9). */
  readonly suggested: { readonly from: number; readonly to: number } | null;
  /** Most blocks of one query. */
  readonly blocksMax: number | null;
  /** Most logs of one answer. */
  readonly logsMax: number | null;
}

/** Too many blocks or logs for one query. Ask for fewer; asking the same again gives the same. */
export class RpcRangeLimitError extends RpcError {
  readonly hint: RangeHint;

  constructor(place: RpcPlace, detail: string, hint: RangeHint) {
    super(detail, place, { code: 'RPC_RANGE_LIMIT', disposition: 'retry', fields: { ...hint } });
    this.hint = hint;
  }
}

/** The endpoint takes no JSON-RPC batch, or none of this size. */
export class RpcBatchLimitError extends RpcError {
  constructor(place: RpcPlace, detail: string) {
    super(detail, place, { code: 'RPC_BATCH_LIMIT', disposition: 'retry' });
  }
}

/** The node does not have a block that others have: it lags, or the block was announced too early. Wait, or ask elsewhere. */
export class BlockNotServedError extends RpcError {
  readonly blockNumber: number | null;

  constructor(place: RpcPlace, detail: string, blockNumber: number | null = null) {
    super(detail, place, { code: 'BLOCK_NOT_SERVED', disposition: 'retry', fields: { blockNumber } });
    this.blockNumber = blockNumber;
  }
}
