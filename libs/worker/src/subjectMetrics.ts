import type { SeqNoCodec } from '@imart/core';
import type { SubjectReadings } from '@imart/storage';
import type { GaugeMetric, Labels, Metrics } from '@imart/runtime';
import type { WakeUpStream } from '@imart/stream';
import type { ChainWords } from './program';
import { executedPositionOf, type WorkerView } from './workerView';

export interface SubjectMetricsOptions {
  readonly metrics: Metrics;
  readonly view: WorkerView;
  readonly words: Pick<ChainWords, 'position'>;
  readonly seqNos: SeqNoCodec;
  /** What only the database knows. */
  readonly read: () => Promise<SubjectReadings>;
  readonly stream: Pick<WakeUpStream, 'counts'>;
  readonly lanes: number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

/** One look at the database serves all metrics of one reading of the page. */
const LOOK_VALID_MS = 500;
/** A database, or a jobs' backend, that takes longer is away: the page is shown without what it knows. */
const LOOK_TIMEOUT_MS = 1_500;

/**
 * How far the subject is. The names say `block` for a position of any chain: one dashboard and one set of alarms serve all. What the database does not tell at the moment keeps the value it had, and `database_up` says so: a
 * page that fails would hide what the process knows by itself.
 */
export function registerSubjectMetrics(options: SubjectMetricsOptions): void {
  const { metrics, view, words } = options;
  const { one, many } = words.position;
  const look = createLook(options);
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    set: (gauge: GaugeMetric, read: SubjectReadings | null) => void,
  ): void => {
    metrics.gauge(name, help, labelNames, async (metric) => set(metric, await look()));
  };
  const place = (
    name: string,
    help: string,
    valueOf: (read: SubjectReadings | null) => bigint | number | null,
  ): void =>
    gauge(name, help, [], (metric, read) => {
      const value = valueOf(read);
      if (value !== null) metric.set(value);
    });

  metrics.gauge('database_up', '1 when the database answered.', [], async (metric) =>
    metric.set((await look()) === null ? 0 : 1),
  );
  metrics.gauge('database_round_trip_seconds', 'How long the last look at the progress took.', [], (metric) =>
    metric.set(view.lookSeconds),
  );

  const head = (read: SubjectReadings | null): bigint | null =>
    view.head?.position ?? read?.headPosition ?? null;
  const executed = (): bigint | null =>
    view.progress === null ? null : executedPositionOf(view.progress, options.seqNos);
  place('head_block', `Newest ${one} that a provider told of; -1 before.`, (read) => head(read) ?? -1n);
  place('ingested_block', `Last ${one} whose events are all in the log.`, () =>
    view.progress === null ? null : view.progress.nextPosition - 1n,
  );
  place('executed_block', `Last ${one} whose events are all executed.`, executed);
  place('finalized_block', `Last ${one} that no reorg can take back; -1 while none is known.`, () =>
    view.progress === null ? null : (view.progress.finalizedPosition ?? -1n),
  );
  place('lag_blocks', `Head minus executed, in ${many}.`, (read) => {
    const [newest, done] = [head(read), executed()];
    return newest === null || done === null ? null : newest > done ? newest - done : 0n;
  });
  place(
    'lag_seconds',
    `Time of the head minus that of the newest ${one} in the log, by the chain's clock.`,
    (read) => {
      const headUs = view.head?.timeUs ?? read?.headTimeUs ?? null;
      const logUs = view.progress?.chainTimeUs ?? null;
      return headUs === null || logUs === null ? null : Math.max(0, Number(headUs - logUs) / 1e6);
    },
  );
  // By the chain's clock both: no host's clock comes into it.
  place(
    'executed_lag_seconds',
    `Time of the head minus that of the first event that is not executed; of the newest ${one} in the log when all are.`,
    (read) => {
      const headUs = view.head?.timeUs ?? read?.headTimeUs ?? null;
      const waiting = read?.lanes.flatMap(({ oldestTimeUs }) => oldestTimeUs ?? []) ?? [];
      const first = waiting.reduce((least, us) => (us < least ? us : least), waiting[0] ?? 0n);
      const doneUs = waiting.length === 0 ? (view.progress?.chainTimeUs ?? null) : first;
      return read === null || headUs === null || doneUs === null
        ? null
        : Math.max(0, Number(headUs - doneUs) / 1e6);
    },
  );
  place('parked_aggregates', 'Aggregates that are set aside.', (read) => read?.parkedAggregates ?? null);

  const perLane = (
    name: string,
    help: string,
    valueOf: (lane: SubjectReadings['lanes'][number]) => number,
  ): void =>
    gauge(name, help, ['lane'], (metric, read) => {
      for (const lane of read?.lanes ?? []) metric.set(valueOf(lane), { lane: String(lane.lane) });
    });
  perLane('lane_lag_events', 'Events in the log that the lane has not executed.', ({ events }) => events);
  perLane(
    'lane_oldest_unapplied_seconds',
    'How long the oldest of them has been in the log; 0 without one.',
    ({ oldestSeconds }) => oldestSeconds,
  );

  gauge(
    'second_reading_events',
    'Events that second readings found to be missing, different or extra.',
    ['kind', 'finding'],
    (metric, read) => {
      for (const { kind, missingEvents, differentEvents, extraEvents } of read?.passes ?? []) {
        const findings = { missing: missingEvents, different: differentEvents, extra: extraEvents };
        for (const [finding, events] of Object.entries(findings)) metric.set(events, { kind, finding });
      }
    },
  );
  gauge(
    'released_aggregates',
    'Times that operators had a parked aggregate folded again, since the database began.',
    ['action'],
    (metric, read) => {
      for (const { action, aggregates } of read?.releases ?? []) metric.set(aggregates, { action });
    },
  );
  gauge('second_reading_next_block', 'Where the newest second reading is.', ['kind'], (metric, read) => {
    for (const { kind, nextPosition } of read?.passes ?? []) metric.set(nextPosition, { kind });
  });
  registerJobs(options);
}

function registerJobs({ metrics, stream, lanes }: SubjectMetricsOptions): void {
  metrics.gauge(
    'jobs',
    'Wake-up jobs that are kept, by lane and state.',
    ['lane', 'state'],
    async (metric) => {
      const counted = async (lane: number): Promise<void> => {
        const counts = await inTime(stream.counts(lane));
        for (const [state, jobs] of Object.entries(counts ?? {})) {
          const labels: Labels = { lane: String(lane), state };
          metric.set(jobs as number, labels);
        }
      };
      await Promise.all(Array.from({ length: lanes }, (_, lane) => counted(lane)));
    },
  );
}

function createLook({ read, now }: SubjectMetricsOptions): () => Promise<SubjectReadings | null> {
  let last: { readonly at: number; readonly readings: Promise<SubjectReadings | null> } | null = null;
  return () => {
    if (last === null || now() - last.at > LOOK_VALID_MS) last = { at: now(), readings: inTime(read()) };
    return last.readings;
  };
}

/** `null` when it fails or takes too long. */
async function inTime<T>(work: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), LOOK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work.catch(() => null), late]);
  } finally {
    clearTimeout(timer);
  }
}
