import { createSeqNosOf } from '@imart/core';
import { marketEventCodec, marketReducers } from '@imart/market';
import type { Logger } from '@imart/runtime';
import { prismaDirectory, rebuildStates, type DatabasePool } from '@imart/storage';
import { join } from 'node:path';
import { OBSERVER } from './openSubjectStore';
import type { WorkerProgram } from './program';

/**
 * That the states are of this program's reducers, before anything is executed: where they are of older ones, they are rebuilt from the log
 * first, while reads are served.
 * @throws {ReducersChangedError} `stop` when they are of newer ones.
 */
export function ensureStates(
  pool: DatabasePool,
  program: Pick<WorkerProgram, 'namespace' | 'seqNos' | 'kindsBeside'>,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  return rebuildStates(
    {
      pool,
      viewsFile: join(prismaDirectory(), 'views.sql'),
      codec: marketEventCodec,
      // Of all chains of the database, also those of other programs.
      seqNosOf: createSeqNosOf([program, ...program.kindsBeside]),
      observer: { name: OBSERVER, reducers: marketReducers },
      logger,
      random: Math.random,
    },
    signal,
  );
}
