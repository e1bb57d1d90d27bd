import { inSlices } from '@imart/pipeline';
import { bloomBits, bloomHolds, type BloomBits } from './bloom';
import type { EvmBlock, EvmLog } from '../log';

/**
 * Blocks whose header promises logs that an answer lacks: their bloom holds a contract and one of its topics, and the answer
 * has no log of both. A bloom is filled from the receipts, not from the index that logs are looked up in (P2).
 *
 * It is an alarm, no proof: a busy block's bloom is so full that it promises nearly everything; one that is all zeros promises
 * nothing, and so says nothing; and a second log of a contract and topic does not show in it.
 *
 * @param watched contracts with the first topics that count of each.
 * @param logs those that the answer has, in the order of the chain.
 */
export async function blocksWithPromisedLogs(
  watched: ReadonlyMap<string, readonly string[]>,
  blocks: Iterable<EvmBlock>,
  logs: readonly EvmLog[],
): Promise<readonly EvmBlock[]> {
  const told = new Map<number, Set<string>>();
  for (const { blockNumber, address, topics } of logs) {
    const pairs = told.get(blockNumber) ?? new Set<string>();
    told.set(blockNumber, pairs);
    pairs.add(`${address}${topics[0]}`);
  }
  const bits = [...watched].map(([address, topics]) => ({
    address,
    bits: bloomBits(address),
    topics: topics.map((topic): readonly [string, BloomBits] => [topic, bloomBits(topic)]),
  }));
  const suspects: EvmBlock[] = [];
  await inSlices([...blocks], (slice) => {
    for (const block of slice) {
      const { logsBloom } = block;
      const pairs = told.get(block.number);
      const promised =
        logsBloom !== null &&
        bits.some(
          (one) =>
            bloomHolds(logsBloom, one.bits) &&
            one.topics.some(
              ([topic, topicBits]) =>
                pairs?.has(`${one.address}${topic}`) !== true && bloomHolds(logsBloom, topicBits),
            ),
        );
      if (promised) suspects.push(block);
    }
  });
  return suspects;
}
