import type { BlockRef } from '@imart/core';
import {
  childAbort,
  createEndpointPool,
  RpcInconsistentError,
  RpcPrunedError,
  RpcTimeoutError,
  WrongChainError,
  type EndpointPool,
  type EndpointPoolOptions,
} from '@imart/endpoints';
import { LedgerReplacedError } from '../errors';
import type { ReadTransaction } from '../read/readEvent';
import { readRestPage, readRestTransaction } from '../read/restTransaction';
import { readSuccessive } from './checkPage';
import type { LedgerBatch, LedgerPulse, LedgerReading, LedgerSource } from './ledgerSource';
import { createPageSize, PAGE_MAX } from './pageSize';
import { createRestEndpoint, type RestEndpoint, type RestEndpointOptions } from './restEndpoint';
import { VersionNotServedError } from './versionNotServedError';

export interface RestSourceOptions
  extends
    Omit<RestEndpointOptions, 'url' | 'place' | 'chainId' | 'apiKey'>,
    Omit<EndpointPoolOptions<RestEndpoint>, 'endpoints' | 'verify'> {
  /** Names the subject in errors. */
  readonly subjectId: string;
  /** Of REST APIs of that chain, in order of preference. At least one. */
  readonly urls: readonly string[];
  /** `null`: whichever the first one serves that answers. */
  readonly chainId: number | null;
  readonly apiKey: string | null;
  /** Between two looks at the head. @defaultValue 1,000 */
  readonly pollIntervalMs: number;
  /** Between two looks at the head while versions below it are read. @defaultValue 5,000 */
  readonly catchUpPollIntervalMs: number;
  /** A page that ends farther below the head is part of catching up. @defaultValue 1,000 */
  readonly catchUpDistanceVersions: number;
  /** Transactions of one page. @defaultValue 100 */
  readonly pageMax: number;
  /** Pages on their way at once, handed on in order. @defaultValue 8 */
  readonly pagesInFlightMax: number;
}

export const APTOS_REST_DEFAULTS = {
  timeoutMs: 30_000,
  inFlightMax: 8,
  answerBytesMax: 64 * 1024 * 1024,
  pollIntervalMs: 1_000,
  catchUpPollIntervalMs: 5_000,
  catchUpDistanceVersions: 1_000,
  pageMax: PAGE_MAX,
  pagesInFlightMax: 8,
} as const;

/** What a node says of its ledger. */
interface LedgerInfo {
  readonly chainId: number;
  readonly version: bigint;
  readonly timestampUs: bigint;
}

interface Page {
  readonly from: bigint;
  readonly to: bigint;
  readonly read: Promise<readonly ReadTransaction[]>;
}

/** A node that lags may be the only one that answers: then it is time to look at the head again. */
const NOT_SERVED_ATTEMPTS = 3;

function readLedgerInfo(endpoint: RestEndpoint, body: string): LedgerInfo {
  const place = { endpoint: endpoint.label, method: 'GET /' };
  let info: Record<string, unknown>;
  try {
    info = JSON.parse(body) as Record<string, unknown>;
  } catch {
    throw new RpcInconsistentError(place, 'the ledger info is no JSON');
  }
  const { chain_id: chainId, ledger_version: version, ledger_timestamp: timestamp } = info ?? {};
  const isNumber = (text: unknown): text is string => typeof text === 'string' && /^\d{1,20}$/.test(text);
  if (typeof chainId !== 'number' || !isNumber(version) || !isNumber(timestamp))
    throw new RpcInconsistentError(
      place,
      'the ledger info lacks chain_id, ledger_version or ledger_timestamp',
    );
  return { chainId, version: BigInt(version), timestampUs: BigInt(timestamp) };
}

