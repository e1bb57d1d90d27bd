import { evmSeqNo } from '../seqNo';
import type { FollowedMarketplace } from '../follow';
import { createFakeChain, type FakeChain } from '../testing/fakeChain';
import {
  appends,
  createRangeKit,
  expectContiguous,
  fromStart,
  places,
  type RangeKit,
} from '../testing/rangeReading';
import { child, followed, made, moved } from '../testing/subjectKit';

let kit: RangeKit;
beforeEach(() => (kit = createRangeKit()));
afterEach(() => kit.close());

describe('collections that a factory creates', () => {
  const [, factory, tokens] = followed as [FollowedMarketplace, FollowedMarketplace, FollowedMarketplace];
  const marketplaces = [factory, tokens];

  function chainWithChildren(): FakeChain {
    const chain = createFakeChain();
    for (let i = 1; i <= 120; i++) {
      if (i % 20 === 5) chain.mine([moved(i), made(i), moved(i)]);
      else chain.mine(i % 20 > 5 ? [moved(i - (i % 20) + 5), moved(5)] : [moved(999)]);
    }
    return chain;
  }

  it.each([1, 3, 10, 500])(
    'are followed from their creation on, in ranges of %i blocks',
    async (firstBlocks) => {
      const chain = chainWithChildren();
      const rpc = await kit.node(chain, { finalized: 120 });
      const messages = await kit.take(
        kit.subject([rpc], {
          endBlock: 120n,
          marketplaces,
          rangesInFlightMax: 4,
          ranges: { firstBlocks, maxBlocks: firstBlocks },
        }),
      );
      const expected = chain.blocks.flatMap((block) => {
        const number = block?.number ?? 0;
        if (number % 20 === 5) return [`${number}/1`, `${number}/2`];
        if (number % 20 > 5) return [`${number}/0`, ...(number > 5 ? [`${number}/1`] : [])];
        return [];
      });
      // Blocks 6..19 hold two logs of the first child.
      expect(places(messages)).toEqual(expected);
      expect(
        appends(messages)
          .flatMap(({ discovered }) => discovered)
          .map(({ address: of }) => of),
      ).toEqual([5, 25, 45, 65, 85, 105].map(child));
      expectContiguous(messages);
    },
  );

  it('are followed after a restart', async () => {
    const chain = chainWithChildren();
    const rpc = await kit.node(chain);
    const discovered = [{ address: child(5), kind: 'erc721', discoveredAt: evmSeqNo.encode(5n, 1, 0) }];
    const messages = await kit.take(kit.subject([rpc], { endBlock: 10n, marketplaces }), {
      ...fromStart,
      nextPosition: 4n,
      discovered,
    });
    expect(places(messages)).toEqual([
      '5/1',
      '5/2',
      '6/0',
      '6/1',
      '7/0',
      '7/1',
      '8/0',
      '8/1',
      '9/0',
      '9/1',
      '10/0',
      '10/1',
    ]);
    expect(appends(messages).flatMap((append) => append.discovered)).toEqual([]);
  });

  it('need no queries of their own when every contract is followed', async () => {
    const rpc = await kit.node(chainWithChildren());
    const messages = await kit.take(
      kit.subject([rpc], { endBlock: 30n, marketplaces: [factory, { ...tokens, contracts: 'all' }] }),
    );
    expect(places(messages).filter((place) => place.startsWith('5/'))).toEqual(['5/0', '5/1', '5/2']);
    expect(appends(messages).flatMap(({ discovered }) => discovered)).toHaveLength(2);
  });
});
