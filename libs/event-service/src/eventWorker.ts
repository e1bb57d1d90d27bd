import { messageOf, type Observer, type SeqNo } from '@imart/core';
import {
  CACHED_STATES_MAX_DEFAULT,
  createExecutor,
  createLane,
  createLaneGroup,
  createLaneWorker,
  createPipelineStats,
  mayRetry,
  noSnapshots,
  retryDelayMs,
  RUN_EVENTS_MAX_DEFAULT,
  STORAGE_RETRY,
  waitMs,
  type Lane,
  type LaneGroup,
  type Logger,
  type PipelineStats,
} from '@imart/pipeline';
import type { AggregateDefinition } from './aggregate';
import { createBell } from './bell';
import { createCommandCodec } from './codec';
import { createCommandObserver } from './observer';
import type { CommandStore } from './ports';
import { resolveWaiting } from './resolveWaiting';

export interface EventWorkerOptions {
  readonly definition: AggregateDefinition;
  readonly store: CommandStore;
  readonly logger: Logger;
  readonly random: () => number;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  /** More parked aggregates than this stop the worker. */
  readonly parkedAggregatesMax: number;
  /** Told after lanes have moved: readers of the feed need not wait for their next look. */
  readonly onExecuted?: () => void;
  /** @defaultValue its own */
  readonly stats?: EventWorkerStats;
  /** How often the outbox is looked at when nobody rings. @defaultValue {@link POLL_MS_DEFAULT} */
  readonly pollMs?: number;
  /** Most events in one append. @defaultValue {@link APPEND_EVENTS_MAX_DEFAULT} */
  readonly appendEventsMax?: number;
  /** How often what is over is removed. @defaultValue {@link SWEEP_MS_DEFAULT} */
  readonly sweepMs?: number;
}

/** @defaultValue for `pollMs`: how late a command of another process is noticed. */
export const POLL_MS_DEFAULT = 25;
/** @defaultValue for `appendEventsMax`: larger batches gain nothing, and hold the subject's lock longer. */
export const APPEND_EVENTS_MAX_DEFAULT = 1_000;
/** Lanes that are behind by more events than this work side by side, not together. */
const TOGETHER_EVENTS_MAX = 2 * APPEND_EVENTS_MAX_DEFAULT;
/** @defaultValue for `sweepMs` */
export const SWEEP_MS_DEFAULT = 60_000;

/** What a worker counts. */
export interface EventWorkerStats extends PipelineStats {
  /** Commands that were refused after all, and those that were validated anew and kept. */
  rejectedCommands: number;
  revalidatedCommands: number;
}

export function createEventWorkerStats(): EventWorkerStats {
  return { ...createPipelineStats(), rejectedCommands: 0, revalidatedCommands: 0 };
}

/** Moves commands of one type from the outbox into the log, and lets the lanes fold them. Any number may run on one type. */
export interface EventWorker {
  readonly stats: EventWorkerStats;
  /** A command was accepted: look at once. */
  wake(): void;
  /**
   * Works until the signal aborts; what runs is finished.
   * @throws what is of disposition `stop`, and what nobody has given a fate, after some attempts.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Appends and executes everything that waits now, once. For tools and specs. */
  drain(signal: AbortSignal): Promise<void>;
}

