import { aggregateKeyText, type AggregateKey, type SeqNo } from '@imart/core';
import type { LogEnd } from './changePorts';
import { executedOf, type ChangeOptions } from './changes';
import type { SubjectProgress, SubjectTransaction } from './ports';
import { refold } from './refold';

/** What ending the log earlier came to. */
export interface CutBack {
  readonly epoch: bigint;
  readonly feedNo: bigint;
  readonly retractedEvents: number;
  readonly refoldedAggregates: number;
}

/**
 * Ends the log at an earlier place: afterwards log, states, activities, snapshots, markers and checkpoints are as if it had never
 * been longer. A lane that had not come so far is not touched. The subject is locked.
 */
export async function cutBack(
  tx: SubjectTransaction,
  options: ChangeOptions,
  progress: SubjectProgress,
  end: LogEnd,
): Promise<CutBack> {
  const fromSeqNo = (end.ingested + 1n) as SeqNo;
  const { feedNo, epoch } = await tx.recordChange({
    kind: 'invalidated',
    fromSeqNo,
    toSeqNo: progress.ingested,
    aggregate: null,
  });
  const cut = await tx.cutLog(end, feedNo);
  const touched = cut.aggregates.filter((one) => one.fromSeqNo <= executedOf(progress, one));

  const markers = await tx.parkedAmong(touched);
  const orphaned = markers.filter((marker) => marker.fromSeqNo >= fromSeqNo);
  await tx.unpark(orphaned);
  await tx.recordParkActions(
    orphaned.map((marker) => ({
      ...marker,
      action: 'invalidate',
      outcome: 'gone',
      actedBy: 'worker',
      reason: 'the event is not part of the chain any more',
    })),
  );
  // Set aside below the cut: none of the events taken back had been folded.
  const waiting = new Set(markers.filter((marker) => marker.fromSeqNo < fromSeqNo).map(keyOf));
  const { aggregates } = await refold(
    tx,
    options,
    touched.filter((one) => !waiting.has(keyOf(one))).map((one) => ({ ...one, upToSeqNo: end.ingested })),
  );
  return { epoch, feedNo, retractedEvents: cut.events, refoldedAggregates: aggregates };
}

const keyOf = ({ aggregateType, aggregateId }: AggregateKey): string =>
  aggregateKeyText(aggregateType, aggregateId);
