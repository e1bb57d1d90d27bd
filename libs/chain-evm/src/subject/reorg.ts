import { messageOf, ReorgTooDeepError, type BlockRef, type SubjectId } from '@imart/core';
import { childAbort } from '@imart/endpoints';
import type { Logger } from '@imart/runtime';
import { readBlock } from '../fetch/canonicalBlock';
import { getBlock } from '../fetch/readAnswers';
import type { RpcEndpoint } from '../rpc/endpoint';
import { BlockNotServedError, RpcError } from '../rpc/errors';
import type { RpcPool } from '../rpc/pool';
import { surveyBranch, type BranchView, type Fork } from './branchSurvey';
import { countVotes, majority, type BranchVotes } from './branchVotes';
import type { ChainWindow } from './chainWindow';

/** How sure one has to be that the chain took blocks back. Times in milliseconds. */
export interface ReorgLimits {
  /** Looks in a row that must give the same, where nobody else can be asked. */
  readonly looks: number;
  readonly lookWaitMs: number;
  /** How long one endpoint must say the same while the others do not answer, or do not have those blocks. */
  readonly aloneMs: number;
  /** How long endpoints must contradict each other in the same way before the majority is followed. */
  readonly disagreementMs: number;
  /** Between two looks while they contradict each other. */
  readonly disagreementLookMs: number;
  /**
   * Between two looks that nothing calls for, where there are several endpoints; and how long nothing may come from one that
   * another one has.
   */
  readonly crossCheckMs: number;
  /** Who has not answered by then is not counted. */
  readonly voteMs: number;
  /** How long the others are waited for when one has answered. */
  readonly voteGraceMs: number;
}

export const REORG_LIMITS: ReorgLimits = {
  looks: 4,
  lookWaitMs: 100,
  aloneMs: 5_000,
  disagreementMs: 60_000,
  disagreementLookMs: 2_000,
  crossCheckMs: 60_000,
  voteMs: 5_000,
  voteGraceMs: 1_000,
};

/** What a look at the blocks that were read came to. */
export type ReorgVerdict =
  /** They are the chain's, as far as one can tell. */
  | { readonly kind: 'stands' }
  /** The chain has other blocks above the ancestor. */
  | { readonly kind: 'reorg'; readonly ancestor: BlockRef; readonly fork: Fork; readonly seenBy: string }
  /** Somebody says so, which is not confirmed yet: read nothing, look again. */
  | { readonly kind: 'unsure' };

/** Counters since the start. */
export interface ReorgCounters {
  /** Looks that were taken because of a contradiction, and found the chain as it was. */
  falseReorgAlarms: number;
  /** How often endpoints began to contradict each other about blocks that were read. */
  providerDisagreements: number;
  /** Endpoints that follow another branch than the one that is read, now. */
  endpointsDisagreeing: number;
  /** Endpoints that stand still while others go on, now. */
  endpointsLagging: number;
}

/** Endpoints that are asked last, and why: what several readings of one subject share. */
export interface EndpointNotes {
  /** They follow another branch than the one that is read. The newest block that each was seen to share. */
  readonly astray: Map<RpcEndpoint, bigint>;
  /** Those of them whose disagreement has lasted. */
  readonly counted: Set<RpcEndpoint>;
  /** They stand still while others go on. */
  readonly lagging: Set<RpcEndpoint>;
}

