import { evmSeqNo, type Observer, type Subject, type SubjectId } from '@imart/core';
import { marketEventCodec, marketReducers } from '@imart/market';
import type { IngestLeases, SubjectStore } from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import { createIngestLeases, createSubjectStore, openSubject, type DatabasePool } from '@imart/storage';
import type { ReadingConfig } from './config';
import { databaseThere } from './databaseThere';

/** The observer that keeps the market's state; part of the key of its checkpoints. */
export const OBSERVER = 'market';

/** A chain's part of the database. */
export interface OpenedStore {
  /** Its number in the tables. */
  readonly subject: number;
  readonly store: SubjectStore;
  readonly leases: IngestLeases;
  readonly observer: Observer;
  /** Where this chain's history begins in this database. */
  readonly startBlock: bigint;
}

export interface StoreOfOptions {
  readonly pool: DatabasePool;
  /** The subject's number. */
  readonly subject: number;
  readonly subjectId: SubjectId;
  readonly lanes: number;
  readonly startBlock: bigint;
}

/** The store of a subject that is registered. */
export function storeOf({ pool, subject, subjectId, lanes, startBlock }: StoreOfOptions): OpenedStore {
  const observer: Observer = { name: OBSERVER, subjectId, reducers: marketReducers };
  return {
    subject,
    store: createSubjectStore({ pool, subject, lanes, observer, codec: marketEventCodec, seqNos: evmSeqNo }),
    leases: createIngestLeases({ pool, subject }),
    observer,
    startBlock,
  };
}

export interface OpenSubjectStoreOptions {
  readonly config: ReadingConfig;
  readonly pool: DatabasePool;
  readonly subject: Subject;
  readonly followed: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Asks the chain who it is, and opens its part of the database. */
export async function openSubjectStore(options: OpenSubjectStoreOptions): Promise<OpenedStore> {
  const { config, pool, subject, followed, logger, signal } = options;
  const identity = await subject.identify(signal);
  const opened = await databaseThere(
    () =>
      openSubject(pool, {
        identity,
        observer: OBSERVER,
        lanes: config.lanes,
        startPosition: config.startBlock,
        followed,
      }),
    { logger, signal },
  );
  if (!opened.empty && opened.startPosition !== config.startBlock && config.startBlock !== 0n) {
    logger.warn('START_BLOCK does not count any more: the database goes on where it was', {
      startBlock: config.startBlock,
      startedAt: opened.startPosition,
    });
  }
  return storeOf({
    pool,
    subject: opened.subject,
    subjectId: subject.id,
    lanes: config.lanes,
    startBlock: opened.startPosition,
  });
}
