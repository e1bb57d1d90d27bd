import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Values of a metric's labels. */
export type Labels = Readonly<Record<string, string>>;

/** Only grows. */
export interface CounterMetric {
  /** @param by not negative. @defaultValue 1 */
  add(by?: number | bigint, labels?: Labels): void;
}

/** A value that goes up and down. */
export interface GaugeMetric {
  /** Above 2^53 the last digits are lost: for graphs, not for arithmetic. */
  set(value: number | bigint, labels?: Labels): void;
}

/** Counts how often a value fell below each of its bounds. */
export interface HistogramMetric {
  observe(value: number, labels?: Labels): void;
}

/** The metrics of one process, in Prometheus' text format. Asking twice for one name gives the same metric. */
export interface Metrics {
  /**
   * @param collect for a count that is kept elsewhere: called before each reading with a counter that begins at 0, to add
   * the whole count. Synchronous, so that two readings cannot add to one another; its failure is the reading's failure.
   */
  counter(
    name: string,
    help: string,
    labelNames?: readonly string[],
    collect?: (counter: CounterMetric) => void,
  ): CounterMetric;
  /** @param collect called before each reading, to set the value; its failure is the reading's failure. */
  gauge(
    name: string,
    help: string,
    labelNames?: readonly string[],
    collect?: (gauge: GaugeMetric) => void | Promise<void>,
  ): GaugeMetric;
  /** @param bounds ascending, in the unit that the name ends with. */
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    labelNames?: readonly string[],
  ): HistogramMetric;
  readonly contentType: string;
  render(): Promise<string>;
}

export interface MetricsOptions {
  /** Put before every name. @defaultValue `imart_` */
  readonly prefix?: string;
  /** Labels of every metric. */
  readonly labels?: Labels;
  /** Memory, event loop and garbage collection of this process. @defaultValue `true` */
  readonly processMetrics?: boolean;
}

/** A registry of its own: two of them in one process share nothing. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ ...options.labels });
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry });
  const prefix = options.prefix ?? 'imart_';
  const made = new Map<string, CounterMetric | GaugeMetric | HistogramMetric>();
  const once = <M extends CounterMetric | GaugeMetric | HistogramMetric>(name: string, make: () => M): M => {
    const existing = made.get(name) as M | undefined;
    if (existing !== undefined) return existing;
    const metric = make();
    made.set(name, metric);
    return metric;
  };
  const common = (name: string, help: string, labelNames: readonly string[] | undefined) => ({
    name: `${prefix}${name}`,
    help,
    labelNames: [...(labelNames ?? [])],
    registers: [registry],
  });
  return {
    counter: (name, help, labelNames, collect) =>
      once(name, () => {
        const anew = (read: (counter: CounterMetric) => void): void => {
          counter.reset();
          read(metric);
        };
        const counter = new Counter({
          ...common(name, help, labelNames),
          ...(collect === undefined ? {} : { collect: () => anew(collect) }),
        });
        const metric: CounterMetric = { add: (by = 1, labels = {}) => counter.inc(labels, Number(by)) };
        return metric;
      }),
    gauge: (name, help, labelNames, collect) =>
      once(name, () => {
        const gauge = new Gauge({
          ...common(name, help, labelNames),
          ...(collect === undefined ? {} : { collect: () => collect(metric) }),
        });
        const metric: GaugeMetric = { set: (value, labels = {}) => gauge.set(labels, Number(value)) };
        return metric;
      }),
    histogram: (name, help, bounds, labelNames) =>
      once(name, () => {
        const histogram = new Histogram({ ...common(name, help, labelNames), buckets: [...bounds] });
        return { observe: (value, labels = {}) => histogram.observe(labels, value) };
      }),
    contentType: registry.contentType,
    render: () => registry.metrics(),
  };
}