export interface ReorgWatchOptions {
  readonly pool: RpcPool;
  readonly notes: EndpointNotes;
  readonly subjectId: SubjectId;
  readonly window: ChainWindow;
  readonly limits: ReorgLimits;
  readonly counters: ReorgCounters;
  readonly logger: Logger;
  readonly now: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Tells a chain that took blocks back from nodes that lag, fail or follow a branch of their own. */
export interface ReorgWatch {
  /** It is time to look again: endpoints contradict each other or lag, or have not been compared for a while. */
  readonly due: boolean;
  /** Whether this endpoint follows another branch than the one that is read. */
  isAstray(endpoint: RpcEndpoint): boolean;
  /** One cheap look at the newest block that was read. `false`: look closer. */
  tipStands(signal: AbortSignal): Promise<boolean>;
  /**
   * Asks every endpoint, and decides by the rule of docs/guarantees.md.
   * @param finalized nothing at or below this position is taken back; `-1n`: nothing is final.
   * @throws {ReorgTooDeepError} confirmed, but the branches part below what is final or remembered.
   */
  look(finalized: bigint, signal: AbortSignal): Promise<ReorgVerdict>;
}

const STANDS: ReorgVerdict = { kind: 'stands' };
const UNSURE: ReorgVerdict = { kind: 'unsure' };
/** Between two lines about the same doubt. */
const COMPLAIN_EVERY_MS = 60_000;
const NOT_SERVED_ATTEMPTS = 3;

export function createReorgWatch(options: ReorgWatchOptions): ReorgWatch {
  const { pool, subjectId, window, limits, counters, logger, now, wait } = options;
  const { astray, counted, lagging } = options.notes;
  /** What is said, since when, and in how many looks in a row. */
  let doubt: { key: string; since: number; looks: number; saidAt: number | null } | null = null;
  let lookedAt = now();
  const judge = (endpoint: RpcEndpoint): void => {
    pool.distrust(endpoint, astray.has(endpoint) || lagging.has(endpoint));
    counters.endpointsDisagreeing = astray.size;
    counters.endpointsLagging = lagging.size;
  };
  const leaveAstray = (endpoint: RpcEndpoint): void => {
    if (!astray.delete(endpoint)) return;
    counted.delete(endpoint);
    judge(endpoint);
    logger.info('an RPC endpoint follows the chain that is read again', { endpoint: endpoint.label });
  };
  const goAstray = (views: readonly BranchView[], shared: bigint): void => {
    for (const { endpoint } of views) {
      astray.set(endpoint, shared);
      judge(endpoint);
    }
  };

  /** The newest block that was read, and since when it is. */
  let newest: { hash: string | undefined; since: number } = { hash: window.tip?.hash, since: now() };
  /** A node that stands still is well by all that it says: only that others go on gives it away (P13). */
  const noteLagging = (views: readonly BranchView[]): void => {
    const { tip } = window;
    if (tip?.hash !== newest.hash) newest = { hash: tip?.hash, since: now() };
    const isStale = now() - newest.since >= limits.crossCheckMs && views.some(({ goesOn }) => goesOn);
    for (const { endpoint, goesOn, shared, fork } of views) {
      if (goesOn || (!isStale && shared?.hash === tip?.hash)) {
        if (!lagging.delete(endpoint)) continue;
        logger.info('an RPC endpoint has caught up', { endpoint: endpoint.label });
      } else if (isStale && fork === null && !lagging.has(endpoint)) {
        lagging.add(endpoint);
        logger.warn(
          'an RPC endpoint stands still while others go on; it is asked last until it has caught up',
          {
            endpoint: endpoint.label,
            block: tip?.position,
          },
        );
      }
      judge(endpoint);
    }
  };

  /** Asks all endpoints at once. Who does not answer in time has no vote. */
  const survey = async (signal: AbortSignal): Promise<BranchView[]> => {
    lookedAt = now();
    const asking = childAbort(signal);
    const timer = childAbort(signal);
    const closeAfter = (ms: number): void =>
      void wait(ms, timer.signal).then(() => asking.abort(new Error('voting is over')));
    const views: (BranchView | null)[] = pool.endpoints.map(() => null);
    const ask = async (endpoint: RpcEndpoint, place: number): Promise<void> => {
      const work = () => surveyBranch(endpoint, window.blocks, asking.signal);
      try {
        const view = await pool.ask(endpoint, { what: 'the blocks read last', signal: asking.signal, work });
        if (views.every((one) => one === null)) closeAfter(limits.voteGraceMs);
        views[place] = view;
      } catch (error) {
        signal.throwIfAborted();
        logger.debug('an RPC endpoint has no vote', { endpoint: endpoint.label, error: messageOf(error) });
      }
    };
    closeAfter(limits.voteMs);
    try {
      await Promise.all(pool.endpoints.map(ask));
      return views.filter((view) => view !== null);
    } finally {
      timer.abort();
      asking.release();
    }
  };

  /** How a doubt is told, once in a while. */
  const say = (message: string, votes: BranchVotes): void => {
    if (doubt === null || doubt.looks < limits.looks) return;
    if (doubt.saidAt !== null && now() - doubt.saidAt < COMPLAIN_EVERY_MS) return;
    doubt.saidAt = now();
    const labels = (views: readonly BranchView[]): string[] => views.map(({ endpoint }) => endpoint.label);
    logger.warn(message, {
      ...forkFields(votes.fork),
      ancestor: votes.ancestor?.position ?? null,
      otherBranch: labels(votes.against),
      branchRead: labels(votes.standing),
    });
  };

  /** What the endpoint has of the final blocks that this session knows. */
  const viewBelow = async (endpoint: RpcEndpoint, signal: AbortSignal): Promise<BranchView | null> => {
    if (window.settled.length === 0) return null;
    const work = () => surveyBranch(endpoint, window.settled, signal);
    try {
      return await pool.ask(endpoint, { what: 'final blocks', signal, work });
    } catch (error) {
      if (error instanceof RpcError && !signal.aborted) return null;
      throw error;
    }
  };

  const tooDeep = async (votes: BranchVotes, finalized: bigint, signal: AbortSignal): Promise<never> => {
    const { endpoint } = votes.against[0] as BranchView;
    const below = votes.ancestor === null ? await viewBelow(endpoint, signal) : null;
    const ancestor = (votes.ancestor ?? below?.shared)?.position ?? null;
    const fork = below?.fork ?? (votes.fork as Fork);
    const seenBy = votes.against.map((view) => view.endpoint.label);
    throw new ReorgTooDeepError(subjectId, ancestor, finalized, { ...fork, seenBy });
  };

  const decided = async (
    votes: BranchVotes,
    finalized: bigint,
    signal: AbortSignal,
  ): Promise<ReorgVerdict> => {
    const { ancestor, fork } = votes;
    if (ancestor === null || ancestor.position < finalized) return tooDeep(votes, finalized, signal);
    for (const { endpoint } of votes.against) leaveAstray(endpoint);
    if (votes.standing.length > 0) goAstray(votes.standing, ancestor.position);
    for (const { endpoint } of votes.standing) counted.add(endpoint);
    doubt = null;
    const seenBy = votes.against.map(({ endpoint }) => endpoint.label).join();
    return { kind: 'reorg', ancestor, fork: fork as Fork, seenBy };
  };

  /** Some endpoints have the blocks that were read, others have other ones. */
  const contested = async (
    votes: BranchVotes,
    finalized: bigint,
    signal: AbortSignal,
  ): Promise<ReorgVerdict> => {
    const { since, looks } = doubt as { since: number; looks: number };
    // Nodes learn of a reorg one after another: that is no disagreement yet.
    if (looks === limits.looks && votes.against.some(({ endpoint }) => !counted.has(endpoint))) {
      counters.providerDisagreements++;
      for (const { endpoint } of votes.against) counted.add(endpoint);
    }
    goAstray(votes.against, votes.ancestor?.position ?? -1n);
    say('RPC endpoints follow different branches; the one that was read is kept for now', votes);
    if (looks < limits.looks || now() - since < limits.disagreementMs) return STANDS;
    const { side, byNumber } = majority(pool.endpoints, votes);
    if (side === 'standing') return STANDS;
    const isDeep = votes.ancestor === null || votes.ancestor.position < finalized;
    // One endpoint against one other: that is no reason to doubt what is final.
    if (isDeep && !byNumber) return STANDS;
    return decided(votes, finalized, signal);
  };

  /** Nobody who answers has the blocks that were read. */
  const isConfirmed = ({ against, ancestor }: BranchVotes, finalized: bigint): boolean => {
    const { since, looks } = doubt as { since: number; looks: number };
    const isDeep = ancestor === null || ancestor.position < finalized;
    if (against.length > 1) return !isDeep || looks >= limits.looks;
    if (looks < limits.looks) return false;
    if (pool.endpoints.length === 1 && !isDeep) return true;
    // Who was on a branch of its own before is not followed there because the others are away.
    const [witness] = against;
    if (pool.endpoints.length > 1 && witness !== undefined && astray.has(witness.endpoint)) return false;
    return now() - since >= limits.aloneMs;
  };

  return {
    get due() {
      if (pool.endpoints.length === 1) return false;
      const isCalledFor = astray.size + lagging.size > 0;
      return now() - lookedAt >= (isCalledFor ? limits.disagreementLookMs : limits.crossCheckMs);
    },
    isAstray: (endpoint) => astray.has(endpoint),

    async tipStands(signal) {
      const { tip } = window;
      if (tip === null) return true;
      const number = Number(tip.position);
      try {
        return await pool.run({
          what: `block ${number}, which was read before`,
          signal,
          giveUp: (error, attempt) => error instanceof BlockNotServedError && attempt >= NOT_SERVED_ATTEMPTS,
          work: async (endpoint) => {
            const { method, params } = getBlock(number);
            const block = readBlock(await endpoint.call(method, params, signal), number);
            if (block !== null) return block.hash === tip.hash;
            const place = { endpoint: endpoint.label, method };
            throw new BlockNotServedError(place, `block ${number} is not served`, number);
          },
        });
      } catch (error) {
        // The chain is shorter now, or everybody lags: it is another one only when a hash differs (P4).
        if (error instanceof BlockNotServedError) return true;
        throw error;
      }
    },

    async look(finalized, signal) {
      for (;;) {
        const views = await survey(signal);
        const votes = countVotes(views);
        noteLagging(views);
        for (const { endpoint, fork, shared } of views) {
          const before = astray.get(endpoint);
          if (before !== undefined && fork === null && shared !== null && shared.position > before)
            leaveAstray(endpoint);
        }
        if (votes.against.length === 0) {
          doubt = null;
          return STANDS;
        }
        const known = doubt?.key === votes.key ? doubt : null;
        doubt = known ?? { key: votes.key, since: now(), looks: 0, saidAt: null };
        doubt.looks++;
        if (votes.standing.length > 0) return contested(votes, finalized, signal);
        if (isConfirmed(votes, finalized)) return decided(votes, finalized, signal);
        say('an RPC endpoint says that the chain took blocks back, which nobody has confirmed yet', votes);
        if (doubt.looks >= limits.looks) return UNSURE;
        await wait(limits.lookWaitMs, signal);
        signal.throwIfAborted();
      }
    },
  };
}

function forkFields(fork: Fork | null): Record<string, unknown> {
  return fork === null ? {} : { block: fork.position, storedHash: fork.storedHash, seenHash: fork.seenHash };
}
