import type { RangeHint } from '../rpc/errors';

/** Bounds of one query, per provider. */
export interface AdaptiveRangeOptions {
  /** Blocks of the first query. @defaultValue 500 */
  readonly firstBlocks: number;
  /** @defaultValue 50,000 */
  readonly maxBlocks: number;
  /** How many logs a query should bring: enough for a run, little enough for memory. @defaultValue 5,000 */
  readonly targetLogs: number;
}

export const ADAPTIVE_RANGE_DEFAULTS: AdaptiveRangeOptions = {
  firstBlocks: 500,
  maxBlocks: 50_000,
  targetLogs: 5_000,
};

/** How many blocks one provider is asked for at once. Learns from its answers and refusals, and remembers. */
export interface AdaptiveRange {
  /** Blocks of the next query, at least 1. */
  readonly blocks: number;
  /** An answer about so many blocks held so many logs. */
  answered(blocks: number, logs: number): void;
  /** A query about so many blocks was refused. The next one is smaller, unless it was about one block. */
  refused(blocks: number, hint: RangeHint): void;
  /** A query about so many blocks was not answered in time. */
  tooSlow(blocks: number): void;
}

/** Answers after which a provider that refused is asked for a tenth more. */
const ANSWERS_BEFORE_GROWTH = 5;

export function createAdaptiveRange(options: AdaptiveRangeOptions): AdaptiveRange {
  const { firstBlocks, maxBlocks } = options;
  let blocks = Math.min(firstBlocks, maxBlocks);
  /** Never more than this: what the provider named as its bound. */
  let ceiling = maxBlocks;
  let targetLogs = options.targetLogs;
  /** Until the first refusal the size may double with each answer. */
  let refusedBefore = false;
  let answersSinceRefusal = 0;

  const shrinkBelow = (asked: number, to: number): void => {
    refusedBefore = true;
    answersSinceRefusal = 0;
    blocks = Math.max(1, Math.min(blocks, to, asked - 1));
  };

  return {
    get blocks() {
      return blocks;
    },
    answered(asked, logs) {
      const wanted = logs === 0 ? maxBlocks : Math.max(1, Math.floor((asked * targetLogs) / logs));
      answersSinceRefusal++;
      if (wanted < blocks) {
        // Only a full-sized query tells that the size is too large; a burst in a few blocks does not say more than halve.
        blocks = Math.max(wanted, Math.ceil(blocks / 2));
        return;
      }
      // A smaller query than allowed tells nothing of the allowed size.
      if (asked < blocks) return;
      const mayGrow = !refusedBefore || answersSinceRefusal >= ANSWERS_BEFORE_GROWTH;
      if (!mayGrow) return;
      if (refusedBefore) answersSinceRefusal = 0;
      const grown = refusedBefore ? blocks + Math.max(1, Math.floor(blocks / 10)) : blocks * 2;
      blocks = Math.max(1, Math.min(grown, wanted, ceiling, maxBlocks));
    },
    refused(asked, { suggested, blocksMax, logsMax }) {
      if (blocksMax !== null) ceiling = Math.max(1, Math.min(ceiling, blocksMax));
      // Keep clear of a bound on logs instead of running into it again and again.
      if (logsMax !== null) targetLogs = Math.max(1, Math.min(targetLogs, Math.floor(logsMax * 0.8)));
      const width = suggested === null ? null : Math.abs(suggested.to - suggested.from) + 1;
      if (width !== null && width < asked) shrinkBelow(asked, width);
      else if (blocksMax !== null && blocksMax < asked) shrinkBelow(asked, blocksMax);
      else shrinkBelow(asked, Math.floor(asked / 2));
    },
    tooSlow(asked) {
      shrinkBelow(asked, Math.floor(asked / 2));
    },
  };
}
