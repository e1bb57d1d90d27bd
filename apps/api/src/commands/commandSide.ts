import { messageOf } from '@imart/core';
import {
  anyAggregate,
  createAggregateQueries,
  createArchiver,
  createEventService,
  createEventWorker,
  createSnapshotter,
  createSubscription,
  markersBeside,
  SNAPSHOT_SUBSCRIPTION,
  type AggregateDefinition,
  type AggregateQueries,
  type CommandStore,
  type EventService,
  type EventWorkerStats,
  type Markers,
  type PersonalData,
} from '@imart/event-service';
import type { Logger } from '@imart/runtime';
import {
  openCommands,
  openSubscription,
  readCommandReadings,
  readLastFeedNo,
  type CommandReadings,
  type DatabasePool,
} from '@imart/storage';

/** One type of aggregates that this process takes commands for. */
export interface CommandType {
  readonly definition: AggregateDefinition;
  /** The subject's number in the tables. */
  readonly subject: number;
  readonly store: CommandStore;
  readonly queries: AggregateQueries;
  readonly stats: EventWorkerStats;
  /** Number of the last change that its feed tells of. */
  lastFeedNo(): Promise<bigint>;
  /** For metrics. */
  readings(): Promise<CommandReadings>;
  /** Calls whenever lanes of this process have moved, until the returned function is called. Other processes' moves are not told. */
  onExecuted(listener: () => void): () => void;
  /** Why its events are no longer worked on in this process; `null`: they are. */
  failure(): unknown;
}

/** What this process does with commands: takes them, appends and folds them, makes snapshots. Any number of processes may. */
export interface CommandSide {
  readonly types: ReadonlyMap<string, CommandType>;
  readonly service: EventService;
  /** Works until the signal aborts. A type whose work must stop is told and left; the others go on. */
  run(signal: AbortSignal): Promise<void>;
}

export interface CommandSideOptions {
  readonly pool: DatabasePool;
  readonly definitions: readonly AggregateDefinition[];
  readonly lanes: number;
  readonly parkedAggregatesMax: number;
  /** Unique to this process. */
  readonly holder: string;
  readonly logger: Logger;
  readonly random: () => number;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  readonly newId: () => string;
  /** @defaultValue none: types with personal data are refused */
  readonly personalData?: PersonalData | null;
  /** Keeps the markers of a type. @defaultValue the database does */
  readonly markersOf?: (type: string) => Markers;
}

/** Connections that a process needs for so many types: each lane holds one and reads states by another. */
export const connectionsFor = (types: number, lanes: number): number => types * (lanes + 2) + 10;

/** @throws {LanesChangedError} @throws {PersonalDataKeyError} @throws {StorageUnavailableError} `retry` */
export async function openCommandSide(options: CommandSideOptions): Promise<CommandSide> {
  const opened: (readonly [string, OpenedType])[] = [];
  for (const definition of options.definitions) {
    opened.push([definition.type, await openType(options, anyAggregate(definition))]);
  }
  const types = new Map(opened);
  return {
    types,
    service: createEventService({
      stores: types,
      newId: options.newId,
      random: options.random,
      onAccepted: (type) => types.get(type)?.wake(),
    }),
    async run(signal) {
      await Promise.all([...types.values()].map((type) => type.run(signal)));
    },
  };
}

interface OpenedType extends CommandType {
  wake(): void;
  run(signal: AbortSignal): Promise<void>;
}

async function openType(options: CommandSideOptions, definition: AggregateDefinition): Promise<OpenedType> {
  const { pool, logger, random, now, holder, lanes, parkedAggregatesMax, personalData = null } = options;
  const opened = await openCommands({ pool, definition, lanes, personalData });
  const { subject, reads, archive, producer } = opened;
  const markers = options.markersOf?.(definition.type);
  const store =
    markers === undefined
      ? opened.store
      : markersBeside({ store: opened.store, producer, markers, logger, now });
  const listeners = new Set<() => void>();
  const worker = createEventWorker({
    definition,
    store,
    logger,
    random,
    now,
    parkedAggregatesMax,
    onExecuted: () => listeners.forEach((listener) => listener()),
  });
  const snapshots = createSubscription({
    topic: { name: store.subject.subjectId, feed: store.subject },
    name: SNAPSHOT_SUBSCRIPTION,
    store: await openSubscription({ pool, subject, name: SNAPSHOT_SUBSCRIPTION, from: 'beginning' }),
    deliver: createSnapshotter(definition, reads),
    logger,
    random,
    holder,
    pollMs: SNAPSHOT_POLL_MS,
  });
  const archiver = createArchiver({ definition, store: archive, reads, logger, random });
  let failure: unknown = null;
  const failed = (what: string) => (error: unknown) => {
    failure ??= error;
    logger.error(`${what} of an aggregate type stop; others go on`, { type: definition.type, error });
  };
  return {
    definition,
    subject,
    store,
    stats: worker.stats,
    lastFeedNo: () => readLastFeedNo(pool, subject),
    readings: () => readCommandReadings(pool, subject, definition.reducer.version),
    queries: createAggregateQueries(definition, {
      reads,
      onSnapshotFailed: (error) =>
        logger.warn('a snapshot could not be kept', { type: definition.type, error: messageOf(error) }),
    }),
    onExecuted(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    failure: () => failure,
    wake: () => worker.wake(),
    async run(signal) {
      listeners.add(() => snapshots.wake());
      await Promise.all([
        worker.run(signal).catch(failed('appending and folding')),
        snapshots.run(signal).catch(failed('snapshots')),
        archiver.run(signal).catch(failed('archiving')),
      ]);
    },
  };
}

/** Nobody waits for a snapshot. */
const SNAPSHOT_POLL_MS = 500;
