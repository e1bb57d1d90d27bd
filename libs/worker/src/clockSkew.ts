import type { BlockRef } from '@imart/core';
import type { Logger } from '@imart/runtime';
import type { PositionWords } from './words';

export interface ClockSkewOptions {
  readonly maxMs: number;
  /** Milliseconds since 1970, by the host's clock. */
  readonly now: () => number;
  readonly logger: Logger;
  readonly words: PositionWords;
}

/**
 * Compares the times of new blocks with the host's clock (D11). Nothing depends on the host's clock but what people read off its log;
 * a difference is told all the same, because one of three is wrong: the clock, the provider, or the chain.
 */
export interface ClockSkew {
  see(head: BlockRef): void;
  /** The host's clock minus the time of the last new block, in seconds; `null` before the first one. */
  readonly seconds: number | null;
  /** Whether it is beyond the bound. */
  readonly isTooLarge: boolean;
}

export function createClockSkew({ maxMs, now, logger, words }: ClockSkewOptions): ClockSkew {
  let last: bigint | null = null;
  let skewMs: number | null = null;
  let isTooLarge = false;

  return {
    see({ position, timeUs }) {
      const before = last;
      last = position;
      // How old the first head is says nothing: the chain may stand still, or be a recorded one. One from the future says enough.
      const ageMs = now() - Number(timeUs / 1000n);
      if ((before === null || position <= before) && ageMs >= 0) return;
      skewMs = ageMs;
      const tooLarge = Math.abs(ageMs) > maxMs;
      if (tooLarge !== isTooLarge) {
        const fields = {
          [words.one]: position,
          skewSeconds: Math.round(ageMs / 1000),
          boundSeconds: maxMs / 1000,
        };
        if (tooLarge) {
          logger.warn(
            `the time of a new ${words.one} lies far from this host's clock: one of clock, provider and chain is wrong`,
            fields,
          );
        } else logger.info(`the time of new ${words.many} and this host's clock agree again`, fields);
      }
      isTooLarge = tooLarge;
    },
    get seconds() {
      return skewMs === null ? null : skewMs / 1000;
    },
    get isTooLarge() {
      return isTooLarge;
    },
  };
}
