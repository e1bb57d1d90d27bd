/** Before a port call takes effect, or after it did and before its caller learns of it. */
export type Moment = 'before' | 'after';

/**
 * What happens at a point. `crash`: the process is gone, its transactions are rolled back. `error`: the call fails, passing.
 * `freeze`: the process stands still for a while, holding its locks, and then goes on as if nothing had happened.
 */
export type FaultKind = 'crash' | 'error' | 'freeze';

/** One call of a port, at one of its two moments. */
export interface FaultPoint {
  readonly process: string;
  readonly call: string;
  readonly moment: Moment;
}

/** A fault at the point with this number, counted from 0 over the whole history. */
export interface PlannedFault {
  readonly at: number;
  readonly kind: FaultKind;
}

/** Counts the points of a history as it passes them, and says where its faults are. */
export interface FaultPoints {
  /** @returns the fault that is planned here. */
  pass(point: FaultPoint): FaultKind | undefined;
  /** All points passed so far, in order. */
  readonly passed: readonly FaultPoint[];
  /** Faults that were met. */
  readonly met: readonly PlannedFault[];
}

/** @param random a fault that was not planned, at any point; `undefined` for none. */
export function createFaultPoints(
  planned: readonly PlannedFault[],
  random: (point: FaultPoint) => FaultKind | undefined = () => undefined,
): FaultPoints {
  const passed: FaultPoint[] = [];
  const met: PlannedFault[] = [];
  const byPlace = new Map(planned.map((fault) => [fault.at, fault.kind]));
  return {
    passed,
    met,
    pass(point) {
      const at = passed.push(point) - 1;
      const kind = byPlace.get(at) ?? random(point);
      if (kind === undefined || !applies(kind, point)) return undefined;
      met.push({ at, kind });
      return kind;
    },
  };
}

/** Where a fault can happen: a subject meets its nodes' failures itself. */
export function applies(kind: FaultKind, { call }: FaultPoint): boolean {
  return kind !== 'error' || !call.startsWith('subject.');
}

export function describePoint({ process, call, moment }: FaultPoint): string {
  return `${moment} ${call} of ${process}`;
}