export function createEventWorker(options: EventWorkerOptions): EventWorker {
  const {
    definition,
    store,
    logger,
    random,
    now,
    parkedAggregatesMax,
    stats = createEventWorkerStats(),
    pollMs = POLL_MS_DEFAULT,
    appendEventsMax = APPEND_EVENTS_MAX_DEFAULT,
    sweepMs = SWEEP_MS_DEFAULT,
    onExecuted = () => undefined,
  } = options;
  const codec = createCommandCodec(definition, store.personalData);
  const bell = createBell();
  const appended = createBell();

  /** @returns whether there may be more. */
  const appendOnce = async (): Promise<boolean> => {
    const { events, conflicts, more } = await store.append(appendEventsMax);
    if (events > 0) {
      stats.appends++;
      stats.ingestedEvents += events;
      appended.ring();
    }
    for (const aggregateId of conflicts) await resolve(aggregateId);
    return more || conflicts.length > 0;
  };

  /** What was validated against an event that did not come into the log is validated against the one that did (E4). */
  const resolve = async (aggregateId: string): Promise<void> => {
    const { kept, rejected } = await store.resolveConflict(aggregateId, resolveWaiting(definition, codec));
    stats.revalidatedCommands += kept.length;
    stats.rejectedCommands += rejected.length;
    logger.warn('commands did not continue the log: they were validated anew', {
      subject: store.subject.subjectId,
      aggregateId,
      kept: kept.length,
      rejected: rejected.length,
    });
  };

  /** The one place where failures of this loop meet their fate. */
  const persistently = async <T>(
    what: string,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T | null> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!mayRetry(error, attempt)) throw error;
        if (signal.aborted) return null;
        stats.retries++;
        const delayMs = retryDelayMs(STORAGE_RETRY, attempt, random);
        logger.warn(`${what}, trying again`, {
          subject: store.subject.subjectId,
          attempt,
          delayMs,
          error: messageOf(error),
        });
        await waitMs(delayMs, signal);
        if (signal.aborted) return null;
      }
    }
  };

  const observer = createCommandObserver(definition);

  const groupOf = (): LaneGroup =>
    createLaneGroup({
      store: store.subject,
      executor: createExecutor({
        store: store.subject,
        observer,
        cachedStatesMax: CACHED_STATES_MAX_DEFAULT,
        parkedAggregatesMax,
      }),
      // Snapshots are made beside the lanes: none of them waits for one.
      snapshotRule: noSnapshots,
      behindMax: TOGETHER_EVENTS_MAX,
      stats,
      now,
    });

  /** For one pass: what they keep of states is given back after it. */
  const eachLane = async (signal: AbortSignal): Promise<void> => {
    const lanes = createLaneWorker({
      store: store.subject,
      lanes: createLanes(options, observer, stats),
      // No jobs: the log itself is looked at, and whoever appends in this process rings.
      receiver: { start: async () => undefined, stop: async () => undefined },
      stats,
      logger,
      random,
      onExecuted: () => onExecuted(),
      // Thrown as well.
      onStop: () => undefined,
    });
    const { lanes: places, ingested } = await store.subject.progress();
    await Promise.all(
      places.flatMap((seqNo: SeqNo, lane) => (seqNo < ingested ? [lanes.wake(lane, signal)] : [])),
    );
  };

  /** @returns whether there was something to execute. */
  const executeBehind = async (group: LaneGroup, signal: AbortSignal): Promise<boolean> => {
    const outcome = await group.advance();
    if (outcome === 'behind') await eachLane(signal);
    if (outcome === 'moved') onExecuted();
    return outcome !== 'at-the-end';
  };

  /**
   * Rests for as long as the work has taken. What comes meanwhile is worked on together: with many commands a second, moving each by
   * itself would take most of what the database can do.
   */
  const rest = (startedMs: number, signal: AbortSignal): Promise<void> =>
    waitMs(Math.min(now() - startedMs, pollMs), signal);

  const appendLoop = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const before = stats.appends;
      const started = now();
      const more = await persistently('commands could not be appended', signal, appendOnce);
      if (more === true) continue;
      if (stats.appends > before) await rest(started, signal);
      await bell.wait(pollMs, signal);
    }
  };

  const executeLoop = async (signal: AbortSignal): Promise<void> => {
    const group = groupOf();
    while (!signal.aborted) {
      const started = now();
      const moved = await persistently('lanes could not be compared with the log', signal, () =>
        executeBehind(group, signal),
      );
      if (moved === true) await rest(started, signal);
      await appended.wait(pollMs, signal);
    }
  };

  const sweepLoop = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await persistently('what is over could not be removed', signal, () => store.sweep());
      await waitMs(sweepMs, signal);
    }
  };

  return {
    stats,
    wake: () => bell.ring(),
    async run(signal) {
      const failed = new AbortController();
      const stop = AbortSignal.any([signal, failed.signal]);
      const loops = [appendLoop(stop), executeLoop(stop), sweepLoop(stop)].map((loop) =>
        loop.catch((error: unknown) => {
          failed.abort(error);
        }),
      );
      await Promise.all(loops);
      if (failed.signal.aborted) throw failed.signal.reason;
    },
    async drain(signal) {
      while ((await persistently('commands could not be appended', signal, appendOnce)) === true);
      const group = groupOf();
      await persistently('lanes could not be driven', signal, () => executeBehind(group, signal));
    },
  };
}

function createLanes(
  { store: { subject: store }, parkedAggregatesMax, now }: EventWorkerOptions,
  observer: Observer,
  stats: PipelineStats,
): ReadonlyMap<number, Lane> {
  return new Map(
    Array.from({ length: store.lanes }, (_, lane) => [
      lane,
      createLane({
        lane,
        store,
        // Each lane has states of its own: lanes run side by side.
        executor: createExecutor({
          store,
          observer,
          cachedStatesMax: Math.ceil(CACHED_STATES_MAX_DEFAULT / store.lanes),
          parkedAggregatesMax,
        }),
        // Snapshots are made beside the lanes: none of them waits for one.
        snapshotRule: noSnapshots,
        runEventsMax: RUN_EVENTS_MAX_DEFAULT,
        stats,
        now,
      }),
    ]),
  );
}
