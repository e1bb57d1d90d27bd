import type { BlockRef } from '@imart/core';
import { childAbort, RpcTimeoutError } from '@imart/endpoints';
import type { ReadTransaction } from '../read/readEvent';
import { readRestPage } from '../read/restTransaction';
import { readSuccessive } from './checkPage';
import type { LedgerBatch, LedgerPulse, LedgerReading, LedgerSource } from './ledgerSource';
import { createPageSize, PAGE_MAX } from './pageSize';
import { createRestLedger, type RestLedgerOptions } from './restLedger';
import { servedByNone, VersionNotServedError } from './versionNotServedError';

export interface RestSourceOptions extends RestLedgerOptions {
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

interface Page {
  readonly from: bigint;
  readonly to: bigint;
  readonly read: Promise<readonly ReadTransaction[]>;
}

/** A ledger by its fullnodes' REST API: whole transactions, a page at a time, several pages on their way. */
export function createRestSource(options: RestSourceOptions): LedgerSource {
  const { now, wait } = options;
  const ledger = createRestLedger(options);
  const { pool, ledgerInfo, transaction } = ledger;
  const pageSize = createPageSize(options.pageMax);

  /** A page, or what there is of its beginning. At least one transaction. */
  const readPage = (from: bigint, to: bigint, signal: AbortSignal): Promise<readonly ReadTransaction[]> =>
    pool.run({
      what: `versions ${from}..${to}`,
      signal,
      giveUp: servedByNone(pool.endpoints),
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

  async function* read(
    { from, after, to }: LedgerReading,
    signal: AbortSignal,
  ): AsyncGenerator<LedgerBatch | LedgerPulse, void, undefined> {
    let next = from;
    let tip: BlockRef | null = after;
    const same = ledger.sameLedger(signal, after !== null);
    let pages: Page[] = [];
    let planned = next;
    let running = childAbort(signal);

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
        if (tip !== null && head.version < tip.position) same.doubt();
        else await same.assure(tip);
        const limit = to !== null && to < head.version ? to : head.version;
        let stalled = same.isDoubtful || next > limit;
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
          await same.assure(tip);
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
