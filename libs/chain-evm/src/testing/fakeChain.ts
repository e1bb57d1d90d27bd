import { createHash } from 'node:crypto';

/** A log to be put into a block. Logs of one transaction follow each other. */
export interface FakeLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data?: string;
  /** Place of its transaction in the block. @defaultValue 0 */
  readonly tx?: number;
}

export interface FakeBlock {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: number;
  readonly logs: readonly Record<string, unknown>[];
}

/** A chain that only has what an indexer looks at. The same calls give the same chain. */
export interface FakeChain {
  readonly chainId: number;
  /** By number; a height without a block is `null`. */
  readonly blocks: readonly (FakeBlock | null)[];
  readonly head: number;
  mine(logs?: readonly FakeLog[]): FakeBlock;
  /** A height that the chain skips. */
  skipHeight(): void;
  /** Takes back the last blocks. What is mined from now on has other hashes. */
  takeBack(blocks: number): void;
}

export const quantity = (value: number): string => `0x${value.toString(16)}`;
const hashOf = (text: string): string => `0x${createHash('sha256').update(text).digest('hex')}`;

/** @param length how many empty blocks it begins with; at least the first one. */
export function createFakeChain(length = 1, chainId = 1): FakeChain {
  const blocks: (FakeBlock | null)[] = [];
  let fork = 0;

  const mine = (logs: readonly FakeLog[] = []): FakeBlock => {
    const number = blocks.length;
    const parent = blocks.findLast((block) => block !== null);
    const hash = hashOf(`block ${chainId} ${fork} ${number}`);
    const block: FakeBlock = {
      number,
      hash,
      parentHash: parent?.hash ?? `0x${'0'.repeat(64)}`,
      timestamp: 1_700_000_000 + number * 12,
      logs: logs.map(({ address, topics, data = '0x', tx = 0 }, logIndex) => ({
        address,
        topics,
        data,
        blockNumber: quantity(number),
        blockHash: hash,
        transactionHash: hashOf(`transaction ${fork} ${number} ${tx}`),
        transactionIndex: quantity(tx),
        logIndex: quantity(logIndex),
        removed: false,
      })),
    };
    blocks.push(block);
    return block;
  };
  for (let i = 0; i < Math.max(1, length); i++) mine();
  return {
    chainId,
    blocks,
    get head() {
      return blocks.length - 1;
    },
    mine,
    skipHeight: () => void blocks.push(null),
    takeBack(count) {
      blocks.length -= count;
      fork++;
    },
  };
}
