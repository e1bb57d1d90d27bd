import {
  evmSeqNo,
  type AppendMessage,
  type BlockRef,
  type FinalizeMessage,
  type ResumePoint,
  type SubjectId,
  type SubjectMessage,
} from '@imart/core';
import type { Logger } from '@imart/runtime';
import { toBlockRef } from '../fetch/canonicalBlock';
import type { SkipReason } from '../fetch/canonicalLog';
import type { LogFilter } from '../follow';
import { ResumePointError } from '../errors';
import type { EvmBlock } from '../log';
import type { EvmChainFacts } from '../marketplace';
import type { AdaptiveRangeOptions } from '../ranges/adaptiveRange';
import { rangeText, type BlockRange } from '../ranges/blockRange';
import { BlockNotServedError, RpcAnswerRefusedError, RpcInconsistentError } from '../rpc/errors';
import type { RpcPool } from '../rpc/pool';
import { createTranslator } from '../translate';
import type { BackPressure } from './backPressure';
import { createChainWindow } from './chainWindow';
import { createFinality } from './finality';
import { createHeadWatch } from './headWatch';
import type { HeadHints } from './newHeads';
import { createRangeQueue, type PendingRange } from './rangeQueue';
import { createRangeReader, type ReadRange } from './rangeReader';
import { confirmReorg } from './reorg';

export interface ChainReaderOptions {
  readonly subjectId: SubjectId;
  readonly chain: EvmChainFacts;
  readonly endBlock: number | null;
  readonly pollIntervalMs: number;
  readonly catchUpPollIntervalMs: number;
  readonly finalityPollIntervalMs: number;
  readonly useFinalizedTag: boolean;
  readonly finalityDepthBlocks: number;
  readonly catchUpDistanceBlocks: number;
  readonly unfinalizedRangeBlocksMax: number;
  readonly rangesInFlightMax: number;
  readonly ranges: AdaptiveRangeOptions;
  readonly refusedAnswersMax: number;
  readonly pool: RpcPool;
  readonly hints: HeadHints;
  readonly filter: LogFilter;
  readonly backPressure: BackPressure;
  readonly logger: Logger;
  readonly now: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly skipped: (reason: SkipReason, count?: number) => void;
  readonly checkBlooms: boolean;
  readonly bloomAlarm: () => void;
  readonly counters: { undecodableLogs: number; rereadRanges: number };
}

/** One reading of the chain, from a resume point on. */
export interface ChainReader {
  messages(): AsyncGenerator<SubjectMessage, void, undefined>;
}

/** Between two attempts at a range that does not follow the one before. */
const REREAD_WAIT_MS = 200;

