import type { BlockRef } from '@imart/core';
import { childAbort, RpcPrunedError } from '@imart/endpoints';
import type { ReadTransaction } from '../read/readEvent';
import { bareTransactions } from './bareTransaction';
import { createHandleReader, type EventHandle, type HandleReader } from './handleEvents';
import {
  refOf,
  type LedgerBatch,
  type LedgerPulse,
  type LedgerReading,
  type LedgerSource,
} from './ledgerSource';
import { createRestLedger, type RestLedgerOptions } from './restLedger';

export interface HandleSourceOptions extends RestLedgerOptions {
  /** All handles of the contracts that are followed. What no handle tells of is not seen. At least one. */
  readonly handles: readonly EventHandle[];
  /** Between two looks at the handles. @defaultValue 1,000 */
  readonly pollIntervalMs: number;
  /** What ends farther below the head is part of catching up. @defaultValue 1,000 */
  readonly catchUpDistanceVersions: number;
  /**
   * The events alone, where the transactions are pruned that they are in: without hash, sender and write set, in the order of the handles
   * within a version. They belong to a subject of their own.
   * @defaultValue false
   */
  readonly bare?: boolean;
}

export const APTOS_HANDLE_DEFAULTS = {
  timeoutMs: 30_000,
  inFlightMax: 8,
  answerBytesMax: 64 * 1024 * 1024,
  pollIntervalMs: 1_000,
  catchUpDistanceVersions: 1_000,
} as const;

/** Transactions of one batch at most. */
const BATCH_TRANSACTIONS_MAX = 100;

/**
 * The transactions of a contract of one's own, by its event handles: the handles tell which versions to read, and those are read whole, so
 * that an event has the SeqNo that it has by every other source. What happens in other transactions is not seen: for markets all of whose
 * events have handles.
 */
export function createHandleSource(options: HandleSourceOptions): LedgerSource {
  const { handles, now, wait, bare = false } = options;
  if (handles.length === 0) throw new RangeError('a source of handles needs at least one handle');
  const ledger = createRestLedger(options);
  const { pool, ledgerInfo, transaction } = ledger;

  async function* read(
    { from, after, to }: LedgerReading,
    signal: AbortSignal,
  ): AsyncGenerator<LedgerBatch | LedgerPulse, void, undefined> {
    let next = from;
    let tip: BlockRef | null = after;
    const same = ledger.sameLedger(signal, after !== null);
    /** Of bare events nothing tells one ledger from another. */
    const comparable = (): BlockRef | null => (bare ? null : tip);
    const running = childAbort(signal);
    const readers = handles.map((handle) => createHandleReader(ledger, handle, from, bare));

    /**
     * Of those that hold the others back, and of those of which no event waits: what is ahead is not read on, so that no more than some pages
     * of each handle are kept.
     */
    const advance = async (head: bigint): Promise<boolean> => {
      const asked = readers.filter(
        ({ provenTo, isEmpty }) => provenTo < head && (isEmpty || provenTo < next),
      );
      const told = await Promise.all(asked.map((reader) => reader.advance(running.signal)));
      return told.includes(true);
    };

    const needed = async (version: bigint, of: readonly HandleReader[]): Promise<ReadTransaction> => {
      const found = await transaction(version, running.signal, (one, endpoint) => {
        for (const reader of of) reader.check(one, endpoint);
      });
      if (found !== null) return found;
      const place = { endpoint: pool.preferred().label, method: `GET version ${version}` };
      throw new RpcPrunedError(place, `version ${version} is pruned`);
    };

    try {
      while (to === null || next <= to) {
        const polledAt = now();
        const head = await ledgerInfo(signal);
        yield {
          kind: 'pulse',
          head: { position: head.version, hash: '', parentHash: '', timeUs: head.timestampUs },
        };
        if (!bare && next < head.oldestVersion) {
          const place = { endpoint: pool.preferred().label, method: 'GET /' };
          throw new RpcPrunedError(place, `version ${next} is pruned, the oldest is ${head.oldestVersion}`);
        }
        const known = comparable();
        if (known !== null && head.version < known.position) same.doubt();
        else await same.assure(known);
        let isBehind = (bare || !same.isDoubtful) && head.version >= next;
        while (isBehind && (to === null || next <= to)) {
          const isMoreKnown = await advance(head.version);
          await same.assure(comparable());
          let watermark = readers.reduce<bigint>(
            (least, { provenTo }) => (provenTo < least ? provenTo : least),
            to ?? head.version,
          );
          if (watermark > head.version) watermark = head.version;
          if (watermark < next) {
            // A handle with many events in one version is read on; a node that lags is waited for.
            if (isMoreKnown) continue;
            break;
          }
          let versions = [...new Set(readers.flatMap((reader) => reader.versionsUpTo(watermark)))].sort(
            (a, b) => (a < b ? -1 : 1),
          );
          if (versions.length > BATCH_TRANSACTIONS_MAX) {
            versions = versions.slice(0, BATCH_TRANSACTIONS_MAX);
            watermark = versions.at(-1) as bigint;
          }
          let transactions: readonly ReadTransaction[];
          let ref: BlockRef;
          if (bare) {
            transactions = bareTransactions(versions, readers, tip?.timeUs ?? 0n);
            const timeUs = transactions.at(-1)?.timestampUs ?? tip?.timeUs ?? 0n;
            ref = { position: watermark, hash: '', parentHash: '', timeUs };
          } else {
            transactions = await Promise.all(versions.map((version) => needed(version, readers)));
            const last = versions.at(-1) === watermark ? transactions.at(-1) : await needed(watermark, []);
            ref = refOf(last as ReadTransaction, watermark === next ? (tip?.hash ?? '') : '');
          }
          for (const reader of readers) reader.taken(watermark);
          const covers = { from: next, to: ref };
          tip = ref;
          next = watermark + 1n;
          const behind = head.version - watermark;
          yield {
            kind: 'batch',
            transactions,
            covers,
            catchingUp: behind > BigInt(options.catchUpDistanceVersions),
          };
          isBehind = next <= head.version;
        }
        if (to === null || next <= to)
          await wait(Math.max(0, polledAt + options.pollIntervalMs - now()), signal);
        signal.throwIfAborted();
      }
    } finally {
      running.abort(new Error('nobody reads the handles any more'));
    }
  }

  return {
    async chainId(signal) {
      void pool.checkAll(signal);
      return (await ledgerInfo(signal)).chainId;
    },
    transaction: (version, signal) => transaction(version, signal),
    read,
    stats: () => pool.stats(),
    close: () => pool.close(),
  };
}
