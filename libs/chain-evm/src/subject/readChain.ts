import {
  type AppendMessage,
  type BlockRef,
  type InvalidateMessage,
  type ResumePoint,
  type SubjectId,
  type SubjectMessage,
} from '@imart/core';
import { evmSeqNo } from '../seqNo';
import { type BackPressure } from '@imart/endpoints';
import type { Logger } from '@imart/runtime';
import { toBlockRef } from '../fetch/canonicalBlock';
import type { SkipReason } from '../fetch/canonicalLog';
import type { LogFilter } from '../follow';
import { ResumePointError } from '../errors';
import type { EvmBlock } from '../log';
import type { EvmChainFacts } from '../marketplace';
import type { AdaptiveRangeOptions } from '../ranges/adaptiveRange';
import { rangeText } from '../ranges/blockRange';
import { BlockNotServedError, RpcAnswerRefusedError, RpcInconsistentError } from '../rpc/errors';
import type { RpcPool } from '../rpc/pool';
import { createTranslator } from '../translate';
import { createChainWindow } from './chainWindow';
import { createFinality } from './finality';
import { createFinalizer } from './finalizer';
import { createHeadWatch } from './headWatch';
import type { HeadHints } from './newHeads';
import { createRangeQueue, type PendingRange, type PlannedRange } from './rangeQueue';
import { createRangeReader, type ReadRange } from './rangeReader';
import {
  createReorgWatch,
  type EndpointNotes,
  type ReorgCounters,
  type ReorgLimits,
  type ReorgVerdict,
} from './reorg';

/** Counters since the start, which several readings share. */
export interface ChainReaderCounters extends ReorgCounters {
  /** Logs that became `Undecodable` events. */
  undecodableLogs: number;
  /** Ranges that were read again because their answer did not fit the chain read so far. */
  rereadRanges: number;
  /** How often blocks were taken back, and how many in all and at most at once. */
  reorgs: number;
  reorgBlocks: number;
  deepestReorgBlocks: number;
  /** Answers about finality that cannot be true. */
  refusedFinality: number;
}

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
  readonly reorgLimits: ReorgLimits;
  readonly notes: EndpointNotes;
  readonly counters: ChainReaderCounters;
}

/** One reading of the chain, from a resume point on. */
export interface ChainReader {
  messages(): AsyncGenerator<SubjectMessage, void, undefined>;
}

type Reorg = Extract<ReorgVerdict, { kind: 'reorg' }>;

/** Between two attempts at a range that does not follow the one before. */
const REREAD_WAIT_MS = 200;

