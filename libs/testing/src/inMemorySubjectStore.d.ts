import { type Event, type Observer, type Snapshot, type SubjectId } from '@imart/core';
import { type SubjectStore } from '@imart/pipeline';
import { type ChangeMoment } from './inMemory/changeSteps';
import { type StoreContents, type StoreKept } from './inMemory/reads';
/** A moment at which a store can be made to fail. `committed`: the transaction is done, and its caller does not learn it. */
export type StoreMoment =
  | 'progress'
  | 'resumePoint'
  | 'heartbeat'
  | 'parked'
  | 'loadStates'
  | 'snapshotVersions'
  | 'begin'
  | 'lockIngest'
  | 'lockLanes'
  | 'append'
  | 'finalize'
  | 'readRun'
  | 'writeRun'
  | 'setCheckpoints'
  | ChangeMoment
  | 'commit'
  | 'committed';
export interface InMemorySubjectStoreOptions {
  readonly subjectId: SubjectId;
  readonly lanes: number;
  readonly observer: Observer;
  /** Called at each moment; what it throws is thrown there. */
  readonly onMoment?: (moment: StoreMoment) => void;
  /** The number of the newest holder of the lease, where a spec has one. */
  readonly newestFencing?: () => bigint;
}
/**
 * A subject's store in memory, with the semantics of the real one: transactions are atomic, what they write is seen by
 * others after their commit; locks are waited for; events are read back from their stored text. Stricter in one
 * thing: it throws on what the real one is never asked for (a lock out of order, a write without its lock, an
 * activity written twice).
 *
 * A transaction does not see its own writes before it begins to change what was told: ingest and lanes read before they write.
 */
export interface InMemorySubjectStore extends SubjectStore {
  contents(): StoreContents;
  /** All snapshots, in the order they were made. */
  snapshots(): readonly Snapshot[];
  events(): readonly Event[];
  /** What else it keeps. */
  kept(): StoreKept;
  /** As an operator would: the aggregate's later events are folded again, from its next one on. */
  removeSnapshots(): void;
}
export declare function createInMemorySubjectStore(
  options: InMemorySubjectStoreOptions,
): InMemorySubjectStore;
