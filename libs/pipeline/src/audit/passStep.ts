import { WorkerError, type EventDataCodec, type SeqNo, type SeqNoCodec } from '@imart/core';
import type { ChangeOptions } from '../changes';
import { EpochMovedError } from '../errors';
import { auditRange, type AuditRequest, type RangeAudit } from './auditRange';
import { eventOf, type EventDifference } from './compareEvents';
import { mendRange } from './mendRange';
import type { Pass, PassStore } from './passes';
import type { PassStats } from './passStats';
import type { RangeSource } from './source';

export interface PassStepOptions {
  readonly changes: ChangeOptions;
  readonly passes: PassStore;
  readonly source: RangeSource;
  readonly codec: EventDataCodec;
  readonly seqNos: SeqNoCodec;
  readonly stats: PassStats;
}

/** What came of reading a range of a pass. */
export type PassStepResult =
  /** The pass stands behind the range. */
  | { readonly kind: 'read'; readonly positions: number; readonly wholeBlocks: number }
  /** Something else changed the log or the pass meanwhile: look again. */
  | { readonly kind: 'moved' }
  /** The source does not allow it now. */
  | { readonly kind: 'blocked'; readonly reason: string };

/** Another process, or an operator's command, works on the same pass. */
class PassMovedError extends WorkerError {
  constructor(id: bigint) {
    super(`another process has moved pass ${id}`, { code: 'PASS_MOVED', disposition: 'retry' });
  }
}

/**
 * Reads one range of a pass again, mends the log, and moves the pass behind it: what is found, mended and remembered is one
 * transaction, so that a crash at any moment reads a part of the range again and skips nothing.
 *
 * A contract that the range named and nobody knew is followed by the live stream from the moment of that transaction on. What
 * the log holds by then was read without it, and is read again for it: that, too, is stored in the same transaction.
 */
export async function passStep(
  options: PassStepOptions,
  pass: Pass,
  request: AuditRequest,
  signal: AbortSignal,
): Promise<PassStepResult> {
  const { changes, passes, source, codec, seqNos, stats } = options;
  const { store, logger } = changes;
  const audit = await auditRange({ store, passes, source, codec, seqNos }, request, signal).catch(
    (error: unknown) => {
      if (error instanceof EpochMovedError) return null;
      throw error;
    },
  );
  if (audit === null) return { kind: 'moved' };
  if (audit.kind === 'other-branch') return { kind: 'blocked', reason: branchText(audit) };
  const [first] = audit.unconfirmed;
  if (first !== undefined) {
    const { position } = seqNos.decode(eventOf(first).seqNo);
    return { kind: 'blocked', reason: `block ${position}, which has events in the log, is not served` };
  }
  const forgotten = audit.contracts.flatMap(({ kind, contract }) =>
    kind === 'extra' ? [contract.address] : [],
  );
  const still = audit.contracts.flatMap(({ kind, contract }) =>
    kind === 'missing' ? [contract.address] : [],
  );
  const applied: EventDifference[] = [];
  try {
    const outcome = await mendRange(
      {
        changes,
        seqNos,
        along: async (tx, part) => {
          await tx.forgetContracts(forgotten.filter((address) => !still.includes(address)));
          if (!(await tx.advancePass({ ...part, id: pass.id }))) throw new PassMovedError(pass.id);
          applied.push(...part.differences);
        },
      },
      audit,
    );
    if (outcome === 'moved') return { kind: 'moved' };
  } catch (error) {
    if (error instanceof PassMovedError) return { kind: 'moved' };
    throw error;
  }
  const positions = Number(audit.range.toPosition - audit.range.fromPosition) + 1;
  stats.positions += positions;
  stats.wholeBlocks += audit.wholeBlocks;
  if (pass.kind === 'second') tellFindings(options, applied);
  else stats.backfilledEvents += applied.filter(({ kind }) => kind === 'missing').length;
  for (const { kind, contract } of audit.contracts) {
    logger.info(
      kind === 'missing'
        ? 'a contract was discovered late'
        : 'a discovered contract was none, and is forgotten',
      { subject: store.subjectId, contract: contract.address, ...placeOf(options, contract.discoveredAt) },
    );
  }
  return { kind: 'read', positions, wholeBlocks: audit.wholeBlocks };
}

function branchText({ position, stored, read }: Extract<RangeAudit, { kind: 'other-branch' }>): string {
  return `block ${position} is ${stored} in the log and ${read} at the endpoint`;
}

/** Lines about findings of one range. More of them are only counted. */
const LINES_MAX = 20;

function tellFindings(options: PassStepOptions, differences: readonly EventDifference[]): void {
  const { changes, stats } = options;
  for (const { kind } of differences) stats.secondFindings[kind]++;
  for (const difference of differences.slice(0, LINES_MAX)) {
    const { seqNo, aggregateType, aggregateId, name, source } = eventOf(difference);
    changes.logger.warn(`the second pass found an event ${SAID[difference.kind]}; the log was mended`, {
      subject: changes.store.subjectId,
      ...placeOf(options, seqNo),
      seqNo,
      txHash: source.txHash,
      aggregate: `${aggregateType}/${aggregateId}`,
      event: name,
    });
  }
  if (differences.length > LINES_MAX) {
    changes.logger.warn('the second pass found more events that were not as the chain tells them', {
      subject: changes.store.subjectId,
      more: differences.length - LINES_MAX,
    });
  }
}

const SAID = {
  missing: 'that had been left out',
  different: 'that had been told otherwise',
  extra: 'that is not in the chain',
} as const;

function placeOf({ seqNos }: PassStepOptions, seqNo: SeqNo): { block: bigint; index: number } {
  const { position, index } = seqNos.decode(seqNo);
  return { block: position, index };
}
