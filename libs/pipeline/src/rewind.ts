import type { Halt, LogEnd, OperatorDecision } from './changePorts';
import { lockSubject, type ChangeOptions } from './changes';
import { cutBack } from './cutBack';
import type { SubjectTransaction } from './ports';

/** `dryRun`: it is only said what would be done. Else it is recorded who decided it, and why. */
export type RewindRequest = {
  /** The last position that is to stay. */
  readonly toPosition: bigint;
} & ({ readonly dryRun: true } | (OperatorDecision & { readonly dryRun: false }));

/** What a rewind does, or would do. */
export interface RewindResult {
  /**
   * The last position that stays: the one asked for where its block is known, else the last one before it that has an event; what lies
   * between them is read again. `null`: nothing stays.
   */
  readonly toPosition: bigint | null;
  /** Where reading goes on. */
  readonly nextPosition: bigint;
  readonly events: bigint;
  readonly aggregates: bigint;
  /** Contracts that are forgotten again. */
  readonly discovered: bigint;
  readonly belowFinality: boolean;
  /** The halt that it clears. */
  readonly halt: Halt | null;
}

/** Events taken back in one transaction: a few seconds of work, so that nobody waits long for its locks. */
const EVENTS_PER_STEP = 20_000;

/**
 * Takes the log back to a position, also below what is final, which is lowered with it, and clears a halt: what an operator does when
 * a chain took back what it had called final. Reading goes on from there by itself.
 *
 * In transactions of a bounded number of events, from the end backwards, each of them a whole, with the record of how far it has come:
 * interrupted, it has gone back less far, the halt is still there, and it can be asked for again.
 */
export async function rewind(
  options: ChangeOptions,
  request: RewindRequest,
  eventsPerStep = EVENTS_PER_STEP,
): Promise<RewindResult> {
  const { store, logger } = options;
  const { toPosition } = request;
  const { plan, id } = await store.transaction(
    async (tx): Promise<{ plan: RewindResult; id: bigint | null }> => {
      const progress = await lockSubject(tx, store);
      const end = await tx.endAt(toPosition);
      const plan = {
        toPosition: end.block?.position ?? null,
        nextPosition: end.nextPosition,
        ...(await tx.countAbove(end)),
        belowFinality: end.ingested < progress.finalized,
        halt: progress.halt,
      };
      if (request.dryRun) return { plan, id: null };
      return { plan, id: await tx.recordRewind(toPosition, request) };
    },
  );
  if (id === null) return plan;
  if (plan.events > BigInt(eventsPerStep)) {
    // A worker that goes on between two steps would read again what the next one takes back.
    await store.halt('REWINDING', `a rewind to ${toPosition} has begun; if it was interrupted, run it again`);
  }
  while (!(await step(options, id, toPosition, eventsPerStep)));
  logger.warn('the log was taken back', {
    subject: store.subjectId,
    toPosition: plan.toPosition,
    events: plan.events,
    aggregates: plan.aggregates,
    haltCleared: plan.halt?.code,
  });
  return plan;
}

/** @returns whether the log ends where it should. */
function step(options: ChangeOptions, id: bigint, toPosition: bigint, eventsMax: number): Promise<boolean> {
  return options.store.transaction(async (tx) => {
    const progress = await lockSubject(tx, options.store);
    const last = await tx.endAt(toPosition);
    const end = await nearerEnd(tx, last, progress.nextPosition, eventsMax);
    const isLast = end.nextPosition === last.nextPosition;
    let events = 0;
    if (end.nextPosition < progress.nextPosition) {
      events = (await cutBack(tx, options, progress, end)).retractedEvents;
      await tx.lowerFinality(end);
    }
    await tx.recordRewound(id, { events, nextPosition: end.nextPosition, isLast });
    return isLast;
  });
}

/** The end, or a place on the way to it with no more events above it; one position at least. */
async function nearerEnd(
  tx: SubjectTransaction,
  last: LogEnd,
  nextPosition: bigint,
  eventsMax: number,
): Promise<LogEnd> {
  const position = await tx.positionBefore(eventsMax);
  if (position === null || position < last.nextPosition) return last;
  const end = await tx.endAt(position);
  if (end.nextPosition < nextPosition) return end;
  return tx.endAt(position - 1n);
}
