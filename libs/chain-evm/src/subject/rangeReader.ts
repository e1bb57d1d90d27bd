import { fetchRange, type RangeData, type RangeRequest } from '../fetch/fetchRange';
import { lacksNumbers } from '../fetch/logNumbering';
import { blocksToRenumber, mergeLogs } from '../fetch/logOrder';
import type { LogFilter } from '../follow';
import { rangeText, type BlockRange } from '../ranges/blockRange';
import type { RpcEndpoint } from '../rpc/endpoint';
import { BlockNotServedError } from '../rpc/errors';
import type { RpcPool } from '../rpc/pool';
import { createFetchContexts, type FetchContextsOptions } from './fetchContexts';

/** A range and who gave it. */
export interface ReadRange {
  readonly data: RangeData;
  readonly endpoint: RpcEndpoint;
}

export interface RangeReaderOptions extends FetchContextsOptions {
  readonly pool: RpcPool;
  readonly filter: LogFilter;
}

/** Reads ranges, each from one endpoint, remembering how much each endpoint takes. */
export interface RangeReader {
  /** Blocks of the next range for the endpoint that would be asked now. */
  readonly nextBlocks: number;
  /**
   * @throws {BlockNotServedError} no endpoint has the range's last block, though each was asked: look at the head again.
   * @throws {WorkerError} `stop`
   */
  read(range: BlockRange, allHeaders: boolean, signal: AbortSignal, avoid?: RpcEndpoint): Promise<ReadRange>;
  /** Whether the range was read before another one showed that its log indexes are no places: read it again. */
  lacksNumbers(range: ReadRange): boolean;
  /**
   * Adds the logs of contracts that were discovered after the range was asked for.
   * @returns `null` when the addition does not fit: read the whole range again.
   */
  complete(range: ReadRange, children: readonly string[], signal: AbortSignal): Promise<ReadRange | null>;
  /** The chain took this block and those above it back: what they showed of the endpoints does not count any more. */
  forgetFrom(block: number): void;
}

export function createRangeReader(options: RangeReaderOptions): RangeReader {
  const { pool, filter } = options;
  const contexts = createFetchContexts(options);
  const { numbering } = contexts;

  const ask = (request: RangeRequest, signal: AbortSignal, avoid?: RpcEndpoint): Promise<ReadRange> =>
    pool.run({
      what: rangeText(request.range),
      signal,
      avoid,
      giveUp: (error, attempt) =>
        error instanceof BlockNotServedError &&
        attempt >= Math.max(NOT_SERVED_ATTEMPTS, pool.endpoints.length),
      work: async (endpoint) => {
        return { data: await fetchRange(contexts.of(endpoint, signal), filter, request), endpoint };
      },
    });

  return {
    get nextBlocks() {
      return contexts.sizesOf(pool.preferred()).blocks;
    },
    read: (range, allHeaders, signal, avoid) =>
      ask({ range, queries: filter.queries(), allHeaders, children: [] }, signal, avoid),
    lacksNumbers: ({ data }) => lacksNumbers(numbering, data.logs, data.numberedFrom),
    forgetFrom: (block) => numbering.forgetFrom(block),
    async complete({ data, endpoint }, children, signal) {
      const { range } = data;
      const queries = filter.childQueries(children);
      const more = (await ask({ range, queries, allHeaders: false, children }, signal)).data;
      const logs = mergeLogs([data.logs, more.logs]);
      if (more.last.hash !== data.last.hash || blocksToRenumber(logs).length > 0) return null;
      const unnumbered = [data, more].some((part) => lacksNumbers(numbering, part.logs, part.numberedFrom));
      if (unnumbered) return null;
      return {
        endpoint,
        data: {
          ...data,
          logs,
          timestamps: new Map([...data.timestamps, ...more.timestamps]),
          receipts: new Map([...data.receipts, ...more.receipts]),
          numberedFrom: numbering.from,
          received: data.received + more.received,
          children: new Set([...data.children, ...more.children]),
        },
      };
    },
  };
}

/** A node that has just announced a block may need a moment to serve it. */
const NOT_SERVED_ATTEMPTS = 3;
