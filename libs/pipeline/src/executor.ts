import { aggregateKeyText, type AggregateKey, type Event, type Observer, type SeqNo } from '@imart/core';
import { TooManyParkedError } from './errors';
import { createRunFolder } from './foldRun';
import { inSlices } from './slices';
import type { FoldedRun, SubjectStore } from './ports';
import { noSnapshots, type SnapshotRule } from './snapshotRule';
import { createStateCache, type StateCache } from './stateCache';

export interface RunPosition {
  /** The previous run's end: exclusive start of this one. */
  readonly afterSeqNo: SeqNo;
  /** Where the next run starts when this one has been folded. */
  readonly upToSeqNo: SeqNo;
  readonly epoch: bigint;
  /** Everything up to here is in the database; runs folded since then are still on their way. */
  readonly committedSeqNo: SeqNo;
}

export interface ExecutorOptions {
  readonly store: SubjectStore;
  readonly observer: Observer;
  /** @defaultValue {@link CACHED_STATES_MAX_DEFAULT} */
  readonly cachedStatesMax: number;
  /** More parked aggregates than this stop the worker. */
  readonly parkedAggregatesMax: number;
}

/**
 * Folds runs one after the other, ahead of their commits. Its cache is valid for one position and one epoch: whoever uses
 * it says where a run starts, and anything unexpected drops the cache and costs a read.
 */
export interface Executor {
  /**
   * Folds the events that follow `afterSeqNo`.
   * @param position where the run starts and ends, under which epoch, and what of it all is committed by now.
   */
  fold(events: readonly Event[], position: RunPosition, snapshotRule: SnapshotRule): Promise<FoldedRun>;
  /** After a commit that failed, or that somebody else made: what was folded ahead is forgotten. */
  drop(): void;
}

export function createExecutor(options: ExecutorOptions): Executor {
  const { store, observer, cachedStatesMax, parkedAggregatesMax } = options;
  let valid: {
    seqNo: SeqNo;
    epoch: bigint;
    cache: StateCache;
    parked: Set<string>;
    /** Aggregates that are known to have a snapshot that is recent enough, or that never needed one. */
    snapshotted: Set<string>;
  } | null = null;

  const open = async (afterSeqNo: SeqNo, epoch: bigint): Promise<NonNullable<typeof valid>> => {
    if (valid !== null && valid.seqNo === afterSeqNo && valid.epoch === epoch) return valid;
    const markers = await store.parked();
    const parked = new Set(markers.map((m) => aggregateKeyText(m.aggregateType, m.aggregateId)));
    return {
      seqNo: afterSeqNo,
      epoch,
      cache: createStateCache(cachedStatesMax, afterSeqNo < 0n),
      parked,
      snapshotted: new Set(),
    };
  };

  /**
   * Aggregates with a long history that a rollback would have to fold from its beginning, because no snapshot was made while they were
   * caught up: their state before this run is kept as one.
   */
  const withoutSnapshot = async (
    events: readonly Event[],
    { cache, snapshotted }: NonNullable<typeof valid>,
    snapshotRule: SnapshotRule,
  ): Promise<Set<string>> => {
    if (snapshotRule === noSnapshots) return new Set();
    const long = new Map<string, { readonly key: AggregateKey; readonly version: number }>();
    for (const event of events) {
      const keyText = aggregateKeyText(event.aggregateType, event.aggregateId);
      if (snapshotted.has(keyText) || long.has(keyText)) continue;
      const version = cache.get(keyText)?.version ?? 0;
      if (snapshotRule(0, version)) long.set(keyText, { key: event, version });
    }
    if (long.size === 0) return new Set();
    const versions = await store.snapshotVersions([...long.values()].map(({ key }) => key));
    if (snapshotted.size > cachedStatesMax) snapshotted.clear();
    const due = [...long].filter(([keyText, { version }]) =>
      snapshotRule(versions.get(keyText) ?? 0, version),
    );
    for (const keyText of long.keys()) snapshotted.add(keyText);
    return new Set(due.map(([keyText]) => keyText));
  };

  return {
    async fold(events, { afterSeqNo, upToSeqNo, epoch, committedSeqNo }, snapshotRule) {
      const current = await open(afterSeqNo, epoch);
      valid = null; // Not valid again before the whole run is folded.
      const { cache, parked } = current;
      cache.trim(committedSeqNo);
      const missing = cache.missing(events);
      if (missing.length > 0) {
        for (const [keyText, state] of await store.loadStates(missing)) cache.set(keyText, state);
      }
      const keepBefore = await withoutSnapshot(events, current, snapshotRule);
      const folder = createRunFolder({ observer, cache, parked, snapshotRule, keepBefore });
      await inSlices(events, (slice) => folder.fold(slice));
      const run = folder.result();
      const last = run.parked.at(-1);
      if (last !== undefined && parked.size > parkedAggregatesMax) {
        throw new TooManyParkedError(store.subjectId, parked.size, parkedAggregatesMax, last.message);
      }
      valid = { ...current, seqNo: upToSeqNo };
      return run;
    },
    drop() {
      valid = null;
    },
  };
}
