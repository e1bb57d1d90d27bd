import { messageOf, type Observer, type SeqNoCodec } from '@imart/core';
import { marketEventCodec } from '@imart/market';
import {
  mayRetry,
  retryDelayMs,
  runPasses,
  STORAGE_RETRY,
  waitMs,
  type PassStats,
  type PassStore,
  type PipelineStats,
  type SubjectStore,
} from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import { createPassStore, type DatabasePool } from '@imart/storage';
import { behindHead, type Heights } from './heights';
import type { SecondReadings } from './program';
import type { PositionWords } from './words';

/** How often it is looked whether backfills are done. */
const LOOK_MS = 200;

export interface WorkerPassesOptions {
  readonly readings: SecondReadings;
  /** What is followed, as one text. */
  readonly followed: string;
  readonly words: PositionWords;
  readonly seqNos: SeqNoCodec;
  /** A log that is farther behind the head is being caught up with: a second reading would only slow that down. */
  readonly nearHeadPositions: bigint;
  readonly pool: DatabasePool;
  /** The subject's number in the tables. */
  readonly subject: number;
  readonly store: Pick<SubjectStore, 'subjectId'>;
  readonly observer: Observer;
  readonly stats: PipelineStats;
  /** What second readings come to, over all times that this process holds the lease. */
  readonly passStats: PassStats;
  readonly logger: Logger;
  readonly heights: () => Heights;
}

/** Second readings by the process that holds the lease. */
export interface WorkerPasses {
  /**
   * Writes down what this process follows, before it reads anything under the lease: what is new in it is read from the first position on,
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
  const { readings, words, seqNos, nearHeadPositions, pool, subject, store, observer, followed, logger } =
    options;
  const { subjectId } = store;
  let ended = false;
  const passesUnder = (fencing: bigint | null): PassStore =>
    createPassStore({ pool, subject, subjectId, fencing, seqNos });

  const mayRead = (): boolean => {
    const behind = behindHead(options.heights());
    return ended || (behind !== null && behind <= nearHeadPositions);
  };

  return {
    async register(fencing, signal) {
      for (let attempt = 1; !signal.aborted; attempt++) {
        try {
          const { before, added, backfill } = await passesUnder(fencing).registerFollowed(
            followed,
            readings.followedAdded,
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
              [words.field('from')]: backfill.fromPosition,
              [words.field('to')]: backfill.toPosition,
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
      const { source, close } = readings.openSource();
      try {
        await runPasses(
          {
            changes: { store: fenced, observer, logger, stats: options.stats },
            passes: passesUnder(null),
            source,
            codec: marketEventCodec,
            seqNos,
            stats: options.passStats,
            positionsPerSecond: readings.positionsPerSecond,
            depth: readings.depth,
            mayRead: () => mayRead() && !standsStill(),
            random: Math.random,
            now: () => performance.now(),
          },
          signal,
        );
      } finally {
        close();
        // Whoever holds the lease next tells whether it goes on.
        options.passStats.blocked = null;
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
