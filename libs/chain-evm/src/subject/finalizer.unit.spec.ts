import type { BlockRef, FinalizeMessage } from '@imart/core';
import { silentLogger } from '@imart/runtime';
import { toBlockRef } from '../fetch/canonicalBlock';
import type { EvmBlock } from '../log';
import type { RpcEndpoint } from '../rpc/endpoint';
import { RpcUnavailableError } from '../rpc/errors';
import type { RpcPool } from '../rpc/pool';
import { createFakeChain, quantity, type Branch, type FakeBlock } from '../testing/fakeChain';
import { createChainWindow } from './chainWindow';
import { createFinality } from './finality';
import { createFinalizer, type Finalizer } from './finalizer';

const { signal } = new AbortController();

/** A chain of 60 blocks, and one that has other blocks from block 21 on. */
function branches(): { chain: Branch; other: Branch } {
  const fork = createFakeChain(61);
  const chain = fork.canonical();
  fork.takeBack(40);
  for (let i = 0; i < 40; i++) fork.mine();
  return { chain, other: fork.canonical() };
}
const headerOf = (branch: Branch, number: number): EvmBlock => {
  const { hash, parentHash, timestamp } = branch[number] as FakeBlock;
  return { number, hash, parentHash, timestamp, logsBloom: null };
};

interface SetUp {
  /** The blocks that were read, by their numbers. */
  readonly read: readonly number[];
  readonly of: Branch;
  /** What a node calls finalized: a block of a branch; `null`: it has no such notion. */
  readonly named: readonly [Branch, number] | null;
  /** What answers when blocks are asked for; an error: nobody does. */
  readonly node?: Branch | Error;
}

function setUp({ read, of, named, node = of }: SetUp): { finalizer: Finalizer; asked: number[][] } {
  const asked: number[][] = [];
  const together: RpcEndpoint['together'] = async (calls) => {
    const numbers = calls.map(({ params }) => Number(params[0]));
    asked.push(numbers);
    if (node instanceof Error) throw node;
    return numbers.map((number) => {
      const block = node[number];
      if (block === null || block === undefined) return null;
      return { ...block, number: quantity(number), timestamp: quantity(block.timestamp) };
    });
  };
  const pool = {
    run: ({ work }) => work({ label: 'rpc#1', together } as RpcEndpoint),
  } as Pick<RpcPool, 'run'> as RpcPool;
  const finality = createFinality({
    depthBlocks: 10,
    initial: null,
    logger: silentLogger,
    refused: () => undefined,
  });
  finality.update(
    { block: headerOf(of, 60), isServed: true },
    named === null ? 'unsupported' : headerOf(...named),
  );
  const blocks = read.map((number): BlockRef => toBlockRef(headerOf(of, number)));
  const window = createChainWindow(blocks);
  return { finalizer: createFinalizer({ pool, window, finality, finalityDepthBlocks: 10 }, -1n), asked };
}
const final = (position: bigint): unknown =>
  expect.objectContaining({ kind: 'finalize', position }) as FinalizeMessage;
const upTo = (last: number): number[] => Array.from({ length: last + 1 }, (_, i) => i);

describe('a block that was read', () => {
  const { chain, other } = branches();

  it('is final when it is the one that is called so, which nobody has to be asked for', async () => {
    const { finalizer, asked } = setUp({ read: upTo(60), of: chain, named: [chain, 50] });
    expect(await finalizer.next(signal)).toEqual(final(50n));
    expect(await finalizer.next(signal)).toBeNull();
    expect([finalizer.sent, asked]).toEqual([50n, []]);
  });

  it('is not final by its number: another block of its height is called so (P8, R7)', async () => {
    const { finalizer } = setUp({ read: upTo(60), of: chain, named: [other, 50] });
    expect(await finalizer.next(signal)).toBe('contradicted');
    expect(finalizer.sent).toBe(-1n);
  });

  it('is not final below one that is called so and was not read, before a node says that it is of that branch (R7)', async () => {
    const above = { read: upTo(30), of: chain, named: [other, 50] } as const;
    const { finalizer, asked } = setUp({ ...above, node: other });
    expect(await finalizer.next(signal)).toBe('contradicted');
    expect([finalizer.sent, asked]).toEqual([-1n, [[30, 50]]]);
    // The same with a node that has the block and not the one that is called final: it lags, or is on the branch that was read.
    const lagging = setUp(above);
    expect(await lagging.finalizer.next(signal)).toBeNull();
    expect(lagging.finalizer.sent).toBe(-1n);
  });

  it('is final below one that was not read when one node has both, and waits while none has or none answers', async () => {
    const above = { read: upTo(30), of: chain, named: [chain, 50] } as const;
    expect(await setUp(above).finalizer.next(signal)).toEqual(final(30n));
    expect(await setUp({ ...above, node: chain.slice(0, 20) }).finalizer.next(signal)).toBeNull();
    const down = new RpcUnavailableError({ endpoint: 'rpc#1', method: 'eth_getBlockByNumber' }, 'down');
    expect(await setUp({ ...above, node: down }).finalizer.next(signal)).toBeNull();
  });

  it('is final without a question when it was final already when it was asked for, and no block above it', async () => {
    const { finalizer, asked } = setUp({ read: [9, 19, 29], of: chain, named: [chain, 50], node: other });
    finalizer.readAsFinal(29);
    finalizer.readAsFinal(19);
    expect(await finalizer.next(signal)).toEqual(final(29n));
    expect(asked).toEqual([]);
    const beyond = setUp({ read: [9, 19, 29], of: chain, named: [chain, 50], node: other });
    beyond.finalizer.readAsFinal(28);
    expect(await beyond.finalizer.next(signal)).toBe('contradicted');
  });

  it('is final by depth when enough blocks that were read stand on it; else a node is asked', async () => {
    const deep = setUp({ read: upTo(60), of: chain, named: null, node: other });
    expect(await deep.finalizer.next(signal)).toEqual(final(50n));
    expect(deep.asked).toEqual([]);
    // The head is ten blocks above it, which were not read.
    const shallow = { read: upTo(45), of: chain, named: null } as const;
    expect(await setUp({ ...shallow, node: other }).finalizer.next(signal)).toBe('contradicted');
    expect(await setUp(shallow).finalizer.next(signal)).toEqual(final(45n));
  });
});
