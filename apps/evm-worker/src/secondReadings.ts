import type { AuditReader, EvmSubjectStats } from '@imart/chain-evm';
import { createPassStats, type PassStats } from '@imart/pipeline';

type EndpointCounts = Pick<EvmSubjectStats['endpoints'][number], 'endpoint' | 'requests' | 'errors'>;
type CountedReader = Pick<AuditReader, 'stats' | 'close'>;

/** What this process's second readings have come to, over all times that it held the lease. */
export interface SecondReadings {
  readonly stats: PassStats;
  /** Requests and errors by endpoint. */
  endpoints(): readonly EndpointCounts[];
  /** Counts what this reader asks as well. The function given is to be called at its end: it closes the reader, and keeps its counts. */
  reading(source: CountedReader): () => void;
}

export function createSecondReadings(): SecondReadings {
  const stats = createPassStats();
  const open = new Set<CountedReader>();
  let over: readonly EndpointCounts[] = [];
  return {
    stats,
    endpoints: () => sumOf([...over, ...[...open].flatMap((source) => source.stats().endpoints)]),
    reading(source) {
      open.add(source);
      return () => {
        source.close();
        open.delete(source);
        over = sumOf([...over, ...source.stats().endpoints]);
        // Whoever holds the lease next tells whether it goes on.
        stats.blocked = null;
      };
    },
  };
}

/** One for each endpoint. */
function sumOf(counts: readonly EndpointCounts[]): readonly EndpointCounts[] {
  const sums = new Map<string, EndpointCounts>();
  for (const { endpoint, requests, errors } of counts) {
    const sum = sums.get(endpoint) ?? { endpoint, requests: 0, errors: {} };
    const failed = { ...sum.errors };
    for (const [code, times] of Object.entries(errors)) failed[code] = (failed[code] ?? 0) + times;
    sums.set(endpoint, { endpoint, requests: sum.requests + requests, errors: failed });
  }
  return [...sums.values()];
}
