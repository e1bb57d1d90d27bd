import { evmSubjectId } from '@imart/chain-evm';
import { ConfigError, messageOf, type SubjectId } from '@imart/core';
import { mayRetry, waitMs } from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import {
  LanesChangedError,
  registeredSubjects,
  type DatabasePool,
  type RegisteredSubject,
} from '@imart/storage';
import type { EvmWorkerConfig } from './config';
import { OBSERVER, storeOf, type OpenedStore } from './openSubjectStore';

/** How often the database is asked whether the chain is there now. */
const LOOK_MS = 500;

/**
 * The chain that a process without endpoints works on: that of `CHAIN_ID`, or the only one of the database. Waits until a process
 * that reads the chain has registered it.
 *
 * @returns `null` when the signal aborted.
 * @throws {ConfigError} when the database has several chains and no setting says which.
 * @throws {LanesChangedError} when the chain was started with another number of lanes.
 */
export async function awaitSubject(
  config: EvmWorkerConfig,
  pool: DatabasePool,
  logger: Logger,
  signal: AbortSignal,
): Promise<{ readonly subjectId: SubjectId; readonly opened: OpenedStore } | null> {
  const wanted = config.chainId === undefined ? null : evmSubjectId(Number(config.chainId));
  let said = false;
  for (let attempt = 1; !signal.aborted;) {
    try {
      const found = chosen(await registeredSubjects(pool, OBSERVER), wanted);
      attempt = 1;
      if (found !== null) {
        if (found.lanes !== config.lanes)
          throw new LanesChangedError(found.subjectId, found.lanes, config.lanes);
        const opened = storeOf({ ...found, pool, startBlock: found.startPosition });
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
): RegisteredSubject | null {
  if (wanted !== null) return registered.find(({ subjectId }) => subjectId === wanted) ?? null;
  const chains = registered.filter(({ subjectId }) => subjectId.startsWith('eip155:'));
  if (chains.length > 1) {
    const ids = chains.map(({ subjectId }) => subjectId.slice('eip155:'.length)).join(', ');
    throw new ConfigError([
      { setting: 'CHAIN_ID', problem: `is required: the database has several chains (${ids})` },
    ]);
  }
  return chains[0] ?? null;
}
