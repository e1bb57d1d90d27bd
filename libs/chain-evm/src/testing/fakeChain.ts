import { sealBlock, transactionsOf, type FakeBlock, type FakeLog, type FakeTransaction } from './fakeBlock';

export { hashOf, quantity, type FakeBlock, type FakeLog, type FakeTransaction } from './fakeBlock';

/** The blocks of one branch by number, from block 0 on; a height without a block is `null`. Never changes. */
export type Branch = readonly (FakeBlock | null)[];

export interface FakeChainOptions {
  /** @defaultValue 12 */
  readonly blockSeconds?: number;
  /** Seconds since 1970. @defaultValue 1,700,000,000 */
  readonly genesisTime?: number;
  /** The time of the next block, in seconds since 1970; never before that of the block below. @defaultValue by `blockSeconds` */
  readonly clock?: () => number;
  /** Tells chains of the same id and content apart. */
  readonly salt?: string;
}

/**
 * A chain that only has what an indexer looks at, and that can take blocks back. The same calls give the same chain, hashes
 * included.
 */
export interface FakeChain {
  readonly chainId: number;
  /** The chain as it is now, by number; a height without a block is `null`. */
  readonly blocks: readonly (FakeBlock | null)[];
  readonly head: number;
  /** The chain as it is now, to be kept: the oracle at the end; a branch that a node stays on or that the chain returns to. */
  canonical(): Branch;
  mine(logs?: readonly FakeLog[]): FakeBlock;
  mineTransactions(transactions: readonly FakeTransaction[]): FakeBlock;
  /** A height that the chain skips. */
  skipHeight(): void;
  /**
   * Takes back the last blocks; at least the first one stays. What is mined from now on has other hashes.
   * @returns what was taken back, ascending.
   */
  takeBack(blocks: number): readonly (FakeBlock | null)[];
  /** Takes blocks back and mines others in their place, at one moment. @param blocks their transactions, block by block. */
  reorg(depth: number, blocks: readonly (readonly FakeTransaction[])[]): readonly (FakeBlock | null)[];
  /** Goes over to a branch that was kept before. */
  switchTo(branch: Branch): void;
  /** The blocks that were taken back and are not of the chain now, in the order in which they were mined. */
  orphans(): readonly FakeBlock[];
  /** Whatever branch it is on. */
  byHash(hash: string): FakeBlock | undefined;
  /** The blocks that have this transaction, on whatever branch. */
  withTransaction(hash: string): readonly FakeBlock[];
  /** Called with each block that becomes part of the chain. @returns ends it. */
  onBlock(listener: (block: FakeBlock) => void): () => void;
}

/** @param length how many empty blocks it begins with; at least the first one. */
export function createFakeChain(length = 1, chainId = 1, options: FakeChainOptions = {}): FakeChain {
  const { blockSeconds = 12, genesisTime = 1_700_000_000, salt = '', clock } = options;
  const blocks: (FakeBlock | null)[] = [];
  const byHash = new Map<string, FakeBlock>();
  const byTransaction = new Map<string, FakeBlock[]>();
  const listeners = new Set<(block: FakeBlock) => void>();
  let forks = 0;

  const seal = (transactions: readonly FakeTransaction[]): FakeBlock => {
    const number = blocks.length;
    const parent = blocks.findLast((before) => before !== null);
    const block = sealBlock({
      number,
      parentHash: parent?.hash ?? `0x${'0'.repeat(64)}`,
      timestamp:
        clock === undefined || parent === undefined
          ? genesisTime + number * blockSeconds
          : Math.max(parent?.timestamp ?? 0, Math.floor(clock())),
      salt: `${chainId} ${salt} ${forks}`,
      transactions,
    });
    blocks.push(block);
    byHash.set(block.hash, block);
    for (const { hash } of block.transactions) {
      const known = byTransaction.get(hash);
      if (known === undefined) byTransaction.set(hash, [block]);
      else known.push(block);
    }
    return block;
  };
  const announce = (mined: readonly FakeBlock[]): void => {
    for (const block of mined) for (const listener of listeners) listener(block);
  };
  const mineTransactions = (transactions: readonly FakeTransaction[]): FakeBlock => {
    const block = seal(transactions);
    announce([block]);
    return block;
  };
  const takeBack = (count: number): (FakeBlock | null)[] => {
    if (count < 0 || count >= blocks.length)
      throw new RangeError(`${count} blocks cannot be taken back of ${blocks.length}`);
    forks++;
    return blocks.splice(blocks.length - count, count);
  };

  for (let i = 0; i < Math.max(1, length); i++) seal([]);
  return {
    chainId,
    blocks,
    get head() {
      return blocks.length - 1;
    },
    canonical: () => [...blocks],
    mine: (logs = []) => mineTransactions(transactionsOf(logs)),
    mineTransactions,
    skipHeight: () => void blocks.push(null),
    takeBack,
    reorg(depth, branch) {
      const orphans = takeBack(depth);
      announce(branch.map((transactions) => seal(transactions)));
      return orphans;
    },
    switchTo(branch) {
      const shared = branch.findIndex((block, number) => block !== blocks[number]);
      forks++;
      blocks.splice(0, blocks.length, ...branch);
      announce(shared === -1 ? [] : branch.slice(shared).filter((block) => block !== null));
    },
    orphans: () => [...byHash.values()].filter(({ number, hash }) => blocks[number]?.hash !== hash),
    byHash: (hash) => byHash.get(hash.toLowerCase()),
    withTransaction: (hash) => byTransaction.get(hash.toLowerCase()) ?? [],
    onBlock(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