/** A ledger by its fullnodes' REST API: whole transactions, a page at a time, several pages on their way. */
export function createRestSource(options: RestSourceOptions): LedgerSource {
  const { subjectId, chainId, logger, now, wait } = options;
  const verify = async (endpoint: RestEndpoint, signal: AbortSignal): Promise<void> => {
    const info = readLedgerInfo(endpoint, (await endpoint.get('/', null, signal)).body);
    if (chainId !== null && info.chainId !== chainId)
      throw new WrongChainError(endpoint.label, String(chainId), String(info.chainId), 'GET /');
  };
  const pool: EndpointPool<RestEndpoint> = createEndpointPool({
    ...options,
    verify,
    endpoints: options.urls.map((url, i) => createRestEndpoint({ ...options, url, place: i + 1 })),
  });
  const pageSize = createPageSize(options.pageMax);

  const ledgerInfo = (signal: AbortSignal): Promise<LedgerInfo> =>
    pool.run({
      what: 'the ledger info',
      signal,
      work: async (endpoint) => readLedgerInfo(endpoint, (await endpoint.get('/', null, signal)).body),
    });

  const transaction = async (version: bigint, signal: AbortSignal): Promise<ReadTransaction | null> => {
    const path = `/transactions/by_version/${version}`;
    try {
      return await pool.run({
        what: `version ${version}`,
        signal,
        work: async (endpoint) => {
          const { body } = await endpoint.get(path, version, signal);
          const place = { endpoint: endpoint.label, method: `GET ${path}` };
          const [read] = readSuccessive(place, version, 1, () => [readRestTransaction(JSON.parse(body))]);
          return read as ReadTransaction;
        },
      });
    } catch (error) {
      if (error instanceof RpcPrunedError) return null;
      throw error;
    }
  };

  /** A page, or what there is of its beginning. At least one transaction. */
  const readPage = (from: bigint, to: bigint, signal: AbortSignal): Promise<readonly ReadTransaction[]> =>
    pool.run({
      what: `versions ${from}..${to}`,
      signal,
      giveUp: (error, attempt) =>
        error instanceof VersionNotServedError &&
        attempt >= Math.max(NOT_SERVED_ATTEMPTS, pool.endpoints.length),
      work: async (endpoint) => {
        const limit = Math.min(Number(to - from) + 1, pageSize.size);
        const place = { endpoint: endpoint.label, method: 'GET /transactions' };
        try {
          const path = `/transactions?start=${from}&limit=${limit}`;
          const { body, ledger } = await endpoint.get(path, from, signal);
          const page = readSuccessive(place, from, limit, () => readRestPage(body));
          if (page.length === 0) throw new VersionNotServedError(place, `nothing from version ${from} on`);
          if (page.length === limit) pageSize.whole(limit);
          else if (ledger.version !== null && ledger.version >= from + BigInt(limit - 1))
            pageSize.cut(page.length);
          return page;
        } catch (error) {
          if (error instanceof RpcTimeoutError) pageSize.tooSlow(limit);
          throw error;
        }
      },
    });

  /** Whether what was read is still what the ledger has: asked when it may have been started anew. */
  const checkSameLedger = async (tip: BlockRef, signal: AbortSignal): Promise<void> => {
    const found = await transaction(tip.position, signal);
    if (found === null) {
      logger.warn(
        'the last version that was read is pruned: it cannot be checked that the ledger is the same',
        {
          version: tip.position,
        },
      );
      return;
    }
    const { accumulatorRootHash: seen } = found;
    if (seen !== tip.hash)
      throw new LedgerReplacedError(subjectId, pool.preferred().label, tip.position, tip.hash, seen);
  };

  async function* read(
    { from, after, to }: LedgerReading,
    signal: AbortSignal,
  ): AsyncGenerator<LedgerBatch | LedgerPulse, void, undefined> {
    let next = from;
    let tip: BlockRef | null = after;
    let mayBeAnother = after !== null;
    let pages: Page[] = [];
    let planned = next;
    let running = childAbort(signal);

    let lost = lostConnections(pool);
    /** Asks who answers now, when that may be another one than before. */
    const assureSameLedger = async (): Promise<void> => {
      while (tip !== null && (mayBeAnother || lostConnections(pool) !== lost)) {
        lost = lostConnections(pool);
        mayBeAnother = true;
        await checkSameLedger(tip, signal);
        mayBeAnother = false;
      }
    };

    const ask = (first: bigint, last: bigint): Page => {
      const reading = readPage(first, last, running.signal);
      // Met by whoever takes it; until then it is nobody's unhandled rejection.
      reading.catch(() => undefined);
      return { from: first, to: last, read: reading };
    };
    const fill = (limit: bigint): void => {
      while (pages.length < options.pagesInFlightMax && planned <= limit) {
        const last = planned + BigInt(pageSize.size) - 1n;
        const page = ask(planned, last < limit ? last : limit);
        pages.push(page);
        planned = page.to + 1n;
      }
    };
    const letGo = (): void => {
      running.abort(new Error('the pages are not needed any more'));
      running = childAbort(signal);
      pages = [];
      planned = next;
    };

    try {
      for (;;) {
        if (to !== null && next > to) return;
        const polledAt = now();
        const head = await ledgerInfo(signal);
        yield {
          kind: 'pulse',
          head: { position: head.version, hash: '', parentHash: '', timeUs: head.timestampUs },
        };
        if (tip !== null && head.version < tip.position) mayBeAnother = true;
        else await assureSameLedger();
        const limit = to !== null && to < head.version ? to : head.version;
        let stalled = mayBeAnother || next > limit;
        while (!stalled && next <= limit && now() - polledAt < options.catchUpPollIntervalMs) {
          fill(limit);
          const page = pages.shift() as Page;
          let transactions: readonly ReadTransaction[];
          try {
            transactions = await page.read;
          } catch (error) {
            letGo();
            if (!(error instanceof VersionNotServedError)) throw error;
            stalled = true;
            break;
          }
          // It may have come from whoever answered after a connection was lost.
          await assureSameLedger();
          const last = transactions.at(-1) as ReadTransaction;
          // What a node left out of a page is asked for before what follows it.
          if (last.version < page.to) pages.unshift(ask(last.version + 1n, page.to));
          next = last.version + 1n;
          fill(limit);
          tip = {
            position: last.version,
            hash: last.accumulatorRootHash,
            parentHash: '',
            timeUs: last.timestampUs,
          };
          const behind = head.version - last.version;
          yield { kind: 'batch', transactions, catchingUp: behind > BigInt(options.catchUpDistanceVersions) };
        }
        if (stalled || next > limit) {
          const done = to !== null && next > to;
          if (!done) await wait(Math.max(0, polledAt + options.pollIntervalMs - now()), signal);
        }
        signal.throwIfAborted();
      }
    } finally {
      running.abort(new Error('nobody reads the ledger any more'));
    }
  }

  return {
    async chainId(signal) {
      // Not waited for: an endpoint that is down must not keep the others from answering.
      void pool.checkAll(signal);
      return (await ledgerInfo(signal)).chainId;
    },
    transaction,
    read,
    stats: () => pool.stats(),
    close: () => pool.close(),
  };
}

/** How often a connection was refused or broke off: what comes back may have been started anew. */
function lostConnections(pool: EndpointPool<RestEndpoint>): number {
  return pool.stats().reduce((sum, { errors }) => sum + (errors['RPC_UNAVAILABLE'] ?? 0), 0);
}
