import type { Findings, Pass } from './passes';

/** What second readings count; plain fields beside the loop, for metrics and the status page. */
export interface PassStats {
  /** Unfinished backfills as they were stored last. */
  backfills: readonly Pass[];
  /** The second pass as it was stored last; `null` before the first look, or when there is none. */
  second: Pass | null;
  /** By the second pass, in this process. */
  secondFindings: { -readonly [Kind in keyof Findings]: number };
  /** By backfills, in this process. */
  backfilledEvents: number;
  /** Positions read again, by this process. */
  positions: number;
  /** Of these, blocks read whole. */
  wholeBlocks: number;
  /** Readings that came to nothing. */
  failures: number;
  /** Why the pass that is on cannot go on; `null`: it goes on. */
  blocked: string | null;
}

export function createPassStats(): PassStats {
  return {
    backfills: [],
    second: null,
    secondFindings: { missing: 0, different: 0, extra: 0 },
    backfilledEvents: 0,
    positions: 0,
    wholeBlocks: 0,
    failures: 0,
    blocked: null,
  };
}
