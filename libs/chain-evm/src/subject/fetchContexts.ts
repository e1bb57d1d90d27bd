import type { Logger } from '@imart/runtime';
import { createLogReader, type LogReader, type RawLog, type SkipReason } from '../fetch/canonicalLog';
import { createLogNumbering, type LogNumbering } from '../fetch/logNumbering';
import type { FetchContext } from '../fetch/readAnswers';
import { createAdaptiveRange, type AdaptiveRange, type AdaptiveRangeOptions } from '../ranges/adaptiveRange';
import type { RpcEndpoint } from '../rpc/endpoint';

export interface FetchContextsOptions {
  readonly ranges: AdaptiveRangeOptions;
  readonly logger: Logger;
  readonly skipped: (reason: SkipReason, count?: number) => void;
  readonly checkBlooms: boolean;
  readonly bloomAlarm: () => void;
  readonly sawRemoved?: () => void;
}

/** What is remembered of each endpoint between two ranges: how much it takes at once, what it was complained of. */
export interface FetchContexts {
  readonly numbering: LogNumbering;
  sizesOf(endpoint: RpcEndpoint): AdaptiveRange;
  /** For one range. */
  of(endpoint: RpcEndpoint, signal: AbortSignal): FetchContext;
}

export function createFetchContexts(options: FetchContextsOptions): FetchContexts {
  const { logger, skipped, checkBlooms, bloomAlarm } = options;
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

  return {
    numbering,
    sizesOf,
    of: (endpoint, signal) => ({
      endpoint,
      sizes: sizesOf(endpoint),
      reader: readerOf(endpoint),
      signal,
      numbering,
      skipped,
      leftOut: leftOutBy(endpoint),
      checkBlooms,
      bloomAlarm,
      sawRemoved: options.sawRemoved,
    }),
  };
}

/** What a node says of a log's place, whatever that is, short enough to be logged. */
function asTold(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 66) : 'unknown';
}
