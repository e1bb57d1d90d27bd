import type { AggregateKey, SeqNo } from '@imart/core';
import type { PositionRange } from './source';

/** A row that is not what the log makes it. */
export interface StateDifference {
  /** A state table, `activities`, `snapshots` or `park_markers`. */
  readonly table: string;
  /** The row within its table, as text. */
  readonly key: string;
  /** What the row is about; `null`: an activity of an event that is not in the log. */
  readonly aggregate: AggregateKey | null;
  /** `missing`: the table lacks it. `extra`: the log does not make it. */
  readonly kind: 'missing' | 'different' | 'extra';
  /** The columns that differ, as texts; of a missing or extra row, all. `null` is NULL, or no row. */
  readonly columns: readonly {
    readonly column: string;
    readonly stored: string | null;
    readonly expected: string | null;
  }[];
}

/** Compares states with what the log makes of them. */
export interface StateAudit {
  /** Aggregates that events of the range are about, and those whose rows say that an event of the range changed them last. */
  aggregatesIn(range: PositionRange): Promise<readonly AggregateKey[]>;
  /** Activities of the range whose event is not in the log. */
  strayActivities(range: PositionRange): Promise<readonly { readonly seqNo: SeqNo; readonly item: number }[]>;
  /**
   * Folds aggregates from their first event to their lane's checkpoint, or to the event that they are parked at, in memory, and
   * compares the rows of all state tables, activities, snapshots and markers with those stored, as of one moment.
   * @throws {WorkerError} `stop` when the states are of another version of the reducers than this program's.
   */
  compare(keys: readonly AggregateKey[]): Promise<readonly StateDifference[]>;
}
