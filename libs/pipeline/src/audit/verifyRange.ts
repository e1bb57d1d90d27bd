import {
  aggregateKeyText,
  type AggregateKey,
  type EventDataCodec,
  type SeqNo,
  type SeqNoCodec,
} from '@imart/core';
import type { ChangeOptions } from '../changes';
import { auditRange, type RangeAudit } from './auditRange';
import { eventOf } from './compareEvents';
import { mendRange } from './mendRange';
import { mendStates } from './mendStates';
import type { PassStore } from './passes';
import type { PositionRange, RangeSource, ReadingDepth } from './source';
import type { StateAudit, StateDifference } from './stateAudit';

export interface VerifyOptions {
  readonly changes: ChangeOptions;
  readonly passes: PassStore;
  readonly source: RangeSource;
  readonly states: StateAudit;
  readonly codec: EventDataCodec;
  readonly seqNos: SeqNoCodec;
}

export interface VerifyRequest extends PositionRange {
  readonly depth: ReadingDepth;
  /** Whether what differs is mended. */
  readonly repair: boolean;
}

/** What was found, in the order in which it was found. */
export type VerifyReport =
  /** A range of the log, compared with the source. */
  | { readonly kind: 'range'; readonly audit: RangeAudit; readonly mended: boolean }
  /** An activity whose event is not in the log. */
  | {
      readonly kind: 'stray-activity';
      readonly seqNo: SeqNo;
      readonly item: number;
      readonly mended: boolean;
    }
  | { readonly kind: 'state'; readonly difference: StateDifference; readonly mended: boolean }
  | { readonly kind: 'aggregates'; readonly compared: number };

/** What it came to. */
export interface VerifyResult {
  readonly positions: bigint;
  readonly events: number;
  readonly aggregates: number;
  /** Events, contracts, states and activities that differ. */
  readonly differences: number;
  /** Of these, what was mended. */
  readonly mended: number;
  /** What could not be compared: another branch, or blocks that are not served. */
  readonly unclear: number;
  /** Where the live stream lacks the logs of contracts that were not known: a worker reads them. `null`: nowhere. */
  readonly backfillFrom: bigint | null;
}

/** Positions of one range at most: what a range finds is held in memory. */
const POSITIONS_MAX = 10_000n;

/** A range that moves while it is mended is compared again so often. */
const MEND_ATTEMPTS = 20;

/**
 * Compares a part of the log with the source, then the states that its events are about with what the log makes of them; mends both when
 * asked to. Works beside running workers: everything it writes, it writes under their locks.
 *
 * @param request within what is ingested.
 * @param report is told of everything as it is found.
 * @throws {WorkerError} what the source or the store throws; what was mended until then stays mended.
 */
export async function verifyRange(
  options: VerifyOptions,
  request: VerifyRequest,
  report: (item: VerifyReport) => void,
  signal: AbortSignal,
): Promise<VerifyResult> {
  const totals = { events: 0, differences: 0, mended: 0, unclear: 0 };
  let backfillFrom: bigint | null = null;
  const touched = new Map<string, AggregateKey>();
  const touch = (key: AggregateKey): void => {
    const { aggregateType, aggregateId } = key;
    touched.set(aggregateKeyText(aggregateType, aggregateId), { aggregateType, aggregateId });
  };

  for (let from = request.fromPosition; from <= request.toPosition;) {
    const most = BigInt(Math.max(1, options.source.positionsPerRange));
    const to = least(from + least(most, POSITIONS_MAX) - 1n, request.toPosition);
    const { audit, mended, discovered } = await verifyLog(
      options,
      { ...request, fromPosition: from, toPosition: to },
      signal,
    );
    report({ kind: 'range', audit, mended });
    if (audit.kind === 'other-branch') {
      totals.unclear++;
    } else {
      const found = audit.differences.length + audit.contracts.length;
      totals.events += audit.events;
      totals.differences += found;
      totals.unclear += audit.unconfirmed.length;
      if (mended) totals.mended += found;
      if (mended && discovered) backfillFrom ??= to + 1n;
      for (const difference of audit.differences) touch(eventOf(difference));
    }
    from = to + 1n;
  }
  const states = await verifyStates(options, request, [...touched.values()], report, signal);
  return {
    positions: request.toPosition - request.fromPosition + 1n,
    events: totals.events,
    aggregates: states.aggregates,
    differences: totals.differences + states.differences,
    mended: totals.mended + states.mended,
    unclear: totals.unclear,
    backfillFrom,
  };
}

