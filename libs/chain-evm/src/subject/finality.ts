import type { Logger } from '@imart/runtime';
import { getBlock } from '../fetch/readAnswers';
import { readBlock } from '../fetch/canonicalBlock';
import type { EvmBlock } from '../log';
import type { RpcEndpoint } from '../rpc/endpoint';
import { BlockNotServedError, RpcMethodUnsupportedError } from '../rpc/errors';

/** What a node said of its finalized block: the block, that it has no such notion, or nothing usable this time. */
export type FinalizedAnswer = EvmBlock | 'unsupported' | 'failed';

/** A head as a node told it. */
export interface ToldHead {
  readonly block: EvmBlock;
  /** The node also serves it by its number: it is not invented (P5). */
  readonly isServed: boolean;
}

/** The last block that will not be taken back. Never moves back. */
export interface Finality {
  /** `null`: nothing is known to be final. */
  readonly position: number | null;
  /** The newest block that a node called finalized; `null`: finality is by depth. */
  readonly named: EvmBlock | null;
  /** Takes in what was said; an answer that cannot be true is left out and said so (P7, P8). */
  update(head: ToldHead, answer: FinalizedAnswer | null): void;
  /** Every block up to this one was read: by depth, those far enough below it are final. */
  read(tip: number): void;
}

export interface FinalityOptions {
  readonly depthBlocks: number;
  readonly initial: number | null;
  readonly logger: Logger;
  /** Counts answers that cannot be true. */
  readonly refused: () => void;
}

export function createFinality(options: FinalityOptions): Finality {
  const { depthBlocks, logger, refused } = options;
  let position = options.initial;
  let named: EvmBlock | null = null;
  let byDepth = false;
  let saidUnsupported = false;

  const advance = (to: number): void => {
    if (to >= 0 && (position === null || to > position)) position = to;
  };

  return {
    get position() {
      return position;
    },
    get named() {
      return named;
    },
    update({ block: head, isServed }, answer) {
      if (answer === null || answer === 'failed') return;
      if (answer === 'unsupported') {
        // A node that has answered before has a bad moment, or another one answers: finality waits.
        if (named !== null) return;
        byDepth = true;
        if (!saidUnsupported) {
          saidUnsupported = true;
          logger.info('the node has no finalized block; blocks count as final by depth', { depthBlocks });
        }
        if (isServed) advance(head.number - depthBlocks);
        return;
      }
      if (answer.number > head.number) {
        refused();
        logger.warn('a finalized block above the latest one is not believed', {
          finalized: answer.number,
          latest: head.number,
        });
        return;
      }
      byDepth = false;
      if (named === null || answer.number > named.number) named = answer;
      advance(answer.number);
    },
    read(tip) {
      if (byDepth) advance(tip - depthBlocks);
    },
  };
}

/** Asks a node for its finalized block. Never fails: that is not worth losing the head for. */
export async function askFinalized(endpoint: RpcEndpoint, signal: AbortSignal): Promise<FinalizedAnswer> {
  try {
    const { method } = getBlock(0);
    const answer = await endpoint.call(method, ['finalized', false], signal);
    if (answer === null) return 'unsupported';
    return readBlock(answer, null) ?? 'failed';
  } catch (error) {
    if (error instanceof BlockNotServedError || error instanceof RpcMethodUnsupportedError)
      return 'unsupported';
    return 'failed';
  }
}