export function createChainReader(
  options: ChainReaderOptions,
  resume: ResumePoint,
  signal: AbortSignal,
): ChainReader {
  const { subjectId, pool, filter, backPressure, logger, counters, endBlock, now } = options;
  const first = Number(resume.nextPosition);
  const window = createChainWindow(resume.window);
  if (window.tip !== null && window.tip.position !== resume.nextPosition - 1n) {
    throw new ResumePointError(
      subjectId,
      `the last remembered block is ${window.tip.position}, the next one to read is ${first}`,
    );
  }
  const finality = createFinality({
    depthBlocks: options.finalityDepthBlocks,
    initial: resume.finalizedPosition === null ? null : Number(resume.finalizedPosition),
    logger,
  });
  let finalizeSent = resume.finalizedPosition ?? -1n;
  const headWatch = createHeadWatch({ ...options, finality });
  const reader = createRangeReader(options);
  const translate = createTranslator({ subjectId, chain: options.chain, filter, seqNo: evmSeqNo });
  let head: EvmBlock;
  /** Heights that no endpoint served though the chain is longer: perhaps heights without a block (P17). */
  const unserved = new Set<number>();
  /** The last range could not be read yet. */
  let stalled = false;

  const plan = (from: number, limit: number): { range: BlockRange; allHeaders: boolean } => {
    const finalTo = finality.position ?? head.number - options.finalityDepthBlocks;
    const size = from <= finalTo ? reader.nextBlocks : options.unfinalizedRangeBlocksMax;
    let to = Math.min(from + size - 1, limit, from <= finalTo ? finalTo : limit);
    while (unserved.has(to) && to < limit) to++;
    return { range: { from, to }, allHeaders: to > finalTo };
  };
  const queue = createRangeQueue(
    {
      inFlightMax: options.rangesInFlightMax,
      plan,
      start: (range, allHeaders, runningSignal) => reader.read(range, allHeaders, runningSignal),
      childCount: () => filter.childCount,
      signal,
    },
    first,
  );
  /** The first block that has not been handed on. */
  let next = first;

  /** The range as it follows the last one: its first block is the child of the tip, and no discovered contract is missing. */
  const settle = async (pending: PendingRange): Promise<ReadRange> => {
    let { childCount } = pending;
    let read = await pending.read;
    const again = async (reason: string): Promise<void> => {
      counters.rereadRanges++;
      logger.debug('a range is read again', {
        range: rangeText(pending.range),
        reason,
        endpoint: read.endpoint.label,
      });
      await options.wait(REREAD_WAIT_MS, signal);
      childCount = filter.childCount;
      read = await reader.read(pending.range, pending.allHeaders, signal, read.endpoint);
    };
    for (let attempt = 1; ; attempt++) {
      const { tip } = window;
      if (tip !== null && read.data.first.parentHash !== tip.hash) {
        await confirmReorg({ pool, subjectId, logger, signal }, tip, read.endpoint);
        const detail = `block ${read.data.first.number} is no child of block ${tip.position} ${tip.hash}`;
        const place = { endpoint: read.endpoint.label, method: 'eth_getBlockByNumber' };
        const error = new RpcInconsistentError(place, detail);
        if (attempt >= options.refusedAnswersMax)
          throw new RpcAnswerRefusedError(rangeText(pending.range), attempt, error);
        await again(detail);
        continue;
      }
      // Those before it have been read by now: what they show does not depend on which range was answered first.
      if (reader.lacksNumbers(read)) {
        await again('its log indexes are no places in their blocks');
        continue;
      }
      const missing = filter.childrenAfter(childCount).filter((child) => !read.data.children.has(child));
      if (missing.length === 0 || filter.childQueries(missing).length === 0) return read;
      const completed = await reader.complete(read, missing, signal);
      if (completed === null) await again('the logs of a discovered contract do not fit it');
      else read = completed;
    }
  };

  const toAppend = ({ data }: ReadRange, allHeaders: boolean): AppendMessage => {
    const { events, discovered, foreign, undecodable, malformed } = translate(data);
    counters.undecodableLogs += undecodable;
    if (foreign > 0) options.skipped('foreign', foreign);
    if (malformed > 0) options.skipped('malformed', malformed);
    const { from, to } = data.range;
    const blocks: BlockRef[] = allHeaders
      ? [...data.headers.values()].sort((a, b) => a.number - b.number).map(toBlockRef)
      : [toBlockRef(data.last)];
    window.push(blocks);
    next = to + 1;
    unserved.clear();
    return {
      kind: 'append',
      fromPosition: BigInt(from),
      toPosition: BigInt(to),
      toSeqNo: evmSeqNo.last(BigInt(to)),
      events,
      blocks,
      discovered,
      catchingUp: head.number - to > options.catchUpDistanceBlocks,
      sourceRecords: data.received,
    };
  };

  /** Ranges up to the limit, in order, until the limit is reached or it is time to look at the head again. */
  async function* read(limit: number): AsyncGenerator<AppendMessage, void, undefined> {
    const inTime = (): boolean => now() - headWatch.polledAt < options.catchUpPollIntervalMs;
    for (let appended = 0; next <= limit && (appended === 0 || inTime());) {
      if (!backPressure.full) queue.fill(limit);
      const pending = queue.take();
      if (pending === undefined) {
        await backPressure.room(signal);
        signal.throwIfAborted();
        continue;
      }
      let append: AppendMessage;
      try {
        const settled = await settle(pending);
        // The next ranges travel while this one is translated and stored.
        if (!backPressure.full) queue.fill(limit);
        append = toAppend(settled, pending.allHeaders);
      } catch (error) {
        queue.restart(next);
        if (!(error instanceof BlockNotServedError)) throw error;
        if (pending.range.to < head.number) unserved.add(pending.range.to);
        stalled = true;
        return;
      }
      backPressure.handedOn(append.toSeqNo, append.events.length);
      appended++;
      yield append;
    }
  }

  const finalize = (): FinalizeMessage | null => {
    const { tip } = window;
    if (finality.position === null || tip === null) return null;
    const position = BigInt(Math.min(finality.position, Number(tip.position)));
    if (position <= finalizeSent) return null;
    finalizeSent = position;
    window.trim(position);
    return { kind: 'finalize', upToSeqNo: evmSeqNo.last(position), position };
  };

  /** A head at or below the tip must be a block that was read: the chain may be shorter for a while, not another (P4). */
  const checkHead = async (): Promise<void> => {
    const stored = window.at(BigInt(head.number));
    if (stored !== null && stored.hash !== head.hash) {
      await confirmReorg({ pool, subjectId, logger, signal }, stored, undefined);
    }
  };

  let saidBeyond = false;
  const sayBeyond = (): void => {
    const wanted =
      endBlock !== null && endBlock > head.number ? endBlock : next > head.number + 1 ? next : null;
    if (wanted === null || saidBeyond) return;
    saidBeyond = true;
    const what =
      wanted === endBlock
        ? 'END_BLOCK lies beyond the head: reading on until the chain reaches it'
        : 'the first block to read lies beyond the head: waiting for it';
    logger.info(what, { head: head.number, block: wanted });
  };

  return {
    async *messages() {
      let announced: EvmBlock | null = null;
      for (;;) {
        if (endBlock !== null && next > endBlock) {
          yield { kind: 'end', atPosition: BigInt(next - 1) };
          return;
        }
        if (announced !== null && announced.number >= next) {
          head = announced;
        } else {
          head = await headWatch.poll(signal);
          yield { kind: 'heartbeat', head: toBlockRef(head) };
          await checkHead();
        }
        sayBeyond();
        const limit = endBlock === null ? head.number : Math.min(head.number, endBlock);
        stalled = false;
        yield* read(limit);
        const final = finalize();
        if (final !== null) yield final;
        if (endBlock !== null && next > endBlock) continue;
        announced = null;
        if (next > limit || stalled) announced = await headWatch.next(signal);
        signal.throwIfAborted();
      }
    },
  };
}
