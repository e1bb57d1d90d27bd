import { type AggregateKey, type Event, type FoldState } from '@imart/core';
import { type FoldedRun } from '@imart/pipeline';
export declare const MARKET_OBSERVER: {
  name: string;
  subjectId: import('@imart/core').SubjectId;
  reducers: ReadonlyMap<string, import('@imart/core').Reducer<FoldState>>;
};
/** One clean pass over all events: the oracle. */
export declare function straightFold(events: readonly Event[]): FoldedRun;
/** The state of every aggregate after these events, by its reducer alone. */
export declare function foldedStates(events: readonly Event[]): Map<string, FoldState>;
/** The aggregates of events, each once. */
export declare const keysOf: (events: readonly Event[]) => AggregateKey[];
/** A run of no events. */
export declare const EMPTY_RUN: FoldedRun;
