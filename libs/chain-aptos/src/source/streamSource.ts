import { ConfigError, messageOf, type BlockRef } from '@imart/core';
import {
  childAbort,
  createEndpointPool,
  RpcAnswerRefusedError,
  RpcError,
  RpcInconsistentError,
  RpcPrunedError,
  RpcTimeoutError,
  RpcUnavailableError,
  WrongChainError,
  type EndpointPoolOptions,
} from '@imart/endpoints';
import { retryDelayMs } from '@imart/pipeline';
import { LedgerReplacedError } from '../errors';
import type { ReadTransaction } from '../read/readEvent';
import { readWireResponse, type WireResponse } from '../read/wireTransaction';
import { readSuccessive } from './checkPage';
import {
  refOf,
  type LedgerBatch,
  type LedgerPulse,
  type LedgerReading,
  type LedgerSource,
} from './ledgerSource';
import { createPageSize } from './pageSize';
import {
  createStreamEndpoint,
  type OpenStream,
  type StreamEndpoint,
  type StreamEndpointOptions,
} from './streamEndpoint';

export interface StreamSourceOptions
  extends
    Omit<StreamEndpointOptions, 'url' | 'place'>,
    Omit<EndpointPoolOptions<StreamEndpoint>, 'endpoints' | 'verify'> {
  /** Names the subject in errors. */
  readonly subjectId: string;
  /** Of servers of that chain's Transaction Stream, in order of preference. At least one. */
  readonly urls: readonly string[];
  /** `null`: that of the first message. */
  readonly chainId: number | null;
  /** Until the first message of a stream. @defaultValue 30,000 */
  readonly timeoutMs: number;
  /** A stream without a message for so long is opened anew. @defaultValue 60,000 */
  readonly silenceMs: number;
  /** Between two signs of life. @defaultValue 1,000 */
  readonly pollIntervalMs: number;
  /** Between two attempts at an endpoint that is preferred to the one in use. @defaultValue 60,000 */
  readonly failBackIntervalMs: number;
  /**
   * Transactions of one message, at most 1,000; lowered when messages are too large. Some 16 messages wait in memory for their turn: of
   * transactions of 3 KB, 50 MB with 1,000 in each. With 250 the server had six times the work of 500. @defaultValue 500
   */
  readonly batchMax: number;
}

export const APTOS_STREAM_DEFAULTS = {
  messageBytesMax: 256 * 1024 * 1024,
  timeoutMs: 30_000,
  silenceMs: 60_000,
  pollIntervalMs: 1_000,
  failBackIntervalMs: 60_000,
  batchMax: 500,
} as const;

/** More in one message than a server would send: it is none. */
const MESSAGE_TRANSACTIONS_MAX = 100_000;

interface Opened {
  readonly stream: OpenStream;
  readonly endpoint: StreamEndpoint;
  /** The transactions of its first message that has some; the first of all is the one that was asked for. */
  readonly first: readonly ReadTransaction[];
}

