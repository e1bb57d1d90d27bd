import type { SubjectId } from '@imart/core';
import type { RetrySchedule } from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import type { FollowedMarketplace } from '../follow';
import type { AdaptiveRangeOptions } from '../ranges/adaptiveRange';
import type { RpcEndpointStats } from '../rpc/endpoint';
import type { ChainReaderCounters } from './readChain';
import type { ReorgLimits } from './reorg';

/** What an EVM subject is made of. Nothing is connected to before `identify` or `messages` is called. */
export interface EvmSubjectOptions {
  readonly chainId: number;
  /** Of JSON-RPC servers of that chain, in order of preference. At least one. */
  readonly rpcUrls: readonly string[];
  readonly marketplaces: readonly FollowedMarketplace[];
  /** Wrapped native coin; `null` when the chain has none that is known. */
  readonly wrappedNative: string | null;
  readonly logger: Logger;
  /**
   * For `newHeads`, which only makes new blocks known earlier. `null`: none.
   * @defaultValue derived from the first RPC URL, and left alone after five failed attempts
   */
  readonly wsUrl?: string | null;
  /** The last block to read: the subject ends there, waiting for it when it does not exist yet. @defaultValue none */
  readonly endBlock?: bigint | null;
  /** Believed when no endpoint serves block 0; where one does, it must agree. @defaultValue none */
  readonly genesisHash?: string | null;
  /** Between two looks at the head, when no hint comes. @defaultValue 1,000 */
  readonly pollIntervalMs?: number;
  /** Between two looks at the head while blocks below it are read. @defaultValue 5,000 */
  readonly catchUpPollIntervalMs?: number;
  /** Between two questions for the finalized block. @defaultValue 2,000 */
  readonly finalityPollIntervalMs?: number;
  /** @defaultValue true */
  readonly useFinalizedTag?: boolean;
  /** Blocks below the head that count as final, where the node does not say. @defaultValue 64 */
  readonly finalityDepthBlocks?: number;
  /** A range that ends farther below the head is part of catching up. @defaultValue 32 */
  readonly catchUpDistanceBlocks?: number;
  /** Of one range above finality, where every header is read. @defaultValue 50 */
  readonly unfinalizedRangeBlocksMax?: number;
  /** Ranges that are read at the same time, handed on in order. @defaultValue 4 */
  readonly rangesInFlightMax?: number;
  /** Events that may be handed on and not executed before reading pauses. @defaultValue 100,000 */
  readonly eventsAheadMax?: number;
  /**
   * Above finality, a block without logs whose bloom says that it may have some is asked for again. To be switched off on
   * chains whose blooms say so of most blocks. @defaultValue true
   */
  readonly checkBlooms?: boolean;
  /** How sure one has to be before blocks count as taken back. @defaultValue {@link REORG_LIMITS} */
  readonly reorg?: Partial<ReorgLimits>;
  /** How large a query is. */
  readonly ranges?: Partial<AdaptiveRangeOptions>;
  readonly addressesPerQueryMax?: number;
  readonly rpc?: {
    /** Of one request. @defaultValue 30,000 */
    readonly timeoutMs?: number;
    /** Requests on their way to one endpoint. @defaultValue 8 */
    readonly inFlightMax?: number;
    /** Calls of one batch. @defaultValue 100 */
    readonly batchCallsMax?: number;
    /** Of one answer, decompressed. @defaultValue 256 MiB */
    readonly answerBytesMax?: number;
    /** @defaultValue full jitter below 100 ms, 200 ms ... 10 s */
    readonly retry?: RetrySchedule;
    /** Answers to one question that contradict themselves before the worker stops. @defaultValue 20 */
    readonly refusedAnswersMax?: number;
    /** Between two complaints that no endpoint answers. @defaultValue 10,000 */
    readonly complainEveryMs?: number;
  };
  /** Called when the last usable endpoint fails, and when one answers again. The reason is safe to show. */
  readonly onAvailability?: (available: boolean, reason: string) => void;
  /** In [0, 1). */
  readonly random: () => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Resolves after so many milliseconds, or early when the signal aborts. @defaultValue a timer */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const EVM_SUBJECT_DEFAULTS = {
  pollIntervalMs: 1_000,
  catchUpPollIntervalMs: 5_000,
  finalityPollIntervalMs: 2_000,
  useFinalizedTag: true,
  finalityDepthBlocks: 64,
  catchUpDistanceBlocks: 32,
  unfinalizedRangeBlocksMax: 50,
  rangesInFlightMax: 4,
  eventsAheadMax: 100_000,
  checkBlooms: true,
} as const;

/** Counters since the start, for metrics. */
export interface EvmSubjectStats extends Readonly<ChainReaderCounters> {
  readonly endpoints: readonly RpcEndpointStats[];
  /** Logs that were received and not applied, by reason. */
  readonly skippedLogs: Readonly<Record<string, number>>;
  /** Blocks that were asked for again because of their bloom, for nothing. */
  readonly bloomAlarms: number;
  readonly eventsAhead: number;
}

/** The CAIP-2 id of a chain. */
export function evmSubjectId(chainId: number): SubjectId {
  return `eip155:${chainId}` as SubjectId;
}
