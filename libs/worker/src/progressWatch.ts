import type { CheckResult } from '@imart/runtime';
import type { PositionWords } from './words';

/** How far the subject is at one moment. */
export interface Places {
  /** The newest position of the source, as this process knows it; `null`: it does not read the source. */
  readonly headPosition: bigint | null;
  readonly ingestedPosition: bigint;
  readonly ingestedSeqNo: bigint;
  readonly executedSeqNo: bigint;
}

export interface ProgressWatchOptions {
  /** How long what is behind may stand still. */
  readonly stallMs: number;
  /** How long the head may stand still; 0: for ever. */
  readonly headStallMs: number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  readonly words: PositionWords;
}

/** Notices what does not move while there is something to do. */
export interface ProgressWatch {
  see(places: Places): void;
  /** A transaction that writes the log begins; the function given is called at its end. */
  writing(): () => void;
  /** The source is no longer read here: nothing is expected of it. */
  forgetSource(): void;
  /** Positions go into the log while the head is beyond it. */
  ingested(): CheckResult;
  /** The lanes move while the log is beyond them. */
  executed(): CheckResult;
  /** The source tells of new positions (P13). */
  head(): CheckResult;
}

/** Something that is to move: since when it has stood still although there was something to do. */
interface Runner {
  at: bigint;
  /** `null`: there is nothing to do. */
  standsSince: number | null;
}

export function createProgressWatch(options: ProgressWatchOptions): ProgressWatch {
  const { stallMs, headStallMs, now, words } = options;
  /** When the transactions that write the log began. */
  const open = new Set<{ readonly since: number }>();
  let ingested: Runner | null = null;
  let executed: Runner | null = null;
  let head: Runner | null = null;

  const moved = (before: Runner | null, at: bigint, isBehind: boolean): Runner => {
    if (!isBehind) return { at, standsSince: null };
    const goesOnStanding = before !== null && before.at === at && before.standsSince !== null;
    return { at, standsSince: goesOnStanding ? before.standsSince : now() };
  };
  const check = (runner: Runner | null, limitMs: number, what: string): CheckResult => {
    if (runner === null || runner.standsSince === null) return { ok: true };
    const stoodMs = now() - runner.standsSince;
    if (stoodMs <= limitMs) return { ok: true };
    return { ok: false, detail: `${what} ${runner.at} for ${Math.floor(stoodMs / 1000)} s` };
  };

  return {
    see({ headPosition, ingestedPosition, ingestedSeqNo, executedSeqNo }) {
      executed = moved(executed, executedSeqNo, executedSeqNo < ingestedSeqNo);
      if (headPosition === null) return;
      ingested = moved(ingested, ingestedPosition, ingestedPosition < headPosition);
      head = moved(head, headPosition, true);
    },
    writing() {
      const transaction = { since: now() };
      open.add(transaction);
      return () => void open.delete(transaction);
    },
    forgetSource() {
      ingested = null;
      head = null;
    },
    ingested() {
      for (const { since } of open) {
        const openMs = now() - since;
        if (openMs <= stallMs) continue;
        const seconds = Math.floor(openMs / 1000);
        return { ok: false, detail: `a transaction that writes the log has been open for ${seconds} s` };
      }
      return check(
        ingested,
        stallMs,
        `${words.many} are behind the head, and the log stands at ${words.one}`,
      );
    },
    executed: () => check(executed, stallMs, 'events wait in the log, and the slowest lane stands at seq no'),
    head: () =>
      headStallMs === 0
        ? { ok: true }
        : check(head, headStallMs, `the source tells of no ${words.one} beyond`),
  };
}
