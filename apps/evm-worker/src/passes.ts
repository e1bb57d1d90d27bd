import { followedAdded, type Chain, type FollowedMarketplace } from '@imart/chain-evm';
import { evmSeqNo, messageOf, type BlockRef, type Observer } from '@imart/core';
import { marketEventCodec } from '@imart/market';
import {
  mayRetry,
  retryDelayMs,
  runPasses,
  STORAGE_RETRY,
  waitMs,
  type PassStore,
  type PipelineStats,
  type SubjectStore,
} from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import { createPassStore, type DatabasePool } from '@imart/storage';
import type { ReadingConfig } from './config';
import type { SecondReadings } from './secondReadings';

/** A chain that is this far behind its head is being caught up with: a second reading would only slow that down. */
const NEAR_HEAD_BLOCKS = 32n;

/** How often it is looked whether backfills are done. */
const LOOK_MS = 200;

export interface WorkerPassesOptions {
  readonly config: ReadingConfig;
  readonly pool: DatabasePool;
  /** The subject's number in the tables. */
  readonly subject: number;
  readonly store: Pick<SubjectStore, 'subjectId'>;
  readonly observer: Observer;
  readonly chain: Pick<Chain, 'createAuditReader'>;
  readonly following: readonly FollowedMarketplace[];
  /** The same as one text. */
  readonly followed: string;
  readonly stats: PipelineStats;
  readonly secondReadings: SecondReadings;
  readonly logger: Logger;
  /** The newest block that the chain was said to have, and the last one in the log; `null` before that is known. */
  readonly heights: () => { readonly head: BlockRef | null; readonly ingestedBlock: bigint | null };
}

/** Second readings by the process that holds the lease. */
export interface WorkerPasses {
  /**
   * Writes down what this process follows, before it reads anything under the lease: what is new in it is read from the first block on,
   * beside the live stream.
   * @throws {FencedError} another process has taken the lease.
   */
  register(fencing: bigint, signal: AbortSignal): Promise<void>;
  /**
   * Makes second readings until the signal aborts.
   * @param standsStill whether the chain does: then nothing is read.
   * @throws {FencedError} as above.
   */
  run(fenced: SubjectStore, standsStill: () => boolean, signal: AbortSignal): Promise<void>;
  /** The live stream has come to its end: resolves when no backfill is left, or the signal aborts. */
  finishBackfills(signal: AbortSignal): Promise<void>;
}

export function createWorkerPasses(options: WorkerPassesOptions): WorkerPasses {
  const { config, pool, subject, store, observer, followed, logger } = options;
  const { subjectId } = store;
  let ended = false;
  const passesUnder = (fencing: bigint | null): PassStore =>
    createPassStore({ pool, subject, subjectId, fencing, seqNos: evmSeqNo });

  const mayRead = (): boolean => {
    const { head, ingestedBlock } = options.heights();
    return (
      ended || (head !== null && ingestedBlock !== null && head.position - ingestedBlock <= NEAR_HEAD_BLOCKS)
    );
  };

  return {
    async register(fencing, signal) {
      for (let attempt = 1; !signal.aborted; attempt++) {
        try {
          const { before, added, backfill } = await passesUnder(fencing).registerFollowed(
            followed,
            followedAdded,
          );
          if (before !== followed && before !== '') {
            logger.info('what is followed has changed since the chain was read last', {
              before,
              now: followed,
              added,
            });
          }
          if (backfill !== null) {
            logger.info('the past of what is followed newly will be read beside the live stream', {
              added,
              fromBlock: backfill.fromPosition,
              toBlock: backfill.toPosition,
            });
          }
          return;
        } catch (error) {
          if (!mayRetry(error, attempt)) throw error;
          const delayMs = retryDelayMs(STORAGE_RETRY, attempt, Math.random);
          logger.warn('what is followed could not be written down, trying again', {
            delayMs,
            error: messageOf(error),
          });
          await waitMs(delayMs, signal);
        }
      }
    },

    async run(fenced, standsStill, signal) {
      const source = options.chain.createAuditReader(options.following);
      const end = options.secondReadings.reading(source);
      try {
        await runPasses(
          {
            changes: { store: fenced, observer, logger, stats: options.stats },
            passes: passesUnder(null),
            source,
            codec: marketEventCodec,
            seqNos: evmSeqNo,
            stats: options.secondReadings.stats,
            positionsPerSecond: config.secondPassBlocksPerSecond,
            depth: config.secondPassWholeBlocks ? 'whole' : 'thorough',
            mayRead: () => mayRead() && !standsStill(),
            random: Math.random,
            now: () => performance.now(),
          },
          signal,
        );
      } finally {
        end();
      }
    },

    async finishBackfills(signal) {
      ended = true;
      while (!signal.aborted) {
        const left = await passesUnder(null)
          .unfinished()
          .then((all) => all.filter(({ kind }) => kind === 'backfill').length)
          // The database may be away for a while.
          .catch(() => 1);
        if (left === 0) return;
        await waitMs(LOOK_MS, signal);
      }
    },
  };
}
