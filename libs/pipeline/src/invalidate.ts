import { ReorgTooDeepError, type InvalidateMessage, type SeqNo } from '@imart/core';
import { lockSubject, type ChangeOptions } from './changes';
import { cutBack, type CutBack } from './cutBack';
import { AncestorMismatchError } from './errors';

/** What came of taking blocks back. */
export type InvalidateResult =
  | ({
      readonly kind: 'invalidated';
      /** How many positions were taken back. */
      readonly depthBlocks: bigint;
    } & CutBack)
  /** The log ends at the ancestor or before: it was done already, or nothing of the branch had been ingested. Nothing was written. */
  | { readonly kind: 'nothing-to-invalidate' }
  /** The subject has another epoch than the caller reads under. Nothing was written: read anew from the resume point. */
  | { readonly kind: 'moved'; readonly epoch: bigint };

/**
 * Takes back everything from a seq no on, in one transaction: afterwards log, states, activities, snapshots, markers and checkpoints
 * are as if it had never been read, and readers of the feed are told.
 *
 * @param epoch the one that the caller reads under; the raised one is in the result.
 * @throws {ReorgTooDeepError} `stop` when it reaches below what is final. Nothing was written.
 * @throws {AncestorMismatchError} `stop` when the log has another block than the ancestor there. Nothing was written.
 * @throws {StorageUnavailableError} `retry`. When it was done all the same, the next attempt answers `moved`.
 */
export async function invalidate(
  options: ChangeOptions,
  { fromSeqNo, ancestor }: InvalidateMessage,
  epoch: bigint,
): Promise<InvalidateResult> {
  const { store, stats, logger } = options;
  const result = await store.transaction(async (tx): Promise<InvalidateResult> => {
    const progress = await lockSubject(tx, store);
    if (progress.epoch !== epoch) return { kind: 'moved', epoch: progress.epoch };
    if (fromSeqNo > progress.ingested) return { kind: 'nothing-to-invalidate' };
    if (fromSeqNo <= progress.finalized) {
      throw new ReorgTooDeepError(store.subjectId, ancestor.position, progress.finalizedPosition ?? 0n);
    }
    const [stored] = await tx.knownBlocks([ancestor.position]);
    if (stored !== undefined && stored.hash !== ancestor.hash) {
      throw new AncestorMismatchError(store.subjectId, ancestor.position, stored.hash, ancestor.hash);
    }
    const end = {
      block: ancestor,
      nextPosition: ancestor.position + 1n,
      ingested: (fromSeqNo - 1n) as SeqNo,
    };
    const cut = await cutBack(tx, options, progress, end);
    return { kind: 'invalidated', depthBlocks: progress.nextPosition - end.nextPosition, ...cut };
  });
  if (result.kind !== 'invalidated') return result;
  const { depthBlocks, retractedEvents, refoldedAggregates } = result;
  if (stats !== undefined) {
    stats.reorgs++;
    stats.reorgBlocks += Number(depthBlocks);
    stats.reorgDepthMax = Math.max(stats.reorgDepthMax, Number(depthBlocks));
    stats.retractedEvents += retractedEvents;
  }
  logger.warn('the chain took blocks back: their events were taken back too', {
    subject: store.subjectId,
    ancestor: ancestor.position,
    depthBlocks,
    retractedEvents,
    refoldedAggregates,
    epoch: result.epoch,
  });
  return result;
}
