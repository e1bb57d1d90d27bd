import type { BlockRef } from '@imart/core';
import { toBlockRef } from '../fetch/canonicalBlock';
import type { RpcEndpoint } from '../rpc/endpoint';
import { RpcInconsistentError } from '../rpc/errors';
import { createFakeChain, quantity, type Branch, type FakeBlock } from '../testing/fakeChain';
import { surveyBranch, type BranchView } from './branchSurvey';

const { signal } = new AbortController();

const refOf = (branch: Branch, number: number): BlockRef =>
  toBlockRef({ ...(branch[number] as FakeBlock), logsBloom: null });
const refs = (branch: Branch, from: number, to: number): BlockRef[] =>
  Array.from({ length: to - from + 1 }, (_, i) => refOf(branch, from + i));

/** Two branches that part above block 20: 40 blocks, and 50. */
const fork = createFakeChain(41);
const chain = fork.canonical();
fork.takeBack(20);
while (fork.head < 50) fork.mine();
const other = fork.canonical();

/** What a node says of the blocks 1 to 40 of `chain`; each height is answered from the branch that is chosen for it. */
async function survey(branchAt: (number: number) => Branch, remembered = refs(chain, 1, 40)) {
  const asked: number[][] = [];
  const blockAt = (number: number): unknown => {
    const block = branchAt(number)[number];
    return block === undefined || block === null
      ? null
      : { ...block, number: quantity(number), timestamp: quantity(block.timestamp) };
  };
  const endpoint = {
    label: 'rpc#1',
    many: async (calls: readonly { params: readonly unknown[] }[]) => {
      const numbers = calls.map(({ params }) => Number(params[0]));
      asked.push(numbers);
      return numbers.map(blockAt);
    },
    call: async () => blockAt(branchAt(-1).length - 1),
  } as unknown as RpcEndpoint;
  const view: BranchView = await surveyBranch(endpoint, remembered, signal);
  return { ...view, asked };
}

describe('a look at what an endpoint has of the blocks that were read', () => {
  it('finds the newest one when it has all of them, at once', async () => {
    const { shared, fork: at, goesOn, asked } = await survey(() => chain);
    expect([shared, at, goesOn]).toEqual([refOf(chain, 40), null, false]);
    expect(asked).toHaveLength(1);
  });

  it('tells that it goes on when it has the child of the newest one, not any block above it', async () => {
    expect(await survey(() => chain, refs(chain, 1, 39))).toMatchObject({ goesOn: true, fork: null });
    expect(await survey(() => other, refs(chain, 1, 39))).toMatchObject({ goesOn: false });
  });

  it('walks back to the last one that it shares, and tells the lowest that it has otherwise', async () => {
    const { shared, fork: at, asked } = await survey(() => other);
    expect(shared).toEqual(refOf(chain, 20));
    expect(at).toEqual({
      position: 21n,
      storedHash: chain[21]?.hash,
      seenHash: other[21]?.hash,
    });
    // Sixteen headers and the one above; then four times as many, as far as there are any.
    expect(asked.map((numbers) => numbers.length)).toEqual([17, 24]);
  });

  it('is a view of a shorter chain, not of another one, where it has none of the blocks above', async () => {
    const { shared, fork: at } = await survey(() => chain.slice(0, 31));
    expect([shared, at]).toEqual([refOf(chain, 30), null]);
  });

  it('tells of a block of another branch at a height that the branch read skips, and none of a branch that skips it too (P17)', async () => {
    const skipping = createFakeChain(21);
    const shared = skipping.canonical();
    skipping.skipHeight();
    skipping.mine();
    const read = skipping.canonical();
    const remembered = [...refs(read, 1, 20), refOf(read, 22)];
    skipping.switchTo(shared);
    skipping.mine();
    const { shared: newest, fork: at } = await survey(() => skipping.canonical(), remembered);
    expect(newest).toEqual(refOf(read, 20));
    expect(at).toEqual({ position: 21n, storedHash: read[22]?.hash, seenHash: skipping.blocks[21]?.hash });
    expect(await survey(() => shared, remembered)).toMatchObject({ shared: refOf(read, 20), fork: null });
    expect(await survey(() => read, remembered)).toMatchObject({ shared: refOf(read, 22), fork: null });
  });

  it('shares nothing when all that is remembered is otherwise', async () => {
    const { shared, fork: at } = await survey(() => other, refs(chain, 25, 40));
    expect([shared, at?.position]).toEqual([null, 25n]);
  });

  it('is no view at all while the node is in the middle of a change: its blocks do not follow each other (P6)', async () => {
    await expect(survey((number) => (number > 30 ? other : chain))).rejects.toThrow(RpcInconsistentError);
    await expect(survey((number) => (number > 30 ? other : chain))).rejects.toThrow(
      /block 31 is no child of block 30/,
    );
    await expect(survey((number) => (number > 40 ? other : chain))).rejects.toThrow(
      /block 41 is no child of block 40/,
    );
  });

  it('is no view when an answer is no header', async () => {
    const broken = chain.map((block) => (block?.number === 35 ? { ...block, hash: '0x' } : block));
    await expect(survey(() => broken)).rejects.toThrow(/the answer for block 35 is not its header/);
  });
});
