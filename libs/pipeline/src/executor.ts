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
  /**
   * Reads the states that these events will need, so that `fold` need not wait for them. What was read is used by the next fold only,
   * and only where that one starts at the position and epoch up to which this executor has folded: then nobody else has changed them.
   */
  expect(events: readonly Event[]): void;
  /** How many aggregates were set aside after the last fold. */
  readonly setAside: number;
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
    /** Aggregates that were looked for since the last fold, and have no state. */
    absent: Set<string>;
  } | null = null;
  /** Never rejects. */
  let reading: Promise<void> | null = null;
  let setAside = 0;

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
      absent: new Set(),
    };
  };

  const missingOf = (events: readonly Event[], { cache, absent }: NonNullable<typeof valid>) => {
    const missing = cache.missing(events);
    if (absent.size === 0) return missing;
    return missing.filter((key) => !absent.has(aggregateKeyText(key.aggregateType, key.aggregateId)));
  };

  const read = async (missing: readonly AggregateKey[], into: NonNullable<typeof valid>): Promise<void> => {
    try {
      const states = await store.loadStates(missing);
      // Dropped meanwhile.
      if (valid !== into) return;
      for (const key of missing) {
        const keyText = aggregateKeyText(key.aggregateType, key.aggregateId);
        const state = states.get(keyText);
        if (state === undefined) into.absent.add(keyText);
        else into.cache.set(keyText, state);
      }
    } catch {
      // The fold reads them itself, and meets whatever this was.
    }
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
      await reading;
      reading = null;
      const current = await open(afterSeqNo, epoch);
      valid = null; // Not valid again before the whole run is folded.
      const { cache, parked } = current;
      cache.trim(committedSeqNo);
      const missing = missingOf(events, current);
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
      setAside = parked.size;
      valid = { ...current, seqNo: upToSeqNo, absent: new Set() };
      return run;
    },
    expect(events) {
      if (valid === null || reading !== null) return;
      const missing = missingOf(events, valid);
      if (missing.length > 0) reading = read(missing, valid);
    },
    get setAside() {
      return setAside;
    },
    drop() {
      valid = null;
    },
  };
}
