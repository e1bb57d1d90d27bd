import {
  aggregateKeyText,
  dispositionOf,
  messageOf,
  UNDECODABLE,
  WorkerError,
  type Activity,
  type Event,
  type FoldState,
  type Observer,
  type Reducer,
  type Snapshot,
  type StateRow,
} from '@imart/core';
import type { ParkMarker } from './changePorts';
import type { FoldedRun } from './ports';
import type { SnapshotRule } from './snapshotRule';
import type { StateCache } from './stateCache';

export interface FoldRunOptions {
  readonly observer: Observer;
  readonly cache: Pick<StateCache, 'get' | 'set'>;
  readonly snapshotRule: SnapshotRule;
  /**
   * Aggregates, by `aggregateKeyText`, whose state before their first event in the run is kept as a snapshot; those that were are
   * removed. @defaultValue none
   */
  readonly keepBefore?: Set<string>;
  /** Aggregates that are set aside, by `aggregateKeyText`; aggregates that fail in this run are added. */
  readonly parked: Set<string>;
}

/** Folds a run's events slice by slice, so that its caller can let other work in between. */
export interface RunFolder {
  /**
   * Folds the next events, in order, into the cached states. No I/O: every aggregate must be in the cache or be new.
   * A deterministic failure of an event sets its aggregate aside from that event on; the others are not touched by it.
   *
   * @throws whatever a reducer throws that is of disposition `stop`; the cache must be dropped then.
   */
  fold(events: readonly Event[]): void;
  result(): FoldedRun;
}

/** Folds a whole run at once. */
export function foldRun(events: readonly Event[], options: FoldRunOptions): FoldedRun {
  const folder = createRunFolder(options);
  folder.fold(events);
  return folder.result();
}

export function createRunFolder(options: FoldRunOptions): RunFolder {
  const { observer, cache, parked, snapshotRule, keepBefore } = options;
  const rows = new Map<string, StateRow>();
  const activities: Activity[] = [];
  const snapshots: Snapshot[] = [];
  const newlyParked: ParkMarker[] = [];
  let folded = 0;

  const park = (event: Event, keyText: string, code: string, message: string): void => {
    parked.add(keyText);
    newlyParked.push({
      aggregateType: event.aggregateType,
      aggregateId: event.aggregateId,
      fromSeqNo: event.seqNo,
      code,
      message,
    });
  };

  const keep = (event: Event, reducer: Reducer, state: FoldState): void => {
    const { aggregateType, aggregateId } = event;
    snapshots.push({ aggregateType, aggregateId, reducerVersion: reducer.version, state });
  };

  const fold = (events: readonly Event[]): void => {
    for (const event of events) {
      const keyText = aggregateKeyText(event.aggregateType, event.aggregateId);
      if (parked.size > 0 && parked.has(keyText)) continue;
      if (event.name === UNDECODABLE) {
        park(event, keyText, 'UNDECODABLE', (event.data as { reason: string }).reason);
        continue;
      }
      const reducer = observer.reducers.get(event.aggregateType);
      // An observer that has no reducer for a type does not observe it.
      if (reducer === undefined) continue;
      const before = cache.get(keyText) ?? reducer.initial(event.aggregateId);
      if (event.seqNo <= before.seqNo) continue;
      try {
        const after = reducer.fold(before, event);
        for (const row of after.rows) refuseTooLarge(row);
        for (const activity of after.activities) refuseTooLarge(activity);
        folded++;
        for (const row of after.rows) rows.set(`${row.table}/${row.key}`, row);
        for (const activity of after.activities) activities.push(activity);
        if (after.state === before) continue;
        cache.set(keyText, after.state);
        if (keepBefore?.delete(keyText) === true) keep(event, reducer, before);
        if (snapshotRule(before.version, after.state.version)) keep(event, reducer, after.state);
      } catch (error) {
        // A reducer is deterministic: whatever it throws, it throws again. Only a broken invariant stops everything.
        if (dispositionOf(error) === 'stop') throw error;
        park(event, keyText, error instanceof WorkerError ? error.code : 'REDUCER_FAILED', messageOf(error));
      }
    }
  };

  return {
    fold,
    result: () => ({ rows: [...rows.values()], activities, snapshots, parked: newlyParked, folded }),
  };
}

/** What a quantity column holds: NUMERIC(78,0), which is every 256-bit number and no sum of several large ones. */
const QUANTITY_MAX = 10n ** 78n - 1n;
/** What a token id's column holds, NUMERIC(98,0): a 256-bit number and, above it, a 64-bit number of an edition. */
const TOKEN_ID_MAX = 10n ** 98n - 1n;
/** What is smaller than this as a floating point number, rounded as it may be, fits in either: most need no other comparison. */
const SURELY_FITS = 1e77;

/**
 * Anybody can make a contract tell of quantities whose sum no column holds. Found here, it sets aside one aggregate;
 * found by the database, it would fail the whole run, again and again (D2, Q18).
 */
function refuseTooLarge(values: object): void {
  for (const name in values) {
    const value = (values as Record<string, unknown>)[name];
    if (typeof value !== 'bigint' || Math.abs(Number(value)) < SURELY_FITS) continue;
    const most = name === 'tokenId' ? TOKEN_ID_MAX : QUANTITY_MAX;
    if (value <= most && value >= -most) continue;
    const digits = most.toString().length;
    throw new WorkerError(`${name} would be ${value}: it cannot have more than ${digits} digits`, {
      code: 'QUANTITY_RANGE',
      disposition: 'park',
      fields: { name },
    });
  }
}
