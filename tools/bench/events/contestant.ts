/** An event that is measured: small, as events of people are. */
export interface BenchEvent {
  readonly amount: number;
  readonly note: string;
}

export const benchEvent = (n: number): BenchEvent => ({
  amount: 1 + (n % 7),
  note: `note ${n % 1_000} of a person`,
});

/** What is measured of each store, in the same order and on a database of its own. */
export interface Contestant {
  readonly name: string;
  /** Appends one event to a stream; resolves when it is durable where it is read. */
  appendOne(stream: string, n: number): Promise<void>;
  /** Waits until everything appended can be read. */
  settled(): Promise<void>;
  /** Appends batches of 100, each to a stream of its own. @returns seconds that it took. */
  appendBatches(batches: number): Promise<number>;
  /** Makes a stream of so many events; not measured. */
  fill(stream: string, events: number): Promise<void>;
  /** Loads all events of a stream. @returns how many, and the sum of their amounts. */
  load(stream: string): Promise<{ readonly events: number; readonly sum: number }>;
  /** How many events there are in all streams. */
  count(): Promise<number>;
  close(): Promise<void>;
}

export const BATCH_EVENTS = 100;

/** The sum of the amounts of the first events. */
export const sumOf = (events: number): number =>
  Array.from({ length: events }, (_, n) => benchEvent(n).amount).reduce((sum, amount) => sum + amount, 0);

/** @throws when what was read is not what was written. */
export function mustBe<T>(what: string, found: T, expected: T): void {
  if (found !== expected)
    throw new Error(`${what}: ${String(found)} instead of ${String(expected)}; nothing is measured`);
}
