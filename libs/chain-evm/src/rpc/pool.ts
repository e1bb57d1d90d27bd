import { createEndpointPool, type EndpointPool, type EndpointPoolOptions } from '@imart/endpoints';
import { parseQuantity } from '../fetch/quantity';
import type { RpcEndpoint } from './endpoint';
import { RpcInconsistentError, WrongChainError } from './errors';

export { CHAIN_CHECK_VALID_MS, RPC_POOL_DEFAULTS, RPC_RETRY, WRONG_CHAIN_RECHECK_MS } from '@imart/endpoints';

export interface RpcPoolOptions extends Omit<EndpointPoolOptions<RpcEndpoint>, 'verify'> {
  readonly chainId: number;
}

/** Several endpoints of one EVM chain as one that always answers, later if need be. */
export type RpcPool = EndpointPool<RpcEndpoint>;

export function createRpcPool(options: RpcPoolOptions): RpcPool {
  const { chainId } = options;
  const verify = async (endpoint: RpcEndpoint, signal: AbortSignal): Promise<void> => {
    const actual = parseQuantity(await endpoint.call('eth_chainId', [], signal));
    if (actual === null)
      throw new RpcInconsistentError({ endpoint: endpoint.label, method: 'eth_chainId' }, 'no number');
    if (actual !== chainId) throw new WrongChainError(endpoint.label, String(chainId), String(actual));
  };
  return createEndpointPool({ ...options, verify });
}
