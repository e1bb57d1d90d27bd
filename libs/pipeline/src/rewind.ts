import type { Halt, LogEnd } from './changePorts';
import { lockSubject, type ChangeOptions } from './changes';
import { cutBack } from './cutBack';
import type { SubjectTransaction } from './ports';

export interface RewindRequest {
  /** The last position that is to stay. */
  readonly toPosition: bigint;
  /** Only says what would be done. */
  readonly dryRun: boolean;
}

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
 * In transactions of a bounded number of events, from the end backwards, each of them a whole: interrupted, it has gone back less
 * far, the halt is still there, and it can be asked for again.
 */
export async function rewind(
  options: ChangeOptions,
  { toPosition, dryRun }: RewindRequest,
  eventsPerStep = EVENTS_PER_STEP,
): Promise<RewindResult> {
  const { store, logger } = options;
  const plan = await store.transaction(async (tx): Promise<RewindResult> => {
    const progress = await lockSubject(tx, store);
    const end = await tx.endAt(toPosition);
    return {
      toPosition: end.block?.position ?? null,
      nextPosition: end.nextPosition,
      ...(await tx.countAbove(end)),
      belowFinality: end.ingested < progress.finalized,
      halt: progress.halt,
    };
  });
  if (dryRun) return plan;
  if (plan.events > BigInt(eventsPerStep)) {
    // A worker that goes on between two steps would read again what the next one takes back.
    await store.halt('REWINDING', `a rewind to ${toPosition} has begun; if it was interrupted, run it again`);
  }
  while (!(await step(options, toPosition, eventsPerStep)));
  await store.clearHalt();
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
function step(options: ChangeOptions, toPosition: bigint, eventsMax: number): Promise<boolean> {
  return options.store.transaction(async (tx) => {
    const progress = await lockSubject(tx, options.store);
    const last = await tx.endAt(toPosition);
    const end = await nearerEnd(tx, last, progress.nextPosition, eventsMax);
    if (end.nextPosition < progress.nextPosition) {
      await cutBack(tx, options, progress, end);
      await tx.lowerFinality(end);
    }
    return end.nextPosition === last.nextPosition;
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
