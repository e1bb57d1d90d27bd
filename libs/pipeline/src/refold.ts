import { aggregateKeyText, BEFORE_FIRST, type AggregateKey, type Observer, type SeqNo } from '@imart/core';
import { foldRun } from './foldRun';
import type { FoldedRun, ParkMarker, SubjectStore, SubjectTransaction } from './ports';
import { noSnapshots } from './snapshotRule';
import { createStateCache } from './stateCache';

export interface RefoldOptions {
  readonly store: SubjectStore;
  readonly observer: Observer;
}

export interface RefoldRequest extends AggregateKey {
  /** The first event that changed, was added or was removed. */
  readonly fromSeqNo: SeqNo;
  /** The checkpoint of the aggregate's lane: it folds no further. */
  readonly upToSeqNo: SeqNo;
}

/**
 * Recomputes an aggregate from a snapshot below the change and the events after it, and overwrites what the
 * change has touched. Where no event is left, no row is left. The lane must be locked.
 */
export async function refold(
  transaction: SubjectTransaction,
  options: RefoldOptions,
  request: RefoldRequest,
): Promise<FoldedRun> {
  const { store, observer } = options;
  const reducer = observer.reducers.get(request.aggregateType);
  if (reducer === undefined)
    throw new RangeError(`no reducer for aggregates of type ${request.aggregateType}`);
  const keyText = aggregateKeyText(request.aggregateType, request.aggregateId);
  const marker = (await store.parked()).find(
    (m) => aggregateKeyText(m.aggregateType, m.aggregateId) === keyText,
  );

  const newest = await transaction.snapshotBelow(request, request.fromSeqNo, reducer.version);
  // From the snapshot before the newest one: the event at the newest one is folded again and writes the row as it was then.
  // From the newest one itself, an aggregate without later events would be left without the row that erasing removes.
  const snapshot =
    newest === null ? null : await transaction.snapshotBelow(request, newest.seqNo, reducer.version);
  const from = snapshot?.seqNo ?? BEFORE_FIRST;
  const events = await transaction.readAggregate(request, from, endOf(request, marker));
  await transaction.eraseFrom(request, snapshot === null ? BEFORE_FIRST : ((from + 1n) as SeqNo));

  const cache = createStateCache(1, true);
  if (snapshot !== null) cache.set(keyText, snapshot);
  const run = foldRun(events, { observer, cache, parked: new Set(), snapshotRule: noSnapshots });
  await transaction.writeRun(await store.prepareRun(run));
  return run;
}

function endOf(request: RefoldRequest, marker: ParkMarker | undefined): SeqNo {
  if (marker === undefined || marker.fromSeqNo > request.upToSeqNo) return request.upToSeqNo;
  return (marker.fromSeqNo - 1n) as SeqNo;
}
