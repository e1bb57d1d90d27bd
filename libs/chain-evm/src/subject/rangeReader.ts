import type { Logger } from '@imart/runtime';
import { createLogReader, type LogReader, type RawLog, type SkipReason } from '../fetch/canonicalLog';
import { fetchRange, type RangeData, type RangeRequest } from '../fetch/fetchRange';
import type { FetchContext } from '../fetch/readAnswers';
import { createLogNumbering, lacksNumbers } from '../fetch/logNumbering';
import { blocksToRenumber, mergeLogs } from '../fetch/logOrder';
import type { LogFilter } from '../follow';
import { createAdaptiveRange, type AdaptiveRange, type AdaptiveRangeOptions } from '../ranges/adaptiveRange';
import { rangeText, type BlockRange } from '../ranges/blockRange';
import type { RpcEndpoint } from '../rpc/endpoint';
import { BlockNotServedError } from '../rpc/errors';
import type { RpcPool } from '../rpc/pool';

/** A range and who gave it. */
export interface ReadRange {
  readonly data: RangeData;
  readonly endpoint: RpcEndpoint;
}

export interface RangeReaderOptions {
  readonly pool: RpcPool;
  readonly filter: LogFilter;
  readonly ranges: AdaptiveRangeOptions;
  readonly logger: Logger;
  readonly skipped: (reason: SkipReason, count?: number) => void;
  readonly checkBlooms: boolean;
  readonly bloomAlarm: () => void;
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
}

export function createRangeReader(options: RangeReaderOptions): RangeReader {
  const { pool, filter, logger, skipped, checkBlooms, bloomAlarm } = options;
  const sizes = new Map<RpcEndpoint, AdaptiveRange>();
  const readers = new Map<RpcEndpoint, LogReader>();

  const sizesOf = (endpoint: RpcEndpoint): AdaptiveRange => {
    const known = sizes.get(endpoint) ?? createAdaptiveRange(options.ranges);
    sizes.set(endpoint, known);
    return known;
  };
  const readerOf = (endpoint: RpcEndpoint): LogReader => {
    const known = readers.get(endpoint) ?? createLogReader();
    readers.set(endpoint, known);
    return known;
  };

  const numbering = createLogNumbering((block) => {
    logger.info('log indexes are not places in their block: from here on they are counted in its receipts', {
      block,
    });
  });
  const complaints = new Set<string>();
  const leftOutBy =
    ({ label }: RpcEndpoint) =>
    (reason: SkipReason, { blockNumber, transactionHash }: RawLog): void => {
      const complaint = `${reason} ${label}`;
      if (complaints.has(complaint)) return;
      complaints.add(complaint);
      logger.warn('a log that is malformed, pending or removed is left out; more of them are only counted', {
        reason,
        endpoint: label,
        block: asTold(blockNumber),
        transaction: asTold(transactionHash),
      });
    };

  const ask = (request: RangeRequest, signal: AbortSignal, avoid?: RpcEndpoint): Promise<ReadRange> =>
    pool.run({
      what: rangeText(request.range),
      signal,
      avoid,
      giveUp: (error, attempt) =>
        error instanceof BlockNotServedError &&
        attempt >= Math.max(NOT_SERVED_ATTEMPTS, pool.endpoints.length),
      work: async (endpoint) => {
        const context: FetchContext = {
          endpoint,
          sizes: sizesOf(endpoint),
          reader: readerOf(endpoint),
          signal,
          numbering,
          skipped,
          leftOut: leftOutBy(endpoint),
          checkBlooms,
          bloomAlarm,
        };
        return { data: await fetchRange(context, filter, request), endpoint };
      },
    });

  return {
    get nextBlocks() {
      return sizesOf(pool.preferred()).blocks;
    },
    read: (range, allHeaders, signal, avoid) =>
      ask({ range, queries: filter.queries(), allHeaders, children: [] }, signal, avoid),
    lacksNumbers: ({ data }) => lacksNumbers(numbering, data.logs, data.numberedFrom),
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

/** What a node says of a log's place, whatever that is, short enough to be logged. */
function asTold(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 66) : 'unknown';
}

/** A node that has just announced a block may need a moment to serve it. */
const NOT_SERVED_ATTEMPTS = 3;
