import { createFakeChain, quantity } from '../testing/fakeChain';
import type { FakeRpcRules } from '../testing/fakeRpc';
import {
  createRangeKit,
  expectContiguous,
  places,
  placesOf,
  sparseChain,
  type RangeKit,
} from '../testing/rangeReading';
import { address, inTx, marketplace, MOVE, sale, SALE } from '../testing/subjectKit';

let kit: RangeKit;
beforeEach(() => (kit = createRangeKit()));
afterEach(() => kit.close());

describe('a provider with limits', () => {
  it.each<[string, FakeRpcRules]>([
    ['on blocks', { blocksMax: 7 }],
    ['on logs', { logsMax: 5 }],
    ['on both', { blocksMax: 50, logsMax: 9 }],
  ])('%s is asked for what it gives (P9)', async (_, rules) => {
    const chain = sparseChain(300);
    const rpc = await kit.node(chain, rules);
    const messages = await kit.take(kit.subject([rpc], { endBlock: 300n, ranges: { firstBlocks: 200 } }));
    expect(places(messages)).toEqual(placesOf(chain));
    expectContiguous(messages);
  });

  it('whose suggestion is what was asked is asked for half (P9)', async () => {
    const chain = sparseChain(100);
    const rpc = await kit.node(chain, {
      onCall: (method, [filter]) => {
        const { fromBlock, toBlock } = (filter ?? {}) as { fromBlock: string; toBlock: string };
        if (method !== 'eth_getLogs' || Number(toBlock) - Number(fromBlock) < 3) return undefined;
        return {
          error: {
            code: -32602,
            message: `query exceeds max results 20000, retry with the range ${Number(fromBlock)}-${Number(toBlock)}`,
          },
        };
      },
    });
    const messages = await kit.take(kit.subject([rpc], { endBlock: 100n }));
    expect(places(messages)).toEqual(placesOf(chain));
  });

  it('that cuts its answers without a word is found out', async () => {
    const chain = createFakeChain();
    for (let i = 0; i < 60; i++) chain.mine([sale, inTx(1), inTx(2)]);
    const rpc = await kit.node(chain, { silentCap: 100 });
    const messages = await kit.take(kit.subject([rpc], { endBlock: 60n }));
    expect(places(messages)).toEqual(placesOf(chain));
  });

  it.each([true, false])(
    'too small for one block is asked for its receipts, or by halves of the question (receipts: %p)',
    async (hasReceipts) => {
      const chain = createFakeChain();
      const logs = [1, 2, 3, 4].flatMap((n) => [
        inTx(n, { address: address(n), topics: [SALE] }),
        inTx(n, { address: address(n), topics: [MOVE] }),
      ]);
      chain.mine(logs);
      const rpc = await kit.node(chain, {
        logsMax: 1,
        ...(hasReceipts
          ? {}
          : {
              onCall: (method) =>
                method === 'eth_getBlockReceipts'
                  ? { error: { code: -32601, message: 'method not found' } }
                  : undefined,
            }),
      });
      const marketplaces = [
        { marketplace: marketplace('market', [SALE, MOVE]), contracts: [1, 2, 3, 4].map(address) },
      ];
      const messages = await kit.take(kit.subject([rpc], { endBlock: 1n, marketplaces }));
      expect(places(messages)).toEqual(['1/0', '1/1', '1/2', '1/3', '1/4', '1/5', '1/6', '1/7']);
      expect(rpc.count('eth_getBlockReceipts')).toBeGreaterThan(0);
    },
  );

  it('on its rate is asked later for the same, not for less (P10)', async () => {
    const chain = sparseChain(50);
    let refusals = 3;
    const rpc = await kit.node(chain, {
      onCall: (method) =>
        method === 'eth_getLogs' && refusals-- > 0
          ? { error: { code: -32005, message: 'request rate limited' } }
          : undefined,
    });
    await kit.take(kit.subject([rpc], { endBlock: 40n, finalityDepthBlocks: 5, useFinalizedTag: false }));
    const ranges = rpc.calls
      .filter(({ method }) => method === 'eth_getLogs')
      .map(({ params }) => (params[0] as { toBlock: string }).toBlock);
    expect(new Set(ranges)).toEqual(new Set([quantity(40)]));
  });
});
