import type { KeptEvent } from '@imart/event-service';

/** Aggregates whose last event is remembered. */
const AGGREGATES_MAX = 10_000;
/** Longer data is not remembered: with the number above it bounds the memory, to some 40 MB. */
const DATA_LENGTH_MAX = 2_000;

/** What this process knows of aggregates without asking: the last event that it has marked of each. Only ever a guess. */
export interface RecentMarks {
  /** Of an aggregate, and a bound of how long the first command of the type waits; `null`: nothing is known. */
  guess(aggregateId: string): { readonly marked: KeptEvent; readonly lagMs: number } | null;
  remember(aggregateId: string, marked: KeptEvent): void;
  forget(aggregateId: string): void;
  /** The database has told this lag. */
  tellLag(lagMs: number): void;
}

export function createRecentMarks(now: () => number = () => performance.now()): RecentMarks {
  const recent = new Map<string, KeptEvent>();
  let lag: { readonly ms: number; readonly at: number } | null = null;
  return {
    guess(aggregateId) {
      const marked = recent.get(aggregateId);
      if (marked === undefined || lag === null) return null;
      // What was first then waits for so much longer at most; what came later waits for less.
      return { marked, lagMs: lag.ms + (now() - lag.at) };
    },
    remember(aggregateId, marked) {
      recent.delete(aggregateId);
      // What is sealed for a person is not kept with the key that opens it.
      if (marked.data.length > DATA_LENGTH_MAX || marked.data.startsWith('sealed:')) return;
      recent.set(aggregateId, marked);
      if (recent.size <= AGGREGATES_MAX) return;
      const [oldest] = recent.keys();
      if (oldest !== undefined) recent.delete(oldest);
    },
    forget: (aggregateId) => void recent.delete(aggregateId),
    tellLag(lagMs) {
      lag = { ms: lagMs, at: now() };
    },
  };
}
