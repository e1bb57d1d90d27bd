import { childAbort } from '@imart/endpoints';
import { readBlock } from '../fetch/canonicalBlock';
import { getBlock } from '../fetch/readAnswers';
import type { EvmBlock } from '../log';
import type { RpcEndpoint } from '../rpc/endpoint';
import { BlockNotServedError, RpcInconsistentError } from '../rpc/errors';
import type { RpcPool } from '../rpc/pool';
import { askFinalized, type Finality, type FinalizedAnswer } from './finality';
import type { ChainWindow } from './chainWindow';
import type { HeadHints } from './newHeads';

export interface HeadWatchOptions {
  readonly pool: RpcPool;
  readonly hints: HeadHints;
  readonly finality: Finality;
  readonly finalityDepthBlocks: number;
  readonly window: Pick<ChainWindow, 'tip'>;
  readonly useFinalizedTag: boolean;
  readonly pollIntervalMs: number;
  readonly finalityPollIntervalMs: number;
  readonly now: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The newest block of the chain, by poll and by hint. */
export interface HeadWatch {
  /** When a node was last asked. */
  readonly polledAt: number;
  /** Asks a node for its newest block, and now and then for its finalized one. */
  poll(signal: AbortSignal): Promise<EvmBlock>;
  /** Resolves when it is time for the next poll, or with a head that was announced meanwhile. */
  next(signal: AbortSignal): Promise<EvmBlock | null>;
}

export function createHeadWatch(options: HeadWatchOptions): HeadWatch {
  const { pool, hints, finality, window, pollIntervalMs, now, wait } = options;
  /** Whether what is read says soon enough what is final by depth. */
  const isNear = (block: EvmBlock): boolean =>
    window.tip !== null && block.number - Number(window.tip.position) <= options.finalityDepthBlocks;
  let polledAt = Number.NEGATIVE_INFINITY;
  let finalityAskedAt = Number.NEGATIVE_INFINITY;

  return {
    get polledAt() {
      return polledAt;
    },
    async poll(signal) {
      polledAt = now();
      const askNow = polledAt - finalityAskedAt >= options.finalityPollIntervalMs;
      const { head, isServed, finalized } = await pool.run({
        what: 'the latest block',
        signal,
        work: async (endpoint) => {
          const asked: Promise<FinalizedAnswer> | null = !askNow
            ? null
            : options.useFinalizedTag
              ? askFinalized(endpoint, signal)
              : Promise.resolve('unsupported');
          const { method } = getBlock(0);
          const block = readBlock(await endpoint.call(method, ['latest', false], signal), null);
          if (block === null)
            throw new RpcInconsistentError({ endpoint: endpoint.label, method }, 'there is no latest block');
          const answer = asked === null ? null : await asked;
          const isServed =
            answer !== 'unsupported' || isNear(block) || (await serves(endpoint, block, signal));
          return { head: block, isServed, finalized: answer };
        },
      });
      if (askNow) finalityAskedAt = now();
      finality.update({ block: head, isServed: isServed && !isNear(head) }, finalized);
      return head;
    },
    async next(signal) {
      const announced = hints.take();
      if (announced !== null) return announced;
      const waiting = childAbort(signal);
      const untilPollMs = Math.max(0, polledAt + pollIntervalMs - now());
      await Promise.race([wait(untilPollMs, waiting.signal), hints.next(waiting.signal)]);
      waiting.abort();
      return hints.take();
    },
  };
}

/** Whether the node has its newest block also by its number. */
async function serves(endpoint: RpcEndpoint, block: EvmBlock, signal: AbortSignal): Promise<boolean> {
  const { method, params } = getBlock(block.number);
  try {
    return readBlock(await endpoint.call(method, params, signal), block.number)?.hash === block.hash;
  } catch (error) {
    if (error instanceof BlockNotServedError) return false;
    throw error;
  }
}
