import { type BlockRef, type FinalizeMessage } from '@imart/core';
import { evmSeqNo } from '../seqNo';
import { readBlock } from '../fetch/canonicalBlock';
import { getBlock } from '../fetch/readAnswers';
import { RpcError } from '../rpc/errors';
import type { RpcPool } from '../rpc/pool';
import type { ChainWindow } from './chainWindow';
import type { Finality } from './finality';

export interface FinalizerOptions {
  readonly pool: RpcPool;
  readonly window: ChainWindow;
  readonly finality: Finality;
  readonly finalityDepthBlocks: number;
}

/** Says which of the blocks that were read are final. A block is final by its hash, never by its number alone. */
export interface Finalizer {
  /** The last position that was called final; `-1n`: none. */
  readonly sent: bigint;
  /** Blocks up to this one were asked for when they were final already. */
  readAsFinal(position: number): void;
  /**
   * @returns `contradicted` when a block that was read is not the one that is final; `null` when there is nothing new to say,
   * or nobody can confirm it now.
   */
  next(signal: AbortSignal): Promise<FinalizeMessage | 'contradicted' | null>;
}

export function createFinalizer(options: FinalizerOptions, sentBefore: bigint): Finalizer {
  const { pool, window, finality, finalityDepthBlocks } = options;
  let sent = sentBefore;
  let finalRead = -1;

  /** Asks one node for the block, and for the one that makes it final. */
  const ask = async (block: BlockRef, signal: AbortSignal): Promise<boolean | 'contradicted'> => {
    const { named } = finality;
    const numbers = named === null ? [Number(block.position)] : [Number(block.position), named.number];
    try {
      const headers = await pool.run({
        what: `block ${block.position}, which is to be final`,
        signal,
        giveUp: () => true,
        work: async (endpoint) => {
          const answers = await endpoint.together(numbers.map(getBlock), signal);
          return answers.map((answer, i) => readBlock(answer, numbers[i] as number));
        },
      });
      const [own, final] = headers;
      if (own === null || own === undefined) return false;
      if (own.hash !== block.hash) return 'contradicted';
      return named === null || final?.hash === named.hash;
    } catch (error) {
      if (error instanceof RpcError && error.disposition === 'retry' && !signal.aborted) return false;
      throw error;
    }
  };

  const isFinal = (
    block: BlockRef,
    tip: BlockRef,
    signal: AbortSignal,
  ): boolean | 'contradicted' | Promise<boolean | 'contradicted'> => {
    const { named } = finality;
    const own = named === null ? null : window.at(BigInt(named.number));
    if (named !== null && own !== null) return own.hash === named.hash ? true : 'contradicted';
    // Enough blocks that were read stand on it: that is what final by depth means.
    if (named === null && block.position <= tip.position - BigInt(finalityDepthBlocks)) return true;
    return Number(block.position) <= finalRead ? true : ask(block, signal);
  };

  return {
    get sent() {
      return sent;
    },
    readAsFinal(position) {
      finalRead = Math.max(finalRead, position);
    },
    async next(signal) {
      const { tip } = window;
      if (tip === null) return null;
      finality.read(Number(tip.position));
      if (finality.position === null) return null;
      const block = window.atOrBelow(BigInt(Math.min(finality.position, Number(tip.position))));
      if (block === null || block.position <= sent) return null;
      const answer = await isFinal(block, tip, signal);
      if (answer === 'contradicted') return answer;
      if (!answer) return null;
      sent = block.position;
      window.trim(sent);
      return { kind: 'finalize', upToSeqNo: evmSeqNo.last(sent), position: sent };
    },
  };
}