export function createChainReader(
  options: ChainReaderOptions,
  resume: ResumePoint,
  signal: AbortSignal,
): ChainReader {
  const { subjectId, filter, backPressure, logger, counters, endBlock, now } = options;
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
    refused: () => counters.refusedFinality++,
  });
  const finalizer = createFinalizer({ ...options, window, finality }, resume.finalizedPosition ?? -1n);
  const headWatch = createHeadWatch({ ...options, finality, window });
  const reorgs = createReorgWatch({ ...options, window, limits: options.reorgLimits });
  /** A node gave removed logs: a hint that the chain took blocks back (P12). */
  let removedSeen = false;
  const reader = createRangeReader({ ...options, sawRemoved: () => (removedSeen = true) });
  const translate = createTranslator({ subjectId, chain: options.chain, filter, seqNo: evmSeqNo });
  let head: EvmBlock;
  /** Heights that no endpoint served though the chain is longer: perhaps heights without a block (P17). */
  const unserved = new Set<number>();
  /** The last range could not be read yet. */
  let stalled = false;
  /** Something contradicts the blocks that were read. */
  let doubtful = false;
  /** What the last look at them came to. */
  let verdict: ReorgVerdict = { kind: 'stands' };

  const plan = (from: number, limit: number): PlannedRange => {
    const finalTo = finality.position ?? head.number - options.finalityDepthBlocks;
    const size = from <= finalTo ? reader.nextBlocks : options.unfinalizedRangeBlocksMax;
    let to = Math.min(from + size - 1, limit, from <= finalTo ? finalTo : limit);
    while (unserved.has(to) && to < limit) to++;
    const allHeaders = to > finalTo;
    return { range: { from, to }, allHeaders, isFinal: !allHeaders && finality.position !== null };
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

  /** Looks closer at the blocks that were read. @returns whether they are still the chain's. */
  const stands = async (): Promise<boolean> => {
    verdict = await reorgs.look(finalizer.sent, signal);
    if (verdict.kind === 'stands') counters.falseReorgAlarms++;
    return verdict.kind === 'stands';
  };

  /**
   * The range as it follows the last one: its first block is the child of the tip, and no discovered contract is missing.
   * @returns `null` when it does not follow because the chain took blocks back, or may have: see `verdict`.
   */
  const settle = async (pending: PendingRange): Promise<ReadRange | null> => {
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
        if (!(await stands())) return null;
        if (reorgs.isAstray(read.endpoint)) {
          // The others do not have the range yet: it is waited for them.
          stalled = true;
          return null;
        }
        const detail = `block ${read.data.first.number} is no child of block ${tip.position} ${tip.hash}`;
        const place = { endpoint: read.endpoint.label, method: 'eth_getBlockByNumber' };
        const error = new RpcInconsistentError(place, detail);
        if (attempt >= options.refusedAnswersMax)
          throw new RpcAnswerRefusedError(rangeText(pending.range), attempt, error);
        await again(detail);
        continue;
      }
      if (removedSeen) {
        removedSeen = false;
        if (!(await reorgs.tipStands(signal)) && !(await stands())) return null;
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

  const toAppend = ({ data }: ReadRange, { allHeaders, isFinal }: PendingRange): AppendMessage => {
    const { events, discovered, foreign, undecodable, malformed } = translate(data);
    counters.undecodableLogs += undecodable;
    if (foreign > 0) options.skipped('foreign', foreign);
    if (malformed > 0) options.skipped('malformed', malformed);
    const { from, to } = data.range;
    const blocks: BlockRef[] = allHeaders
      ? [...data.headers.values()].sort((a, b) => a.number - b.number).map(toBlockRef)
      : [toBlockRef(data.last)];
    window.push(blocks);
    if (isFinal) finalizer.readAsFinal(to);
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
        if (settled === null) {
          queue.restart(next);
          return;
        }
        // The next ranges travel while this one is translated and stored.
        if (!backPressure.full) queue.fill(limit);
        append = toAppend(settled, pending);
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

  /** Goes back to a block that both branches have. Nothing that was read above it is kept (P16). */
  const takeBack = ({ ancestor, fork, seenBy }: Reorg): InvalidateMessage => {
    const from = ancestor.position + 1n;
    const fromSeqNo = evmSeqNo.first(from);
    const tip = window.tip as BlockRef;
    const depth = Number(tip.position - ancestor.position);
    counters.reorgs++;
    counters.reorgBlocks += depth;
    counters.deepestReorgBlocks = Math.max(counters.deepestReorgBlocks, depth);
    logger.warn('the chain took blocks back; reading on from the last one that stays', {
      from,
      to: tip.position,
      ancestor: ancestor.hash,
      block: fork.position,
      storedHash: fork.storedHash,
      seenHash: fork.seenHash,
      seenBy,
    });
    verdict = { kind: 'stands' };
    window.cutAbove(ancestor);
    filter.forgetFrom(Number(from));
    reader.forgetFrom(Number(from));
    backPressure.invalidated(fromSeqNo);
    unserved.clear();
    next = Number(from);
    queue.restart(next);
    return { kind: 'invalidate', fromSeqNo, ancestor };
  };

  /**
   * Whether a head cannot be of the branch that was read. A lower one that was read only means that the chain is shorter for a
   * while (P4).
   */
  const contradicts = ({ number, hash, parentHash }: EvmBlock): boolean => {
    const { tip } = window;
    const position = BigInt(number);
    if (tip === null || position > tip.position + 1n) return false;
    if (position === tip.position + 1n) return parentHash !== tip.hash;
    const stored = window.atOrBelow(position);
    if (stored === null) return false;
    if (stored.position === position) return stored.hash !== hash;
    // A height that the branch skips, when the block above it is the child of the one below (P17).
    return window.blocks.find((block) => block.position > position)?.parentHash === stored.hash;
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
      // Blocks may have been taken back while nobody read (R2).
      let isFirst = true;
      for (;;) {
        if (endBlock !== null && next > endBlock && !doubtful) {
          yield { kind: 'end', atPosition: BigInt(next - 1) };
          return;
        }
        if (announced !== null && announced.number >= next) {
          head = announced;
        } else {
          head = await headWatch.poll(signal);
          yield { kind: 'heartbeat', head: toBlockRef(head) };
        }
        announced = null;
        if (contradicts(head) || (isFirst && !(await reorgs.tipStands(signal)))) doubtful = true;
        isFirst = false;
        if (doubtful) {
          doubtful = false;
          queue.restart(next);
          await stands();
        } else if (verdict.kind === 'unsure') {
          verdict = await reorgs.look(finalizer.sent, signal);
        }
        if (verdict.kind === 'reorg') yield takeBack(verdict);
        stalled = verdict.kind === 'unsure';
        sayBeyond();
        const limit = endBlock === null ? head.number : Math.min(head.number, endBlock);
        if (!stalled) yield* read(limit);
        if (verdict.kind === 'reorg') {
          yield takeBack(verdict);
          continue;
        }
        const final = stalled ? null : await finalizer.next(signal);
        if (final === 'contradicted') doubtful = stalled = true;
        else if (final !== null) yield final;
        if (endBlock !== null && next > endBlock && !doubtful) continue;
        // When there is nothing to do just now: an endpoint that hangs is waited for.
        if (next > limit && !doubtful && reorgs.due) {
          verdict = await reorgs.look(finalizer.sent, signal);
          if (verdict.kind === 'reorg') yield takeBack(verdict);
        }
        if (next > limit || stalled || verdict.kind === 'unsure') announced = await headWatch.next(signal);
        signal.throwIfAborted();
      }
    },
  };
}
