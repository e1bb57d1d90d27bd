import type { AppendMessage, Event } from '@imart/core';
import { type AppendResult, type SnapshotRule, type SubjectStore } from '@imart/pipeline';
import { type StoreContents } from './inMemorySubjectStore';
/** Appends one range, as ingest does. */
export declare function append(store: SubjectStore, message: AppendMessage): Promise<AppendResult>;
/** Executes all lanes up to the end of the log. */
export declare function executeLanes(store: SubjectStore, snapshotRule?: SnapshotRule, runEventsMax?: number): Promise<void>;
/** What one clean pass over all events leaves behind. */
export declare function contentsOfStraightFold(events: readonly Event[]): Promise<StoreContents>;
/** The events of a script as one range from position 0 to the one after the last event. */
export declare function wholeRange(events: readonly Event[]): AppendMessage;
