import {
  createEvmSubject,
  detectChainId,
  wrappedNativeOf,
  type EvmSubject,
  type FollowedMarketplace,
} from '@imart/chain-evm';
import type { CheckResult, Logger } from '@imart/runtime';
import type { EvmWorkerConfig } from './config';

/** The chain of the settings. */
export interface Chain {
  readonly chainId: number;
  createSubject(followed: readonly FollowedMarketplace[]): EvmSubject;
  /** Whether the endpoints answer. */
  health(): CheckResult;
  close(): void;
}

/**
 * Finds out which chain the endpoints serve, unless `CHAIN_ID` says it; waits for an endpoint that answers.
 * @throws the signal's reason when it aborts.
 */
export async function openChain(
  config: EvmWorkerConfig,
  logger: Logger,
  signal: AbortSignal,
): Promise<Chain> {
  const chainId =
    config.chainId === undefined
      ? await detectChainId({
          rpcUrls: config.rpcUrls,
          logger,
          random: Math.random,
          now: () => Date.now(),
          signal,
        })
      : Number(config.chainId);
  let unavailable: string | null = null;
  let subject: EvmSubject | null = null;
  return {
    chainId,
    createSubject(followed) {
      subject = createEvmSubject({
        chainId,
        rpcUrls: config.rpcUrls,
        ...(config.rpcWsUrl === undefined ? {} : { wsUrl: config.rpcWsUrl }),
        marketplaces: followed,
        wrappedNative: wrappedNativeOf(chainId),
        logger,
        endBlock: config.endBlock ?? null,
        genesisHash: config.genesisHash?.toLowerCase() ?? null,
        pollIntervalMs: config.pollIntervalMs,
        finalityDepthBlocks: config.finalityDepthBlocks,
        ranges: { maxBlocks: config.rangeBlocksMax },
        onAvailability: (available, reason) => {
          unavailable = available ? null : reason;
        },
        random: Math.random,
        now: () => Date.now(),
      });
      return subject;
    },
    health: () => (unavailable === null ? { ok: true } : { ok: false, detail: unavailable }),
    close: () => subject?.close(),
  };
}
