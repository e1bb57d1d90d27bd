import { ConfigError, messageOf, type SubjectId } from '@imart/core';
import { mayRetry, waitMs } from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import {
  LanesChangedError,
  registeredSubjects,
  type DatabasePool,
  type RegisteredSubject,
} from '@imart/storage';
import { OBSERVER, storeOf, type OpenedStore } from './openSubjectStore';
import type { WorkerProgram } from './program';

/** How often the database is asked whether the chain is there now. */
const LOOK_MS = 500;

export interface AwaitSubjectOptions {
  readonly program: Pick<WorkerProgram, 'seqNos' | 'namespace' | 'chainSetting'>;
  /** What the settings name; `null`: the only one of the database. */
  readonly wanted: SubjectId | null;
  readonly lanes: number;
  readonly pool: DatabasePool;
  readonly logger: Logger;
}

/**
 * The chain that a process without a source works on: that of the settings, or the only one of the database. Waits until a process
 * that reads the chain has registered it.
 *
 * @returns `null` when the signal aborted.
 * @throws {ConfigError} when the database has several chains and no setting says which.
 * @throws {LanesChangedError} when the chain was started with another number of lanes.
 */
export async function awaitSubject(
  { program, wanted, lanes, pool, logger }: AwaitSubjectOptions,
  signal: AbortSignal,
): Promise<{ readonly subjectId: SubjectId; readonly opened: OpenedStore } | null> {
  let said = false;
  for (let attempt = 1; !signal.aborted;) {
    try {
      const found = chosen(await registeredSubjects(pool, OBSERVER), wanted, program);
      attempt = 1;
      if (found !== null) {
        if (found.lanes !== lanes) throw new LanesChangedError(found.subjectId, found.lanes, lanes);
        const opened = storeOf({ ...found, pool, seqNos: program.seqNos });
        return { subjectId: found.subjectId, opened };
      }
      if (!said) {
        logger.info('waiting until a process that reads the chain has registered it', {
          subject: wanted ?? 'the only one',
        });
        said = true;
      }
    } catch (error) {
      if (!mayRetry(error, attempt++)) throw error;
      logger.warn('the chains of the database could not be read, trying again', { error: messageOf(error) });
    }
    await waitMs(LOOK_MS, signal);
  }
  return null;
}

/** @returns `null` while it is not there. */
export function chosen(
  registered: readonly RegisteredSubject[],
  wanted: SubjectId | null,
  { namespace, chainSetting }: Pick<WorkerProgram, 'namespace' | 'chainSetting'>,
): RegisteredSubject | null {
  if (wanted !== null) return registered.find(({ subjectId }) => subjectId === wanted) ?? null;
  const prefix = `${namespace}:`;
  const chains = registered.filter(({ subjectId }) => subjectId.startsWith(prefix));
  if (chains.length > 1) {
    const ids = chains.map(({ subjectId }) => subjectId.slice(prefix.length)).join(', ');
    throw new ConfigError([
      { setting: chainSetting, problem: `is required: the database has several chains (${ids})` },
    ]);
  }
  return chains[0] ?? null;
}
