import type { Pool } from 'pg';
import { commandSeqNo, commandSubjectId } from '@imart/core';
import {
  COMMAND_OBSERVER,
  createCommandCodec,
  createCommandObserver,
  type AggregateDefinition,
  type AggregateReads,
  type ArchiveStore,
  type CommandProducer,
  type CommandStore,
  type PersonalData,
} from '@imart/event-service';
import type { SubjectStore } from '@imart/pipeline';
import { createSubjectStore } from '../subject/createSubjectStore';
import { openSubject } from '../subject/openSubject';
import { createAppendSide } from './append';
import { createArchive } from './archive';
import type { CommandContext } from './context';
import { createMarks } from './marks';
import { checkPersonalData, personKeyOf } from './personKeys';
import { createProducer } from './produce';
import { createReads, type CommandReads } from './reads';

/** @defaultValue for `markerTtlMs`: an hour */
export const MARKER_TTL_MS_DEFAULT = 3_600_000;
/** @defaultValue for `keptMs`: a week */
export const ANSWERS_KEPT_MS_DEFAULT = 604_800_000;
/** @defaultValue for `lanes`. Stored: another number is refused later. */
export const COMMAND_LANES_DEFAULT = 4;

export interface OpenCommandsOptions {
  /** Of this process, with more connections than lanes: each lane holds one, and reads states by another. */
  readonly pool: Pool;
  readonly definition: AggregateDefinition;
  /** @defaultValue {@link COMMAND_LANES_DEFAULT} */
  readonly lanes?: number;
  /** How long the marker of an aggregate is kept after its last command. @defaultValue {@link MARKER_TTL_MS_DEFAULT} */
  readonly markerTtlMs?: number;
  /** How long answers to idempotency keys, and rejections, are kept. @defaultValue {@link ANSWERS_KEPT_MS_DEFAULT} */
  readonly keptMs?: number;
  /** Seals what is about persons. @defaultValue none: a type with such data is refused */
  readonly personalData?: PersonalData | null;
}

/** One aggregate type's commands in Postgres. */
export interface OpenedCommands {
  /** The subject's number in the tables. */
  readonly subject: number;
  readonly store: CommandStore;
  readonly reads: AggregateReads;
  readonly archive: ArchiveStore;
  /** Writes messages where markers are kept beside the database. */
  readonly producer: CommandProducer;
}

/**
 * Registers the subject of an aggregate type, or finds it again.
 * @throws {LanesChangedError} when it was started with another number of lanes.
 * @throws {PersonalDataKeyError} when the type has personal data, and the master key is missing or another one.
 * @throws {RangeError} when the pool is so small that lanes would wait for each other for ever.
 */
export async function openCommands(options: OpenCommandsOptions): Promise<OpenedCommands> {
  return commandsOf(await openCommandContext(options), options.definition);
}

/** The parts of one aggregate type's commands. */
export function commandsOf(context: CommandContext, definition: AggregateDefinition): OpenedCommands {
  const reads = createReads(context);
  return {
    subject: context.log.subject,
    reads,
    archive: createArchive(context),
    producer: createProducer(context),
    store: {
      ...createMarks(context),
      ...createAppendSide(context),
      personalData: context.personalData,
      personKey: (person) => personKeyOf(context, person),
      subject: createCommandSubject(context, definition, reads),
    },
  };
}

/** What all parts of one aggregate type share, its subject being registered. Throws as {@link openCommands}. */
export async function openCommandContext(options: OpenCommandsOptions): Promise<CommandContext> {
  const { pool, definition, lanes = COMMAND_LANES_DEFAULT, personalData = null } = options;
  if (pool.options.max < lanes + 2) {
    throw new RangeError(
      `${lanes} lanes need a pool of at least ${lanes + 2} connections, not ${pool.options.max}`,
    );
  }
  await checkPersonalData(pool, definition, personalData);
  const subjectId = commandSubjectId(definition.type);
  const { subject } = await openSubject(pool, {
    // There is no first block: the id says all.
    identity: { subjectId, genesisHash: subjectId },
    observer: COMMAND_OBSERVER,
    lanes,
    startPosition: 1n,
    followed: '',
  });
  return {
    pool,
    isWithin: false,
    log: { subject, subjectId, codec: createCommandCodec(definition, personalData), seqNos: commandSeqNo },
    aggregateType: definition.type,
    reducerVersion: definition.reducer.version,
    lanes,
    markerTtlMs: options.markerTtlMs ?? MARKER_TTL_MS_DEFAULT,
    keptMs: options.keptMs ?? ANSWERS_KEPT_MS_DEFAULT,
    personalData,
  };
}

/** The engine's store; states have no rows, but are folded from snapshots and the events after them. */
function createCommandSubject(
  { pool, log, lanes }: CommandContext,
  definition: AggregateDefinition,
  reads: CommandReads,
): SubjectStore {
  const observer = createCommandObserver(definition);
  const { subject, codec, seqNos } = log;
  const withStates = (store: SubjectStore): SubjectStore => ({
    ...store,
    fenced: (number) => withStates(store.fenced(number)),
    loadStates: (keys) => reads.loadStates(observer, keys),
  });
  return withStates(createSubjectStore({ pool, subject, lanes, observer, codec, seqNos }));
}
