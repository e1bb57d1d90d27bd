import type { Activity, StateRow } from './activity';
import type { Event, SubjectId } from './event';
import type { SeqNo } from './seqNo';

/** What every reducer state carries: how far it is folded. */
export interface FoldState {
  /** The last event that changed it; {@link BEFORE_FIRST} for an untouched aggregate. */
  readonly seqNo: SeqNo;
  /** How many events changed it. */
  readonly version: number;
}

/** What folding one event gives. */
export interface Folded<State extends FoldState = FoldState> {
  /** The same object when the event changes nothing. */
  readonly state: State;
  /** Rows that the event changed or opened. */
  readonly rows: readonly StateRow[];
  readonly activities: readonly Activity[];
}

/**
 * Folds the events of one aggregate type. Pure: no I/O, no clock, no randomness, no other aggregate; the same events
 * give the same states, rows and activities, on every machine and in every batching.
 */
export interface Reducer<State extends FoldState = FoldState> {
  readonly aggregateType: string;
  /** Raised whenever the same events would give another state. Part of every snapshot. */
  readonly version: number;
  /** The tables its rows live in. */
  readonly tables: readonly string[];
  /** The state of an aggregate that no event has touched. */
  initial(aggregateId: string): State;
  /**
   * The state that these rows hold. `rows` has, for each of `tables`, the aggregate's newest row if there is one; that is
   * all a reducer may need.
   */
  restore(aggregateId: string, rows: readonly StateRow[]): State;
  /** The rows that the state holds: those that `restore` would make it from. Rows that have ended are not among them. */
  rowsOf(state: State): readonly StateRow[];
  /** Gives a new state; the old one is not changed. */
  fold(state: State, event: Event): Folded<State>;
}

/** An aggregate's reducer state at a SeqNo. Never needed for a right answer: deleting all of them changes no result. */
export interface Snapshot {
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** Version of the reducer that made it; another version's snapshot is not used. */
  readonly reducerVersion: number;
  readonly state: FoldState;
}

/** Consumes a Subject's events in order and writes states, activities and its executed SeqNo in one transaction. */
export interface Observer {
  /** Part of the key of its checkpoints: stable. */
  readonly name: string;
  readonly subjectId: SubjectId;
  readonly reducers: ReadonlyMap<string, Reducer>;
}
