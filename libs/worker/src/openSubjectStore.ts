import type { Observer, SeqNoCodec, Subject, SubjectId } from '@imart/core';
import { marketEventCodec, marketReducers } from '@imart/market';
import type { IngestLeases, SubjectStore } from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import { createIngestLeases, createSubjectStore, openSubject, type DatabasePool } from '@imart/storage';
import { databaseThere } from './databaseThere';
import type { OpenedChain } from './program';
import type { WorkerConfig } from './settings';
import type { PositionWords } from './words';

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
  readonly startPosition: bigint;
}

export interface StoreOfOptions {
  readonly pool: DatabasePool;
  /** The subject's number. */
  readonly subject: number;
  readonly subjectId: SubjectId;
  readonly lanes: number;
  readonly startPosition: bigint;
  readonly seqNos: SeqNoCodec;
}

/** The store of a subject that is registered. */
export function storeOf(options: StoreOfOptions): OpenedStore {
  const { pool, subject, subjectId, lanes, startPosition, seqNos } = options;
  const observer: Observer = { name: OBSERVER, subjectId, reducers: marketReducers };
  return {
    subject,
    store: createSubjectStore({ pool, subject, lanes, observer, codec: marketEventCodec, seqNos }),
    leases: createIngestLeases({ pool, subject }),
    observer,
    startPosition,
  };
}

export interface OpenSubjectStoreOptions {
  readonly config: Pick<WorkerConfig, 'lanes' | 'startPosition'>;
  readonly words: PositionWords;
  readonly seqNos: SeqNoCodec;
  readonly pool: DatabasePool;
  readonly subject: Subject;
  readonly followed: string;
  readonly refused: OpenedChain['refused'] | undefined;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Asks the chain who it is, and opens its part of the database. */
export async function openSubjectStore(options: OpenSubjectStoreOptions): Promise<OpenedStore> {
  const { config, words, pool, subject, followed, refused, logger, signal } = options;
  const identity = await subject.identify(signal);
  const opened = await databaseThere(
    () =>
      openSubject(pool, {
        identity,
        observer: OBSERVER,
        lanes: config.lanes,
        startPosition: config.startPosition,
        followed,
        ...(refused === undefined ? {} : { refused }),
      }),
    { logger, signal },
  );
  if (!opened.empty && opened.startPosition !== config.startPosition && config.startPosition !== 0n) {
    logger.warn(`${words.startSetting} does not count any more: the database goes on where it was`, {
      [words.field('start')]: config.startPosition,
      startedAt: opened.startPosition,
    });
  }
  return storeOf({
    pool,
    subject: opened.subject,
    subjectId: subject.id,
    lanes: config.lanes,
    startPosition: opened.startPosition,
    seqNos: options.seqNos,
  });
}
