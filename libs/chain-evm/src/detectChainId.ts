import { messageOf } from '@imart/core';
import { retryDelayMs, waitMs } from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import { parseQuantity } from './fetch/quantity';
import { createRpcEndpoint, RPC_ENDPOINT_DEFAULTS } from './rpc/endpoint';
import { RPC_RETRY } from './rpc/pool';

export interface DetectChainIdOptions {
  readonly rpcUrls: readonly string[];
  readonly logger: Logger;
  readonly random: () => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * The chain that the first endpoint serves that answers. Asks them in turn until one does.
 * @throws the signal's reason when it aborts.
 */
export async function detectChainId({
  rpcUrls,
  logger,
  random,
  now,
  signal,
}: DetectChainIdOptions): Promise<number> {
  const endpoints = rpcUrls.map((url, i) =>
    createRpcEndpoint({ ...RPC_ENDPOINT_DEFAULTS, url, place: i + 1, now }),
  );
  try {
    for (let attempt = 1; ; attempt++) {
      for (const endpoint of endpoints) {
        signal.throwIfAborted();
        try {
          const chainId = parseQuantity(await endpoint.call('eth_chainId', [], signal));
          if (chainId !== null) return chainId;
          logger.warn('an RPC endpoint does not tell its chain id', { endpoint: endpoint.label });
        } catch (error) {
          signal.throwIfAborted();
          logger.warn('an RPC endpoint does not answer, trying again', {
            endpoint: endpoint.label,
            attempt,
            error: messageOf(error),
          });
        }
      }
      await waitMs(retryDelayMs(RPC_RETRY, attempt, random), signal);
    }
  } finally {
    for (const endpoint of endpoints) endpoint.close();
  }
}
