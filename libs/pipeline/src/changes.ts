import { aggregateHash, laneOf, type AggregateKey, type Observer, type SeqNo } from '@imart/core';
import { EpochMovedError, HaltedError } from './errors';
import type { Pulse } from './changePorts';
import type { Logger, SubjectProgress, SubjectStore, SubjectTransaction } from './ports';
import type { PipelineStats } from './stats';

/** What every change of what was told is made with. */
export interface ChangeOptions {
  readonly store: SubjectStore;
  readonly observer: Observer;
  readonly logger: Logger;
  /** Counts reorgs and late changes. @defaultValue nothing is counted */
  readonly stats?: PipelineStats;
}

/**
 * Nobody appends and no lane executes until the transaction ends. Ingest first, then lanes ascending: the order in which everybody
 * takes these locks.
 */
export async function lockSubject(tx: SubjectTransaction, { lanes }: SubjectStore): Promise<SubjectProgress> {
  await tx.lockIngest();
  return tx.lockLanes(Array.from({ length: lanes }, (_, lane) => lane));
}

/**
 * That what was read under this epoch may be written.
 * @throws {HaltedError} `stop` when the subject stands still.
 * @throws {EpochMovedError} `retry` when the log was changed since.
 */
export function mustReadUnder(subjectId: string, { epoch, halt }: Pulse, readUnder: bigint): void {
  if (halt !== null) throw new HaltedError(subjectId, halt);
  if (epoch !== readUnder) throw new EpochMovedError(subjectId, readUnder, epoch);
}

/** How far the lane of an aggregate is: later events are not executed, the lane will read them. */
export function executedOf({ lanes }: SubjectProgress, key: AggregateKey): SeqNo {
  return lanes[laneOf(aggregateHash(key.aggregateType, key.aggregateId), lanes.length)] as SeqNo;
}
