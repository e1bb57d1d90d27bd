import type { AuditReader, EvmSubjectStats } from '@imart/chain-evm';

type EndpointCounts = Pick<EvmSubjectStats['endpoints'][number], 'endpoint' | 'requests' | 'errors'>;
type CountedReader = Pick<AuditReader, 'stats' | 'close'>;

/** What this process's second readings have asked, over all times that it held the lease. */
export interface ReaderCounts {
  /** Requests and errors by endpoint. */
  endpoints(): readonly EndpointCounts[];
  /** Counts what this reader asks as well. The function given is to be called at its end: it closes the reader, and keeps its counts. */
  reading(reader: CountedReader): () => void;
}

export function createReaderCounts(): ReaderCounts {
  const open = new Set<CountedReader>();
  let over: readonly EndpointCounts[] = [];
  return {
    endpoints: () => sumOf([...over, ...[...open].flatMap((reader) => reader.stats().endpoints)]),
    reading(reader) {
      open.add(reader);
      return () => {
        reader.close();
        open.delete(reader);
        over = sumOf([...over, ...reader.stats().endpoints]);
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
