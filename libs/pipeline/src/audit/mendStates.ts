import type { AggregateKey, SeqNo } from '@imart/core';
import { aggregateKeyText } from '@imart/core';
import { executedOf, lockSubject, type ChangeOptions } from '../changes';
import { refold } from '../refold';

/** Aggregates of one transaction: it holds up whoever appends and executes for some tenths of a second. */
const AGGREGATES_MAX = 500;

/** Before every event: nothing below it is kept. */
const FROM_THE_START = 0n as SeqNo;

/**
 * Folds aggregates again from their first event, and writes what comes of it over what is there: states, activities, snapshots. One that
 * is set aside is folded up to its marker, which stays; a marker of an event that the log does not have goes. Readers of the feed are
 * told, as of a late change without events.
 *
 * @param strayActivities places of activities whose event is not in the log: they are removed.
 * @param orphanedMarkers aggregates whose marker's event is not in the log.
 */
export async function mendStates(
  options: ChangeOptions,
  keys: readonly AggregateKey[],
  strayActivities: readonly SeqNo[],
  orphanedMarkers: readonly AggregateKey[],
): Promise<void> {
  const { store } = options;
  if (strayActivities.length > 0) {
    await store.transaction(async (tx) => {
      await lockSubject(tx, store);
      await tx.eraseActivities(strayActivities);
    });
  }
  const orphaned = new Set(orphanedMarkers.map(keyOf));
  for (let start = 0; start < keys.length; start += AGGREGATES_MAX) {
    const round = keys.slice(start, start + AGGREGATES_MAX);
    await store.transaction(async (tx) => {
      const progress = await lockSubject(tx, store);
      await tx.recordChange({
        kind: 'late',
        fromSeqNo: FROM_THE_START,
        toSeqNo: progress.executed,
        aggregate: round.length === 1 ? (round[0] as AggregateKey) : null,
      });
      await tx.unpark(round.filter((key) => orphaned.has(keyOf(key))));
      const markers = new Map((await tx.parkedAmong(round)).map((marker) => [keyOf(marker), marker]));
      await refold(
        tx,
        options,
        round.map((key) => {
          const executed = executedOf(progress, key);
          const marker = markers.get(keyOf(key));
          const waits = marker !== undefined && marker.fromSeqNo <= executed;
          const upToSeqNo = waits ? ((marker.fromSeqNo - 1n) as SeqNo) : executed;
          return { ...key, fromSeqNo: FROM_THE_START, upToSeqNo };
        }),
      );
    });
  }
}

const keyOf = ({ aggregateType, aggregateId }: AggregateKey): string =>
  aggregateKeyText(aggregateType, aggregateId);
