import { aggregateKeyText, type AggregateKey, type Event, type LateChange, type SeqNo } from '@imart/core';
import type { ParkAction, ParkMarker, TouchedAggregate } from './changePorts';
import { executedOf, lockSubject, type ChangeOptions } from './changes';
import type { SubjectProgress, SubjectTransaction } from './ports';
import { refold } from './refold';

/** What came of a late change. */
export type LateChangeResult =
  | {
      readonly kind: 'applied';
      /** The raised epoch: what else the caller has read under the old one is to be read again. */
      readonly epoch: bigint;
      readonly feedNo: bigint;
      readonly refoldedAggregates: number;
    }
  /** It changes nothing. Nothing was written. */
  | { readonly kind: 'nothing-to-change' }
  /** Another epoch, or another block, than it was read under. Nothing was written: compare again. */
  | { readonly kind: 'moved'; readonly reason: 'epoch' | 'block' };

/**
 * Brings the log to what a second reading found, and refolds what that touches, in one transaction. Of events that a lane has not come
 * to yet only the log is changed: the lane will read them.
 *
 * An aggregate that is set aside at or above the change is folded again past its marker, which goes if what was missing was the
 * cause; one that is set aside below it keeps waiting.
 *
 * @param along done in the same transaction, at its end: what must hold together with the change.
 * @throws {RangeError} for a change beyond the end of the log: whoever ingests will read that.
 * @throws {EventConflictError} `stop` when the change does not fit the log although the epoch does: it is wrong. Nothing was written.
 * @throws {StorageUnavailableError} `retry`. When it was done all the same, the next attempt answers `moved`.
 */
export async function applyLateChange(
  options: ChangeOptions,
  change: LateChange,
  along: (tx: SubjectTransaction) => Promise<void> = async () => undefined,
): Promise<LateChangeResult> {
  const { store, stats, logger } = options;
  const { inserted, replaced, retracted, discovered } = change;
  const places = [
    ...inserted.map(({ seqNo }) => seqNo),
    ...replaced.map(({ seqNo }) => seqNo),
    ...retracted,
    ...discovered.map(({ discoveredAt }) => discoveredAt),
  ].sort((a, b) => (a < b ? -1 : 1));
  const [first, last] = [places[0], places.at(-1)];
  if (first === undefined || last === undefined) return { kind: 'nothing-to-change' };

  const result = await store.transaction(async (tx): Promise<LateChangeResult> => {
    const progress = await lockSubject(tx, store);
    if (progress.epoch !== change.epoch) return { kind: 'moved', reason: 'epoch' };
    if (await tellsOfAnotherBranch(tx, change)) return { kind: 'moved', reason: 'block' };
    if (last > progress.ingested) {
      throw new RangeError(`a late change at ${last} lies beyond the end of the log at ${progress.ingested}`);
    }
    const { feedNo, epoch } = await tx.recordChange({
      kind: 'late',
      fromSeqNo: first,
      toSeqNo: last,
      aggregate: null,
    });
    const gone = [...retracted, ...replaced.map(({ seqNo }) => seqNo)];
    const losing = await tx.retractEvents(gone, feedNo);
    const added = [...inserted, ...replaced].sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1));
    await tx.insertEvents(added, feedNo);
    await tx.discover(discovered);
    const refoldedAggregates = await refoldTouched(tx, options, progress, [...losing, ...touchedBy(added)]);
    await along(tx);
    return { kind: 'applied', epoch, feedNo, refoldedAggregates };
  });
  if (result.kind !== 'applied') return result;
  if (stats !== undefined) {
    stats.lateChanges++;
    stats.retractedEvents += retracted.length + replaced.length;
  }
  logger.info('late knowledge was added to the log', {
    subject: store.subjectId,
    fromSeqNo: first,
    toSeqNo: last,
    inserted: inserted.length,
    replaced: replaced.length,
    retracted: retracted.length,
    refoldedAggregates: result.refoldedAggregates,
    epoch: result.epoch,
  });
  return result;
}

async function tellsOfAnotherBranch(tx: SubjectTransaction, { blocks }: LateChange): Promise<boolean> {
  const told = new Map(blocks.map(({ position, hash }) => [position, hash]));
  const known = await tx.knownBlocks([...told.keys()]);
  return known.some(({ position, hash }) => told.get(position) !== hash);
}

const touchedBy = (events: readonly Event[]): readonly TouchedAggregate[] =>
  events.map(({ aggregateType, aggregateId, seqNo }) => ({ aggregateType, aggregateId, fromSeqNo: seqNo }));

/** @returns how many aggregates were refolded. */
async function refoldTouched(
  tx: SubjectTransaction,
  options: ChangeOptions,
  progress: SubjectProgress,
  all: readonly TouchedAggregate[],
): Promise<number> {
  const byKey = new Map<string, TouchedAggregate>();
  for (const one of all) {
    const known = byKey.get(keyOf(one));
    if (known === undefined || one.fromSeqNo < known.fromSeqNo) byKey.set(keyOf(one), one);
  }
  const executed = [...byKey.values()].filter((one) => one.fromSeqNo <= executedOf(progress, one));
  const markers = new Map((await tx.parkedAmong(executed)).map((marker) => [keyOf(marker), marker]));
  const touched = executed.filter((one) => {
    const marker = markers.get(keyOf(one));
    return marker === undefined || one.fromSeqNo <= marker.fromSeqNo;
  });
  const before = touched.flatMap((one) => markers.get(keyOf(one)) ?? []);
  await tx.unpark(before);
  const { parked } = await refold(
    tx,
    options,
    touched.map((one) => ({ ...one, upToSeqNo: executedOf(progress, one) })),
  );
  await tx.recordParkActions(actionsOf(before, parked));
  return touched.length;
}

/** What has come of the aggregates that had been set aside, where that is something else than before. */
function actionsOf(before: readonly ParkMarker[], now: readonly ParkMarker[]): readonly ParkAction[] {
  const parked = new Map(now.map((marker) => [keyOf(marker), marker]));
  return before.flatMap((marker): ParkAction[] => {
    const again = parked.get(keyOf(marker));
    if (again?.fromSeqNo === marker.fromSeqNo) return [];
    const outcome = again === undefined ? 'released' : 'parked-again';
    const reason = 'an event at or before it was added, replaced or taken back';
    return [{ ...placeOf(marker), action: 'late', outcome, actedBy: 'worker', reason }];
  });
}

const placeOf = ({
  aggregateType,
  aggregateId,
  fromSeqNo,
}: ParkMarker): AggregateKey & { fromSeqNo: SeqNo } => ({
  aggregateType,
  aggregateId,
  fromSeqNo,
});

const keyOf = ({ aggregateType, aggregateId }: AggregateKey): string =>
  aggregateKeyText(aggregateType, aggregateId);
