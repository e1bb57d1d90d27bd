import type { Pool } from 'pg';
import type { TableDifference } from './compareTables';
import type { FoldMeans, FoldPart, OnFolded } from './foldPart';

export interface ReplayOptions extends FoldMeans {
  readonly pool: Pool;
  readonly viewsFile: string;
  /**
   * What to do when the rebuilt tables are not equal to the live ones: keep the live ones, or switch all the same (the reducers
   * have changed, and the new states are wanted).
   */
  readonly onDifference: 'refuse' | 'switch';
  readonly onProgress: (step: ReplayStep) => void;
  /** Ends it between two batches, and whatever statement runs; the live tables stay as they were. @defaultValue nothing ends it */
  readonly signal?: AbortSignal;
  /** How long to wait for the last writes of a replay that was killed, in ms. @defaultValue 10,000 */
  readonly patienceMs?: number;
  /** Folds parts of the log at the same time. @defaultValue all is folded by the caller's thread */
  readonly elsewhere?: FoldElsewhere;
}

/** Other threads, or processes, that fold with the same reducers. */
export interface FoldElsewhere {
  /** How many there are beside the caller's own. */
  readonly threads: number;
  /** A smaller log is not worth their start: it is folded by the caller's thread alone. */
  readonly fromLogBytes: number;
  /**
   * Does {@link foldPart} on connections of its own. When the signal aborts it ends, and only then rejects: nothing is written after that.
   * @throws what the part met, and what `onFolded` throws.
   */
  fold(part: FoldPart, onFolded: OnFolded, signal: AbortSignal): Promise<void>;
}

export type ReplayStep =
  | { readonly step: 'folding'; readonly events: number }
  | { readonly step: 'indexing' | 'comparing' | 'switching' | 'done' }
  /** Somebody reads the live tables for long: it is looked again in a while, and everybody goes on meanwhile. */
  | { readonly step: 'waiting'; readonly readers: readonly string[] };

export interface ReplayResult {
  readonly events: number;
  readonly activities: number;
  readonly rows: number;
  /** Aggregates that failed now and had not before. */
  readonly newlyParked: number;
  readonly differences: readonly TableDifference[];
  readonly switched: boolean;
}
