import type { AppendMessage, Event } from '@imart/core';
import {
  type AggregateRange,
  type AppendResult,
  type OperatorDecision,
  type SnapshotRule,
  type SubjectStore,
  type TouchedAggregate,
} from '@imart/pipeline';
import type { StoreContents } from './inMemory/reads';
/** Who decides in specs that are not about it. */
export declare const AN_OPERATOR: OperatorDecision;
/** Appends one range, as ingest does. */
export declare function append(store: SubjectStore, message: AppendMessage): Promise<AppendResult>;
/** Executes all lanes up to the end of the log. */
export declare function executeLanes(
  store: SubjectStore,
  snapshotRule?: SnapshotRule,
  runEventsMax?: number,
): Promise<void>;
/** What one clean pass over all events leaves behind. */
export declare function contentsOfStraightFold(events: readonly Event[]): Promise<StoreContents>;
/** The events of a script as one range from position 0 to the one after the last event. */
export declare function wholeRange(events: readonly Event[]): AppendMessage;
/** Takes ranges as a worker that catches up does. */
export declare function catchUpWith(
  store: SubjectStore,
  messages: readonly AppendMessage[],
  cachedStatesMax?: number,
): Promise<void>;
/** Refolds an aggregate from a place on, up to where the lanes are. */
export declare const refoldOne: (store: SubjectStore, touched: TouchedAggregate) => Promise<unknown>;
/** The events of one aggregate, as a refold reads them. */
export declare function readAggregate(store: SubjectStore, range: AggregateRange): Promise<readonly Event[]>;
