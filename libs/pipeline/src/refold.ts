import {
  aggregateKeyText,
  BEFORE_FIRST,
  type AggregateKey,
  type Event,
  type Observer,
  type SeqNo,
  type StateRow,
} from '@imart/core';
import type { ParkMarker, TouchedAggregate } from './changePorts';
import { createRunFolder } from './foldRun';
import type { FoldedRun, SubjectStore, SubjectTransaction } from './ports';
import { inSlices } from './slices';
import { noSnapshots } from './snapshotRule';
import { createStateCache } from './stateCache';

export interface RefoldOptions {
  readonly store: SubjectStore;
  readonly observer: Observer;
}

/** An aggregate, the first event that was changed, added or removed, and how far to fold. */
export interface RefoldRequest extends TouchedAggregate {
  /** The checkpoint of the aggregate's lane, or what is left of it: it folds no further. */
  readonly upToSeqNo: SeqNo;
}

export interface Refolded {
  readonly aggregates: number;
  readonly events: number;
  /** Those that failed: each is set aside from there on. */
  readonly parked: readonly ParkMarker[];
}

/** Aggregates in one round of statements: bounds memory, and a thousand of them still need only a few rounds. */
const AGGREGATES_PER_ROUND = 500;

/**
 * Recomputes aggregates from the newest snapshot below their change and the events after it. Overwrites what the change has touched:
 * states, snapshots, and activities from the change on; what lies below it stays as it is. Where no event is left, no row is left.
 *
 * A few statements for hundreds of aggregates. All lanes must be locked, and the aggregates have no park marker: one that fails again
 * gets it back.
 */
export async function refold(
  tx: SubjectTransaction,
  options: RefoldOptions,
  requests: readonly RefoldRequest[],
): Promise<Refolded> {
  const parked: ParkMarker[] = [];
  let events = 0;
  for (let start = 0; start < requests.length; start += AGGREGATES_PER_ROUND) {
    const round = await refoldRound(tx, options, requests.slice(start, start + AGGREGATES_PER_ROUND));
    parked.push(...round.parked);
    events += round.events;
  }
  return { aggregates: requests.length, events, parked };
}

async function refoldRound(
  tx: SubjectTransaction,
  { store, observer }: RefoldOptions,
  requests: readonly RefoldRequest[],
): Promise<Refolded> {
  const changedFrom = new Map(requests.map((request) => [keyOf(request), request.fromSeqNo]));
  const isChanged = (event: Event): boolean => event.seqNo >= (changedFrom.get(keyOf(event)) as SeqNo);

  const bases = await tx.snapshotsBelow(requests);
  const cache = createStateCache(Infinity, true);
  // Erasing takes the row that the state of the snapshot is, where rows are not told apart; without later events it must come back.
  let unwritten: readonly StateRow[] = requests.flatMap((request) => {
    const base = bases.get(keyOf(request));
    if (base === undefined) return [];
    cache.set(keyOf(request), base);
    return observer.reducers.get(request.aggregateType)?.rowsOf(base) ?? [];
  });
  const keptUpTo = (request: RefoldRequest): SeqNo => bases.get(keyOf(request))?.seqNo ?? BEFORE_FIRST;
  await tx.eraseAggregates(requests.map((request) => ({ ...request, keptSeqNo: keptUpTo(request) })));

  const parked = new Set<string>();
  const markers: ParkMarker[] = [];
  let events = 0;
  const write = async (run: FoldedRun): Promise<void> => {
    // Of a row that both have, the folded version counts.
    const rows = new Map([...unwritten, ...run.rows].map((row) => [`${row.table}/${row.key}`, row]));
    unwritten = [];
    await tx.writeRun(await store.prepareRun({ ...run, rows: [...rows.values()] }));
  };
  const ranges = requests.map((request) => ({ ...request, afterSeqNo: keptUpTo(request) }));
  await tx.readAggregates(ranges, async (piece) => {
    const folder = createRunFolder({ observer, cache, parked, snapshotRule: noSnapshots });
    await inSlices(piece, (slice) => folder.fold(slice));
    const run = folder.result();
    events += piece.length;
    markers.push(...run.parked);
    await tx.eraseActivities(piece.filter(isChanged).map(({ seqNo }) => seqNo));
    await write({ ...run, activities: run.activities.filter(({ event }) => isChanged(event)) });
  });
  if (unwritten.length > 0) {
    await write({ rows: [], activities: [], snapshots: [], parked: [], folded: 0 });
  }
  return { aggregates: requests.length, events, parked: markers };
}

const keyOf = ({ aggregateType, aggregateId }: AggregateKey): string =>
  aggregateKeyText(aggregateType, aggregateId);
