import { createRandom } from '../devnet/src/random';
import { applies, type FaultKind, type FaultPoint, type PlannedFault } from './faultPoints';
import { runHistory, type HistoryOptions, type HistoryResult } from './history';

/** A history that did not end as it should, and how to see it again. */
export interface FailedHistory {
  readonly options: HistoryOptions;
  readonly result: HistoryResult;
}

export interface Enumeration {
  /** Points of the history without faults: each port call, before and after. */
  readonly points: readonly FaultPoint[];
  /** How many histories were run. */
  readonly histories: number;
  readonly failed: readonly FailedHistory[];
}

/** Failures beyond these tell nothing new. */
const FAILURES_MAX = 3;

/** Tries each kind of fault at each point of a history, one at a time. */
export async function enumerateFaults(
  options: HistoryOptions,
  kinds: readonly FaultKind[],
): Promise<Enumeration> {
  const { points } = await runHistory({ ...options, faults: [] });
  const plans = points.flatMap((point, at) =>
    kinds.filter((kind) => applies(kind, point)).map((kind): PlannedFault[] => [{ at, kind }]),
  );
  return tryAll(options, points, plans);
}

/** How far into the recovery from the first crash a second one is tried, in points. */
const RECOVERY_POINTS = 60;

/** Tries a second crash at `seconds` places of the recovery from a crash at each point. */
export async function enumeratePairs(options: HistoryOptions, seconds: number): Promise<Enumeration> {
  const { points } = await runHistory({ ...options, faults: [] });
  const random = createRandom(options.seed);
  const plans = points.flatMap((_, at) =>
    Array.from({ length: seconds }, (): PlannedFault[] => [
      { at, kind: 'crash' },
      { at: at + 1 + random.below(RECOVERY_POINTS), kind: 'crash' },
    ]),
  );
  return tryAll(options, points, plans);
}

async function tryAll(
  options: HistoryOptions,
  points: readonly FaultPoint[],
  plans: readonly (readonly PlannedFault[])[],
): Promise<Enumeration> {
  const failed: FailedHistory[] = [];
  let histories = 0;
  for (const faults of plans) {
    const planned = { ...options, faults };
    const result = await runHistory(planned);
    histories++;
    if (result.differences.length > 0) failed.push({ options: planned, result });
    if (failed.length >= FAILURES_MAX) break;
  }
  return { points, histories, failed };
}
