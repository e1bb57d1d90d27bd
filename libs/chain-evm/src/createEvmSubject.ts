import { type Subject } from '@imart/core';
import { evmSeqNo } from './seqNo';
import { childAbort, createBackPressure } from '@imart/endpoints';
import { waitMs } from '@imart/pipeline';
import { createLogFilter } from './follow';
import { ADAPTIVE_RANGE_DEFAULTS } from './ranges/adaptiveRange';
import { createRpcEndpoint, RPC_ENDPOINT_DEFAULTS } from './rpc/endpoint';
import { createRpcPool, RPC_POOL_DEFAULTS } from './rpc/pool';
import { identify } from './subject/identify';
import { createNewHeads, noHeadHints, type HeadHints } from './subject/newHeads';
import {
  EVM_SUBJECT_DEFAULTS,
  evmSubjectId,
  type EvmSubjectOptions,
  type EvmSubjectStats,
} from './subject/options';
import { createChainReader } from './subject/readChain';
import { REORG_LIMITS, type EndpointNotes } from './subject/reorg';

/** An EVM chain as an ordered source of market events. */
export interface EvmSubject extends Subject {
  stats(): EvmSubjectStats;
  /** Closes kept connections. The subject is not to be used afterwards. */
  close(): void;
}

/** Failed connections to a websocket that nobody named before it is left alone. */
const DERIVED_WS_ATTEMPTS = 5;
const WS_SILENCE_MS = 60_000;

/**
 * Follows the logs of the marketplaces' contracts on one EVM chain. One iteration of `messages` at a time; while none
 * runs, nothing is asked.
 *
 * @throws {WorkerError} from its messages, `stop` only: {@link ReorgTooDeepError}, {@link WrongChainError},
 * {@link RpcAnswerRefusedError}, {@link RpcPrunedError}, {@link RpcMethodUnsupportedError}. All else is retried inside.
 */
export function createEvmSubject(options: EvmSubjectOptions): EvmSubject {
  const { chainId, rpcUrls, logger, random, now, wait = waitMs } = options;
  if (rpcUrls.length === 0) throw new RangeError('an EVM subject needs at least one RPC URL');
  const settings = { ...EVM_SUBJECT_DEFAULTS, ...defined(options) };
  const rpc = { ...RPC_ENDPOINT_DEFAULTS, ...RPC_POOL_DEFAULTS, ...defined(options.rpc ?? {}) };
  const subjectId = evmSubjectId(chainId);
  const pool = createRpcPool({
    endpoints: rpcUrls.map((url, i) => createRpcEndpoint({ ...rpc, url, place: i + 1, now })),
    chainId,
    logger,
    random,
    now,
    wait,
    schedule: options.rpc?.retry ?? rpc.schedule,
    refusedAnswersMax: rpc.refusedAnswersMax,
    complainEveryMs: rpc.complainEveryMs,
    onAvailability: options.onAvailability,
  });
  const skippedLogs: Record<string, number> = {};
  const counters = {
    undecodableLogs: 0,
    rereadRanges: 0,
    bloomAlarms: 0,
    reorgs: 0,
    reorgBlocks: 0,
    deepestReorgBlocks: 0,
    falseReorgAlarms: 0,
    providerDisagreements: 0,
    endpointsDisagreeing: 0,
    endpointsLagging: 0,
    refusedFinality: 0,
  };
  const notes: EndpointNotes = { astray: new Map(), counted: new Set(), lagging: new Set() };
  let backPressure = createBackPressure(settings.eventsAheadMax);

  const headHints = (): HeadHints => {
    const url = options.wsUrl === undefined ? (rpcUrls[0] as string).replace(/^http/, 'ws') : options.wsUrl;
    if (url === null) return noHeadHints;
    const attemptsMax = options.wsUrl === undefined ? DERIVED_WS_ATTEMPTS : null;
    return createNewHeads({ url, logger, random, wait, attemptsMax, silenceMs: WS_SILENCE_MS });
  };

  return {
    id: subjectId,
    identify(signal) {
      // Not waited for: an endpoint that is down must not keep the others from answering.
      void pool.checkAll(signal);
      return identify(pool, subjectId, options.genesisHash ?? null, signal);
    },
    async *messages(resume, signal) {
      const running = childAbort(signal);
      const hints = headHints();
      backPressure = createBackPressure(settings.eventsAheadMax);
      const filter = createLogFilter({
        marketplaces: options.marketplaces,
        discovered: resume.discovered,
        seqNo: evmSeqNo,
        ...(options.addressesPerQueryMax === undefined
          ? {}
          : { addressesPerQueryMax: options.addressesPerQueryMax }),
      });
      const reader = createChainReader(
        {
          ...settings,
          subjectId,
          chain: { chainId, wrappedNative: options.wrappedNative },
          endBlock:
            options.endBlock === undefined || options.endBlock === null ? null : Number(options.endBlock),
          ranges: { ...ADAPTIVE_RANGE_DEFAULTS, ...options.ranges },
          refusedAnswersMax: rpc.refusedAnswersMax,
          notes,
          reorgLimits: { ...REORG_LIMITS, ...options.reorg },
          pool,
          hints,
          filter,
          backPressure,
          logger,
          now,
          wait,
          skipped: (reason, count = 1) => {
            skippedLogs[reason] = (skippedLogs[reason] ?? 0) + count;
          },
          bloomAlarm: () => {
            counters.bloomAlarms++;
          },
          counters,
        },
        resume,
        running.signal,
      );
      try {
        yield* reader.messages();
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        hints.close();
        running.abort(new Error('nobody reads the messages any more'));
      }
    },
    executed: (upTo) => backPressure.executed(upTo),
    stats: () => ({
      endpoints: pool.stats(),
      skippedLogs: { ...skippedLogs },
      ...counters,
      eventsAhead: backPressure.waiting,
    }),
    close: () => pool.close(),
  };
}

/** The options that were given: an explicit `undefined` does not hide a default. */
function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
