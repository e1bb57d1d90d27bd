import type { CheckResult, ConfigOf, Logger } from '@imart/runtime';
import { createEvmSubject, type EvmSubject } from '../createEvmSubject';
import { detectChainId } from '../detectChainId';
import type { FollowedMarketplace } from '../follow';
import { createAuditReader, type AuditReader } from '../subject/auditReader';
import { wrappedNativeOf } from '../wrappedNative';
import type { evmChainSettings } from './chainSettings';

/** What is needed of a program's settings to reach its chain. */
export interface ChainConfig extends Pick<
  ConfigOf<typeof evmChainSettings>,
  'rpcUrls' | 'chainId' | 'genesisHash' | 'rangeBlocksMax' | 'checkBlooms'
> {
  /** As `wsUrl` of the subject. */
  readonly rpcWsUrl?: string | undefined;
  readonly endBlock?: bigint | undefined;
  readonly pollIntervalMs?: number;
  readonly finalityDepthBlocks?: number;
}

/** The chain of the settings. */
export interface Chain {
  readonly chainId: number;
  createSubject(followed: readonly FollowedMarketplace[]): EvmSubject;
  /**
   * Reads what was read before, with connections of its own, at another endpoint than the subject asks first, where there is one.
   * To be closed by whoever has it made.
   */
  createAuditReader(followed: readonly FollowedMarketplace[]): AuditReader;
  /** Whether the endpoints answer. */
  health(): CheckResult;
  close(): void;
}

/**
 * Finds out which chain the endpoints serve, unless `CHAIN_ID` says it; waits for an endpoint that answers.
 * @throws the signal's reason when it aborts.
 */
export async function openChain(config: ChainConfig, logger: Logger, signal: AbortSignal): Promise<Chain> {
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
        ...(config.pollIntervalMs === undefined ? {} : { pollIntervalMs: config.pollIntervalMs }),
        ...(config.finalityDepthBlocks === undefined
          ? {}
          : { finalityDepthBlocks: config.finalityDepthBlocks }),
        ranges: { maxBlocks: config.rangeBlocksMax },
        checkBlooms: config.checkBlooms,
        onAvailability: (available, reason) => {
          unavailable = available ? null : reason;
        },
        random: Math.random,
        now: () => Date.now(),
      });
      return subject;
    },
    createAuditReader: (followed) =>
      createAuditReader({
        chainId,
        rpcUrls: config.rpcUrls,
        marketplaces: followed,
        wrappedNative: wrappedNativeOf(chainId),
        logger,
        genesisHash: config.genesisHash ?? null,
        ranges: { maxBlocks: config.rangeBlocksMax },
        checkBlooms: config.checkBlooms,
        lastFirst: true,
        random: Math.random,
        now: () => Date.now(),
      }),
    health: () => (unavailable === null ? { ok: true } : { ok: false, detail: unavailable }),
    close: () => subject?.close(),
  };
}
