import type { Observer, SubjectId } from '@imart/core';
import { marketEventCodec, marketReducers } from '@imart/market';
import type { SubjectStore } from '@imart/pipeline';
import {
  createSubjectStore,
  registeredSubjects,
  type DatabasePool,
  type RegisteredSubject,
  type SubjectStoreOptions,
} from '@imart/storage';
import { seqNosOf } from './seqNosOf';
import { UsageError } from './usageError';

/** The observer whose states the commands work on. */
const OBSERVER = 'market';

/** A subject of the database, ready to be worked on. */
export interface OpenedSubject extends RegisteredSubject {
  readonly observer: Observer;
  readonly store: SubjectStore;
  /** What the store was made of. */
  readonly storeOptions: SubjectStoreOptions;
}

/** Every subject that the database has. */
export function subjectsOf(pool: DatabasePool): Promise<readonly RegisteredSubject[]> {
  return registeredSubjects(pool, OBSERVER);
}

/**
 * Opens the subject of this id, or the only one that there is.
 * @throws {UsageError} when there is none of this id, or when there are several and none was named.
 */
export async function openSubjectOf(pool: DatabasePool, wanted: string | undefined): Promise<OpenedSubject> {
  const registered = await registeredSubjects(pool, OBSERVER);
  const ids = registered.map(({ subjectId }) => subjectId).join(', ');
  if (registered.length === 0)
    throw new UsageError('the database has no chain yet: start a worker on it first');
  if (wanted === undefined && registered.length > 1)
    throw new UsageError(`the database has several chains, name one with --subject: ${ids}`);
  const found = registered.find(({ subjectId }) => wanted === undefined || subjectId === wanted);
  if (found === undefined) throw new UsageError(`there is no chain ${wanted} in the database; it has ${ids}`);
  const observer: Observer = {
    name: OBSERVER,
    subjectId: found.subjectId as SubjectId,
    reducers: marketReducers,
  };
  const storeOptions: SubjectStoreOptions = {
    pool,
    subject: found.subject,
    lanes: found.lanes,
    observer,
    codec: marketEventCodec,
    seqNos: seqNosOf(observer.subjectId),
  };
  return { ...found, observer, store: createSubjectStore(storeOptions), storeOptions };
}
