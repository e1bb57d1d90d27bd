import type { BlockRef } from '@imart/core';
import type { RpcEndpoint } from '../rpc/endpoint';
import type { BranchView } from './branchSurvey';
import { countVotes, majority, type BranchVotes } from './branchVotes';

const endpoints = [1, 2, 3, 4].map((n) => ({ label: `rpc#${n}` }) as RpcEndpoint);
const block = (n: number): BlockRef => ({
  position: BigInt(n),
  hash: `0x${n}`,
  parentHash: `0x${n - 1}`,
  timeUs: 0n,
});

/** What endpoint n has: the blocks that were read up to `shared`, and others from `fork` on. */
const view = (n: number, shared: number | null, fork: number | null = null): BranchView => ({
  endpoint: endpoints[n - 1] as RpcEndpoint,
  shared: shared === null ? null : block(shared),
  fork: fork === null ? null : { position: BigInt(fork), storedHash: `0x${fork}`, seenHash: '0xff' },
  goesOn: false,
});
const numbers = (views: readonly BranchView[]): number[] =>
  views.map(({ endpoint }) => endpoints.indexOf(endpoint) + 1);
const sides = ({ against, standing }: BranchVotes): number[][] => [numbers(against), numbers(standing)];

describe('votes of endpoints', () => {
  it('are none against what was read when nobody has another block, however short a chain is', () => {
    const votes = countVotes([view(1, 30), view(2, 12)]);
    expect([sides(votes), votes.ancestor, votes.fork]).toEqual([[[], []], null, null]);
  });

  it('are those of endpoints that have one of the contested blocks: who ends below them has none (P6)', () => {
    const votes = countVotes([view(1, 30), view(2, 20, 21), view(3, 20), view(4, 21)]);
    expect(sides(votes)).toEqual([[2], [1, 4]]);
    expect([votes.ancestor, votes.fork?.position]).toEqual([block(20), 21n]);
  });

  it('go back no further than the newest block that any of those shares who have others', () => {
    const votes = countVotes([view(1, 15, 16), view(2, 25, 26), view(3, null, 10)]);
    expect(sides(votes)).toEqual([[1, 2, 3], []]);
    expect([votes.ancestor, votes.fork?.position]).toEqual([block(25), 26n]);
  });

  it('are the same doubt while the same endpoints say the same', () => {
    const said = [view(1, 30), view(2, 20, 21)];
    expect(countVotes(said).key).toBe(countVotes([...said, view(3, 30)]).key);
    expect(countVotes(said).key).not.toBe(countVotes([view(1, 20, 21), view(2, 20, 21)]).key);
    expect(countVotes(said).key).not.toBe(countVotes([view(1, 30), view(2, 19, 20)]).key);
  });

  it('are decided by number; of equal numbers, by who was named first', () => {
    const decide = (...views: BranchView[]) => majority(endpoints, countVotes(views));
    expect(decide(view(1, 30), view(2, 20, 21), view(3, 20, 21))).toEqual({
      side: 'against',
      byNumber: true,
    });
    expect(decide(view(1, 20, 21), view(2, 30), view(3, 30))).toEqual({ side: 'standing', byNumber: true });
    expect(decide(view(1, 30), view(2, 20, 21))).toEqual({ side: 'standing', byNumber: false });
    expect(decide(view(1, 20, 21), view(2, 30))).toEqual({ side: 'against', byNumber: false });
    expect(decide(view(4, 20, 21), view(2, 20, 21), view(3, 30), view(1, 30))).toEqual({
      side: 'standing',
      byNumber: false,
    });
  });
});
