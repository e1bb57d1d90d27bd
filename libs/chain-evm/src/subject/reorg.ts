import type { BlockRef, SubjectId } from '@imart/core';
import type { Logger } from '@imart/runtime';
import { readBlock } from '../fetch/canonicalBlock';
import { getBlock } from '../fetch/readAnswers';
import { ReorgDetectedError } from '../errors';
import type { RpcEndpoint } from '../rpc/endpoint';
import { BlockNotServedError } from '../rpc/errors';
import type { RpcPool } from '../rpc/pool';

interface ReorgContext {
  readonly pool: RpcPool;
  readonly subjectId: SubjectId;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const NOT_SERVED_ATTEMPTS = 3;

/**
 * Asks for a block that was read, at another endpoint than the one whose answer does not fit it, where there is one: a
 * node that lags or follows another branch looks like a reorg (P6). Returns when the stored block is confirmed, or when
 * nobody has the block right now.
 * @throws {ReorgDetectedError} the chain has another block at that height.
 */
export async function confirmReorg(
  { pool, subjectId, logger, signal }: ReorgContext,
  stored: BlockRef,
  doubted: RpcEndpoint | undefined,
): Promise<void> {
  const number = Number(stored.position);
  try {
    const { hash, label } = await pool.run({
      what: `block ${number}, which was read before`,
      signal,
      avoid: doubted,
      giveUp: (error, attempt) => error instanceof BlockNotServedError && attempt >= NOT_SERVED_ATTEMPTS,
      work: async (endpoint) => {
        const { method, params } = getBlock(number);
        const block = readBlock(await endpoint.call(method, params, signal), number);
        if (block === null) {
          throw new BlockNotServedError(
            { endpoint: endpoint.label, method },
            `block ${number} is not served`,
            number,
          );
        }
        return { hash: block.hash, label: endpoint.label };
      },
    });
    if (hash !== stored.hash) {
      throw new ReorgDetectedError(subjectId, stored.position, stored.hash, hash, label);
    }
    logger.warn('an answer does not fit the chain read so far, but the chain did not change', {
      block: number,
      doubted: doubted?.label,
      confirmedBy: label,
    });
  } catch (error) {
    if (!(error instanceof BlockNotServedError)) throw error;
  }
}
