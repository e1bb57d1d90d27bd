import type { LateChange, SeqNoCodec } from '@imart/core';
import type { ChangeOptions } from '../changes';
import { applyLateChange } from '../lateChange';
import type { SubjectTransaction } from '../ports';
import type { RangeAudit } from './auditRange';
import type { Findings } from './passes';
import { eventOf, type EventDifference } from './compareEvents';
import type { PositionRange } from './source';

type Compared = Extract<RangeAudit, { kind: 'compared' }>;

/** Part of a comparison that is applied in one transaction. */
export interface MendedPart extends PositionRange {
  readonly differences: readonly EventDifference[];
  readonly findings: Findings;
  /** It names contracts that were not known. */
  readonly discovered: boolean;
}

/** @defaultValue for the events of one late change: it holds up whoever appends and executes for some tenths of a second. */
export const LATE_EVENTS_MAX_DEFAULT = 2_000;

export interface MendOptions {
  readonly changes: ChangeOptions;
  readonly seqNos: SeqNoCodec;
  /** @defaultValue {@link LATE_EVENTS_MAX_DEFAULT} */
  readonly lateEventsMax?: number;
  /**
   * Done in the transaction of each part, at its end: what must hold together with it. Also for a part that changes nothing.
   */
  readonly along: (tx: SubjectTransaction, part: MendedPart) => Promise<void>;
}

/**
 * Brings the log to what a comparison found, in late changes of a bounded number of events, in the order of the chain.
 * @returns `moved`: something else changed the log meanwhile. What was not applied is to be compared again.
 */
export async function mendRange(options: MendOptions, audit: Compared): Promise<'mended' | 'moved'> {
  const { changes, along } = options;
  let epoch = audit.change?.epoch;
  for (const { part, change } of partsOf(audit, options)) {
    if (change === null || epoch === undefined) {
      await changes.store.transaction(async (tx) => {
        await tx.lockIngest();
        await along(tx, part);
      });
      continue;
    }
    const result = await applyLateChange(changes, { ...change, epoch }, (tx) => along(tx, part));
    if (result.kind === 'moved') return 'moved';
    if (result.kind === 'applied') epoch = result.epoch;
  }
  return 'mended';
}

interface Part {
  readonly part: MendedPart;
  readonly change: LateChange | null;
}

/** Cut between positions: a part has more than the most events only when one position has. */
function partsOf(audit: Compared, { seqNos, lateEventsMax = LATE_EVENTS_MAX_DEFAULT }: MendOptions): Part[] {
  const { range, differences, change } = audit;
  const positionOf = (difference: EventDifference): bigint =>
    seqNos.decode(eventOf(difference).seqNo).position;
  const ends: bigint[] = [];
  let inPart = 0;
  differences.forEach((difference, i) => {
    const position = positionOf(difference);
    const isNew = i > 0 && position !== positionOf(differences[i - 1] as EventDifference);
    if (isNew && inPart >= lateEventsMax) {
      ends.push(position - 1n);
      inPart = 0;
    }
    inPart++;
  });
  ends.push(range.toPosition);
  return ends.map((toPosition, i) => {
    const fromPosition = i === 0 ? range.fromPosition : (ends[i - 1] as bigint) + 1n;
    const [first, last] = [seqNos.first(fromPosition), seqNos.last(toPosition)];
    const within = ({ seqNo }: { readonly seqNo: bigint }): boolean => seqNo >= first && seqNo <= last;
    const own = differences.filter((difference) => within(eventOf(difference)));
    const count = (kind: EventDifference['kind']): number => own.filter((one) => one.kind === kind).length;
    const part: MendedPart = {
      fromPosition,
      toPosition,
      differences: own,
      findings: { missing: count('missing'), different: count('different'), extra: count('extra') },
      discovered: audit.contracts.some(
        ({ kind, contract }) => kind === 'missing' && within({ seqNo: contract.discoveredAt }),
      ),
    };
    if (change === null) return { part, change: null };
    // Events of contracts that are none may stand anywhere: they go with the first part.
    const elsewhere = (seqNo: bigint): boolean =>
      seqNo < seqNos.first(range.fromPosition) || seqNo > seqNos.last(range.toPosition);
    const ownChange: LateChange = {
      epoch: change.epoch,
      blocks: change.blocks.filter(({ position }) => position >= fromPosition && position <= toPosition),
      inserted: change.inserted.filter(within),
      replaced: change.replaced.filter(within),
      retracted: change.retracted.filter((seqNo) => within({ seqNo }) || (i === 0 && elsewhere(seqNo))),
      discovered: change.discovered.filter(({ discoveredAt }) => within({ seqNo: discoveredAt })),
    };
    const { inserted, replaced, retracted, discovered } = ownChange;
    const isEmpty = [inserted, replaced, retracted, discovered].every((list) => list.length === 0);
    return { part, change: isEmpty ? null : ownChange };
  });
}
