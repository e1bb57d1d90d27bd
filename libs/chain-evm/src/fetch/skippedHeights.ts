import type { EvmBlock } from '../log';
import { BlockNotServedError } from '../rpc/errors';
import { readBlock } from './canonicalBlock';
import { getBlock, type FetchContext } from './readAnswers';

/** Heights without a block in a row that are looked past. */
const SKIPPED_MAX = 32;

/**
 * The last block at or below a height. Where it is not the height's own, the block above it must name it as its parent:
 * a node that does not have a block now says the same as one of a chain without it (P3, P17).
 * @param floor the lowest height to look at. @returns `null` when there is none from there on, which its neighbours prove.
 * @throws {BlockNotServedError} the block may exist.
 */
export async function lastBlockUpTo(
  context: FetchContext,
  height: number,
  floor: number,
): Promise<EvmBlock | null> {
  const [own] = await blocksAt(context, [height]);
  if (own !== null && own !== undefined) return own;
  const below = await firstOf(context, height, -1);
  const above = await firstOf(context, height, 1);
  if (below === null || above === null || above.parentHash !== below.hash) {
    throw new BlockNotServedError(
      { endpoint: context.endpoint.label, method: 'eth_getBlockByNumber' },
      `block ${height} is not served, and its neighbours do not show that there is none`,
      height,
    );
  }
  return below.number < floor ? null : below;
}

/** That nothing lies between the height before a range and the first block that was read of it. @throws as above. */
export async function checkNothingBefore(
  context: FetchContext,
  from: number,
  first: EvmBlock,
): Promise<void> {
  if (first.number === from || from === 0) return;
  const before = await lastBlockUpTo(context, from - 1, 0);
  if (before?.hash === first.parentHash) return;
  throw new BlockNotServedError(
    { endpoint: context.endpoint.label, method: 'eth_getBlockByNumber' },
    `block ${from} is not served, and block ${first.number} is no child of the one before`,
    from,
  );
}

async function firstOf(context: FetchContext, height: number, step: 1 | -1): Promise<EvmBlock | null> {
  const heights = Array.from({ length: SKIPPED_MAX }, (_, i) => height + step * (i + 1)).filter(
    (n) => n >= 0,
  );
  const found = await blocksAt(context, heights);
  return found.find((block) => block !== null) ?? null;
}

async function blocksAt(context: FetchContext, heights: readonly number[]): Promise<(EvmBlock | null)[]> {
  const answers = await context.endpoint.together(heights.map(getBlock), context.signal);
  return heights.map((height, i) => readBlock(answers[i], height));
}
