/** When a block could first be had from the RPC server, on the machine's monotonic clock. */
export interface Served {
  readonly number: number;
  readonly atNs: bigint;
}

/** One question to the database and its answer: the last block of everything executed, as some moment between the two had it. */
export interface Look {
  readonly askedNs: bigint;
  readonly answeredNs: bigint;
  readonly executed: number;
  /** Raised by every reorg. */
  readonly epoch: number;
}

/** How long a block took until its committed state was seen. */
export interface Latency {
  readonly number: number;
  /** To the answer that showed it: an upper bound. */
  readonly ms: number;
  /** By how much the true time may be shorter: from the question before, whose answer did not show it, to this answer. */
  readonly uncertaintyMs: number;
}

const toMs = (ns: bigint): number => Number(ns) / 1e6;

/**
 * Latency of each served block. The looks must be in the order in which they were made.
 * @throws {RangeError} when a block was never seen, or was seen before it was served: clocks or order are wrong.
 */
export function latencies(served: readonly Served[], looks: readonly Look[]): readonly Latency[] {
  return served.map(({ number, atNs }) => {
    const at = looks.findIndex((look) => look.executed >= number);
    const seen = looks[at];
    if (seen === undefined) throw new RangeError(`block ${number} was never seen executed`);
    if (seen.answeredNs < atNs) throw new RangeError(`block ${number} was seen before it was served`);
    const before = looks[at - 1]?.askedNs ?? atNs;
    const earliest = before > atNs ? before : atNs;
    return { number, ms: toMs(seen.answeredNs - atNs), uncertaintyMs: toMs(seen.answeredNs - earliest) };
  });
}

/** The value that at least the share `q` of the values does not exceed (nearest rank): always one of them. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new RangeError('there is no quantile of nothing');
  if (!(q > 0 && q <= 1)) throw new RangeError(`a quantile is above 0 and at most 1, got ${q}`);
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(q * sorted.length) - 1] as number;
}

/** What is printed of measured times. */
export interface Figures {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly least: number;
  readonly most: number;
}

export function figuresOf(values: readonly number[]): Figures {
  return {
    count: values.length,
    p50: quantile(values, 0.5),
    p99: quantile(values, 0.99),
    least: Math.min(...values),
    most: Math.max(...values),
  };
}

/** The other clock's time between two readings of ours. */
export interface ClockSample {
  readonly beforeNs: bigint;
  readonly toldNs: bigint;
  readonly afterNs: bigint;
}

/**
 * What to subtract from the other clock's times to have them on ours: from the sample with the shortest way, which is wrong
 * by at most half of it.
 */
export function clockOffset(samples: readonly ClockSample[]): {
  readonly offsetNs: bigint;
  readonly errorNs: bigint;
} {
  const [first, ...others] = samples;
  if (first === undefined) throw new RangeError('clocks are compared by at least one sample');
  const way = (sample: ClockSample): bigint => sample.afterNs - sample.beforeNs;
  const best = others.reduce((least, sample) => (way(sample) < way(least) ? sample : least), first);
  return { offsetNs: best.toldNs - (best.beforeNs + way(best) / 2n), errorNs: (way(best) + 1n) / 2n };
}