/** A ledger by its gRPC Transaction Stream: for backfills, and as soon as a version is there. */
export function createStreamSource(options: StreamSourceOptions): LedgerSource {
  const { subjectId, logger, now, wait } = options;
  let { chainId } = options;
  const pool = createEndpointPool<StreamEndpoint>({
    ...options,
    // Every message says which chain it is of.
    verify: () => Promise.resolve(),
    endpoints: options.urls.map((url, i) => createStreamEndpoint({ ...options, url, place: i + 1 })),
  });
  const batchSize = createPageSize(options.batchMax);

  /** @throws {RpcError} the message is not of this chain, or not what comes next. */
  const readMessage = (endpoint: StreamEndpoint, bytes: Buffer, next: bigint): readonly ReadTransaction[] => {
    const place = { endpoint: endpoint.label, method: 'GetTransactions' };
    let response: WireResponse;
    try {
      response = readWireResponse(bytes);
    } catch (error) {
      throw new RpcInconsistentError(place, messageOf(error));
    }
    if (response.chainId === null) throw new RpcInconsistentError(place, 'a message without a chain id');
    chainId ??= Number(response.chainId);
    if (response.chainId !== BigInt(chainId))
      throw new WrongChainError(endpoint.label, String(chainId), String(response.chainId), place.method);
    return readSuccessive(place, next, MESSAGE_TRANSACTIONS_MAX, () => response.transactions);
  };

  /** Opens a stream and waits for its first transactions. */
  const openAt = async (
    endpoint: StreamEndpoint,
    from: bigint,
    count: bigint | null,
    signal: AbortSignal,
  ): Promise<Opened> => {
    const place = { endpoint: endpoint.label, method: 'GetTransactions' };
    const asked = batchSize.size;
    const stream = endpoint.open({ startingVersion: from, count, batchSize: asked });
    const waiting = childAbort(signal);
    try {
      const late = wait(options.timeoutMs, waiting.signal).then((): never => {
        signal.throwIfAborted();
        throw new RpcTimeoutError(place, `no message within ${options.timeoutMs} ms`);
      });
      late.catch(() => undefined);
      for (;;) {
        const coming = stream.next();
        coming.catch(() => undefined);
        const bytes = await Promise.race([coming, late]);
        if (bytes === null)
          throw new RpcUnavailableError(place, 'the stream ended before its first transaction');
        const first = readMessage(endpoint, bytes, from);
        if (first.length === 0) continue;
        batchSize.whole(asked);
        return { stream, endpoint, first };
      }
    } catch (error) {
      stream.close();
      signal.throwIfAborted();
      if (error instanceof RpcTimeoutError) batchSize.tooSlow(asked);
      throw error;
    } finally {
      waiting.abort(new Error('the stream is open'));
    }
  };

  const open = (
    from: bigint,
    count: bigint | null,
    signal: AbortSignal,
    avoid?: StreamEndpoint,
  ): Promise<Opened> =>
    pool.run({
      what: `the stream from version ${from} on`,
      signal,
      avoid,
      work: (endpoint) => openAt(endpoint, from, count, signal),
    });

  const transaction = async (version: bigint, signal: AbortSignal): Promise<ReadTransaction | null> => {
    try {
      const { stream, first } = await open(version, 1n, signal);
      stream.close();
      return first[0] ?? null;
    } catch (error) {
      if (error instanceof RpcPrunedError) return null;
      throw error;
    }
  };

  /** Resolves when an endpoint that is preferred to this one serves the version. Never, when there is none. */
  const preferredServes = async (
    current: StreamEndpoint,
    version: bigint,
    signal: AbortSignal,
  ): Promise<void> => {
    const better = pool.endpoints.slice(0, pool.endpoints.indexOf(current));
    for (;;) {
      await wait(options.failBackIntervalMs, signal);
      for (const endpoint of better) {
        signal.throwIfAborted();
        try {
          const work = (one: StreamEndpoint): Promise<Opened> => openAt(one, version, 1n, signal);
          const { stream } = await pool.ask(endpoint, { what: 'whether it is back', signal, work });
          stream.close();
          return;
        } catch (error) {
          if (signal.aborted || !(error instanceof RpcError)) throw error;
        }
      }
    }
  };

  async function* read(
    { from, after, to }: LedgerReading,
    signal: AbortSignal,
  ): AsyncGenerator<LedgerBatch | LedgerPulse, void, undefined> {
    let next = from;
    let tip: BlockRef | null = after;
    let avoid: StreamEndpoint | undefined;
    let pulsedAt = Number.NEGATIVE_INFINITY;
    /** Streams in succession that gave nothing new; how many of them contradicted themselves. */
    let fruitless = 0;
    let contradictions = 0;
    const duePulse = (): LedgerPulse | null => {
      if (tip === null || now() - pulsedAt < options.pollIntervalMs) return null;
      pulsedAt = now();
      return { kind: 'pulse', head: tip };
    };

    while (to === null || next <= to) {
      // The last version that was read is asked for again: whoever has another one there has another ledger.
      const start = tip === null ? next : tip.position;
      const { stream, endpoint, first } = await open(
        start,
        to === null ? null : to - start + 1n,
        signal,
        avoid,
      );
      avoid = undefined;
      const session = childAbort(signal);
      let isBack = false;
      const failBack =
        endpoint === pool.endpoints[0] ? null : preferredServes(endpoint, start, session.signal);
      void failBack?.then(
        () => (isBack = true),
        () => undefined,
      );
      let transactions = first;
      try {
        if (tip !== null) {
          const [again, ...rest] = transactions;
          const seen = again?.accumulatorRootHash ?? '';
          if (seen !== tip.hash)
            throw new LedgerReplacedError(subjectId, endpoint.label, tip.position, tip.hash, seen);
          transactions = rest;
        }
        for (;;) {
          const last = transactions.at(-1);
          if (last !== undefined) {
            fruitless = 0;
            contradictions = 0;
            const before: string = transactions.at(-2)?.accumulatorRootHash ?? tip?.hash ?? '';
            next = last.version + 1n;
            tip = refOf(last, before);
            yield {
              kind: 'batch',
              transactions,
              catchingUp: stream.hasMore || transactions.length >= batchSize.size,
            };
          }
          const pulse = duePulse();
          if (pulse !== null) yield pulse;
          if (to !== null && next > to) return;
          if (isBack) {
            logger.info('an endpoint that is preferred is back', { endpoint: pool.endpoints[0]?.label });
            break;
          }
          const bytes = yield* nextMessage(stream, endpoint, session.signal, duePulse);
          if (bytes === null) {
            // Servers end streams now and then; that is no failure.
            fruitless++;
            break;
          }
          transactions = readMessage(endpoint, bytes, next);
        }
      } catch (error) {
        if (signal.aborted || !(error instanceof RpcError)) throw error;
        if (error instanceof RpcTimeoutError) batchSize.tooSlow(batchSize.size);
        if (error instanceof RpcInconsistentError && ++contradictions >= options.refusedAnswersMax)
          throw new RpcAnswerRefusedError(`the stream from version ${next} on`, contradictions, error);
        fruitless++;
        avoid = endpoint;
        logger.debug('a stream broke off, and is opened anew', {
          endpoint: endpoint.label,
          next,
          code: error.code,
          error: error.message,
        });
      } finally {
        session.abort(new Error('the stream is let go of'));
        stream.close();
      }
      if (fruitless > 0) await wait(retryDelayMs(options.schedule, fruitless, options.random), signal);
      signal.throwIfAborted();
    }
  }

  /** The next message of a stream, `null` at its end; with signs of life while there is none. */
  async function* nextMessage(
    stream: OpenStream,
    endpoint: StreamEndpoint,
    signal: AbortSignal,
    duePulse: () => LedgerPulse | null,
  ): AsyncGenerator<LedgerPulse, Buffer | null, undefined> {
    const place = { endpoint: endpoint.label, method: 'GetTransactions' };
    const coming = stream.next();
    coming.catch(() => undefined);
    const since = now();
    for (;;) {
      const waiting = childAbort(signal);
      const tick = wait(options.pollIntervalMs, waiting.signal).then(() => 'tick' as const);
      let bytes: Buffer | null | 'tick';
      try {
        bytes = await Promise.race([coming, tick]);
      } finally {
        waiting.abort(new Error('a message came'));
      }
      signal.throwIfAborted();
      if (bytes !== 'tick') return bytes;
      if (now() - since > options.silenceMs)
        throw new RpcUnavailableError(place, `no message within ${options.silenceMs} ms`);
      const pulse = duePulse();
      if (pulse !== null) yield pulse;
    }
  }

  return {
    async chainId(signal) {
      // A message of another chain is refused, whichever it is: also where version 0 is pruned.
      await transaction(0n, signal);
      if (chainId === null) {
        const problem = 'no endpoint has version 0, whose message would tell the chain id: state it';
        throw new ConfigError([{ setting: 'CHAIN_ID', problem }]);
      }
      return chainId;
    },
    transaction,
    read,
    stats: () => pool.stats(),
    close: () => pool.close(),
  };
}
