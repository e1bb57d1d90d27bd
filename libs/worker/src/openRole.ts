import type { SubjectId } from '@imart/core';
import type { Logger, Shutdown } from '@imart/runtime';
import type { DatabasePool } from '@imart/storage';
import { awaitSubject } from './awaitSubject';
import type { HealthPages } from './healthPages';
import { openSubjectStore, type OpenedStore } from './openSubjectStore';
import type { OpenedChain, WorkerProgram } from './program';
import type { WorkerConfig } from './settings';

export interface OpenRoleOptions<C extends WorkerConfig, R extends C> {
  readonly program: WorkerProgram<C, R>;
  readonly config: C;
  readonly pool: DatabasePool;
  readonly health: Pick<HealthPages, 'check'>;
  readonly logger: Logger;
  readonly shutdown: Pick<Shutdown, 'signal' | 'onClose'>;
}

/** A chain and its part of the database, as the role needs them. */
export interface OpenedRole {
  /** `null` in a process that only executes. */
  readonly chain: OpenedChain | null;
  readonly subjectId: SubjectId;
  readonly opened: OpenedStore;
}

/**
 * Opens the chain where the role reads it; else waits until a process that reads it has registered it.
 * @returns `null` when the shutdown began before it was done.
 */
export async function openRole<C extends WorkerConfig, R extends C>(
  options: OpenRoleOptions<C, R>,
): Promise<OpenedRole | null> {
  const { program, config, pool, health, logger, shutdown } = options;
  if (program.readsChain(config)) return openReader(options, config);
  const { lanes } = config;
  const found = await awaitSubject(
    { program, wanted: program.subjectOf(config), lanes, pool, logger },
    shutdown.signal,
  );
  if (found === null) return null;
  health.check('chain', () => ({ ok: true }));
  return { ...found, chain: null };
}

async function openReader<C extends WorkerConfig, R extends C>(
  { program, pool, health, logger, shutdown }: OpenRoleOptions<C, R>,
  config: R,
): Promise<OpenedRole> {
  const { signal } = shutdown;
  const chain = await program.openChain(config, {
    logger,
    signal,
    onClose: (name, close) => shutdown.onClose(name, close),
  });
  const opened = await openSubjectStore({
    config,
    words: program.words.position,
    seqNos: program.seqNos,
    pool,
    subject: chain.subject,
    followed: chain.followed,
    refused: chain.refused,
    logger,
    signal,
  });
  health.check('chain', () => chain.health());
  return { chain, subjectId: chain.subject.id, opened };
}