interface VerifiedLog {
  readonly audit: RangeAudit;
  readonly mended: boolean;
  readonly discovered: boolean;
}

async function verifyLog(
  { changes, passes, source, codec, seqNos }: VerifyOptions,
  { repair, ...range }: VerifyRequest,
  signal: AbortSignal,
): Promise<VerifiedLog> {
  for (let attempt = 1; ; attempt++) {
    const audit = await auditRange({ store: changes.store, passes, source, codec, seqNos }, range, signal);
    if (audit.kind === 'other-branch' || audit.change === null || !repair) {
      return { audit, mended: false, discovered: false };
    }
    const addresses = (kind: 'missing' | 'extra'): readonly string[] =>
      audit.contracts.flatMap((one) => (one.kind === kind ? [one.contract.address] : []));
    const [missing, extra] = [addresses('missing'), addresses('extra')];
    const outcome = await mendRange(
      {
        changes,
        seqNos,
        along: async (tx, part) => {
          await tx.forgetContracts(extra.filter((address) => !missing.includes(address)));
          // What workers have read beyond this range, they have read without these contracts.
          if (part.discovered) {
            await tx.addBackfill(
              range.toPosition + 1n,
              `contracts that a repair discovered: ${missing.join(', ')}`,
            );
          }
        },
      },
      audit,
    );
    if (outcome === 'mended') return { audit, mended: true, discovered: missing.length > 0 };
    if (attempt >= MEND_ATTEMPTS) return { audit, mended: false, discovered: false };
  }
}

/** Aggregates whose states are compared at once. */
const AGGREGATES_PER_ROUND = 1_000;

async function verifyStates(
  { changes, states }: VerifyOptions,
  { repair, fromPosition, toPosition }: VerifyRequest,
  touched: readonly AggregateKey[],
  report: (item: VerifyReport) => void,
  signal: AbortSignal,
): Promise<{ readonly aggregates: number; readonly differences: number; readonly mended: number }> {
  const range = { fromPosition, toPosition };
  const strays = await states.strayActivities(range);
  const keys = new Map(
    [...(await states.aggregatesIn(range)), ...touched].map((key) => [
      aggregateKeyText(key.aggregateType, key.aggregateId),
      key,
    ]),
  );
  for (const stray of strays) report({ kind: 'stray-activity', ...stray, mended: repair });
  if (repair)
    await mendStates(
      changes,
      [],
      strays.map(({ seqNo }) => seqNo),
      [],
    );
  let differences = strays.length;
  const all = [...keys.values()];
  for (let start = 0; start < all.length; start += AGGREGATES_PER_ROUND) {
    signal.throwIfAborted();
    const found = await states.compare(all.slice(start, start + AGGREGATES_PER_ROUND));
    differences += found.length;
    if (repair && found.length > 0) {
      const wrong = found.flatMap(({ aggregate }) => aggregate ?? []);
      const unique = new Map(wrong.map((key) => [aggregateKeyText(key.aggregateType, key.aggregateId), key]));
      const orphaned = found.flatMap(({ table, kind, aggregate }) =>
        table === 'park_markers' && kind === 'extra' && aggregate !== null ? [aggregate] : [],
      );
      await mendStates(changes, [...unique.values()], [], orphaned);
    }
    for (const difference of found) {
      report({ kind: 'state', difference, mended: repair && difference.aggregate !== null });
    }
    report({ kind: 'aggregates', compared: Math.min(all.length, start + AGGREGATES_PER_ROUND) });
  }
  return { aggregates: all.length, differences, mended: repair ? differences : 0 };
}

const least = (a: bigint, b: bigint): bigint => (b < a ? b : a);
