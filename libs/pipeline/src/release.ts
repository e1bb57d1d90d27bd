import type { AggregateKey, SeqNo } from '@imart/core';
import type { ParkMarker, ReleaseOutcome } from './changePorts';
import { executedOf, lockSubject, type ChangeOptions } from './changes';
import { refold } from './refold';

export interface ReleaseRequest extends AggregateKey {
  /** Who asks: kept with the action. */
  readonly actedBy: string;
  readonly reason: string | null;
}

export interface SkipRequest extends ReleaseRequest {
  readonly reason: string;
  /** The event that whoever asks has looked at: another one is not skipped. @defaultValue the one that it is parked at */
  readonly seqNo?: SeqNo;
}

/** What came of releasing a parked aggregate. */
export type ReleaseResult =
  | {
      readonly kind: Exclude<ReleaseOutcome, 'gone'>;
      /** The event that it had been parked at. */
      readonly fromSeqNo: SeqNo;
      /** Where it is parked now, and why; `null`: nowhere. */
      readonly parked: Pick<ParkMarker, 'fromSeqNo' | 'code' | 'message'> | null;
    }
  /** There is no marker of this aggregate. Nothing was written. */
  | { readonly kind: 'not-parked' }
  /** It is parked at another event than the one that was to be skipped. Nothing was written. */
  | { readonly kind: 'parked-elsewhere'; readonly parked: ParkMarker };

/**
 * Folds a parked aggregate again from the event that it is parked at, in order, up to its lane: after a program was mended. One that
 * fails again is parked where it fails. Who asked, why, and what came of it is kept; nothing else is when it fails at the same event.
 */
export function retryParked(options: ChangeOptions, request: ReleaseRequest): Promise<ReleaseResult> {
  return release(options, request, 'retry');
}

/**
 * As {@link retryParked}, but leaves out the event that the aggregate is parked at. The event stays in the log; every fold ignores it
 * from now on.
 */
export function skipParked(options: ChangeOptions, request: SkipRequest): Promise<ReleaseResult> {
  return release(options, request, 'skip');
}

async function release(
  options: ChangeOptions,
  { aggregateType, aggregateId, actedBy, reason, seqNo }: ReleaseRequest & Pick<SkipRequest, 'seqNo'>,
  action: 'retry' | 'skip',
): Promise<ReleaseResult> {
  const { store, logger } = options;
  const key: AggregateKey = { aggregateType, aggregateId };
  const result = await store.transaction(async (tx): Promise<ReleaseResult> => {
    const progress = await lockSubject(tx, store);
    const [marker] = await tx.parkedAmong([key]);
    if (marker === undefined) return { kind: 'not-parked' };
    const { fromSeqNo } = marker;
    if (seqNo !== undefined && seqNo !== fromSeqNo) return { kind: 'parked-elsewhere', parked: marker };
    if (action === 'skip') await tx.skipEvent(fromSeqNo, actedBy, reason ?? '');
    await tx.unpark([key]);
    const upToSeqNo = executedOf(progress, key);
    const { parked } = await refold(tx, options, [{ ...key, fromSeqNo, upToSeqNo }]);
    const again = parked[0];
    const kind =
      again === undefined ? 'released' : again.fromSeqNo === fromSeqNo ? 'unchanged' : 'parked-again';
    await tx.recordParkActions([{ ...key, fromSeqNo, action, outcome: kind, actedBy, reason }]);
    if (kind !== 'unchanged') {
      await tx.recordChange({
        kind: action === 'skip' ? 'skipped' : 'released',
        fromSeqNo,
        toSeqNo: again === undefined ? upToSeqNo : ((again.fromSeqNo - 1n) as SeqNo),
        aggregate: key,
      });
    }
    return { kind, fromSeqNo, parked: again ?? null };
  });
  if (result.kind === 'not-parked' || result.kind === 'parked-elsewhere') return result;
  logger.info('a parked aggregate was folded again', {
    subject: store.subjectId,
    ...key,
    action,
    actedBy,
    reason,
    outcome: result.kind,
    fromSeqNo: result.fromSeqNo,
    parkedAt: result.parked?.fromSeqNo,
  });
  return result;
}
