import type { Marketplace, MarketTransaction } from '../marketplace';
import { createFakeChain, quantity, type FakeBlock } from '../testing/fakeChain';
import { receiptsOf } from '../testing/fakeRpc';
import { createRangeKit, type RangeKit } from '../testing/rangeReading';
import { address, inTx, MARKET, marketplace, MOVE, sale, SALE } from '../testing/subjectKit';

let kit: RangeKit;
beforeEach(() => (kit = createRangeKit()));
afterEach(() => kit.close());

describe('receipts', () => {
  const seen: MarketTransaction[] = [];
  beforeEach(() => void seen.splice(0));
  const plain = marketplace('market', [SALE], { needsReceipt: (log) => log.data === '0x01' });
  const watched: Marketplace = {
    ...plain,
    translate(transaction, emit) {
      seen.push(transaction);
      plain.translate(transaction, emit);
    },
  };
  const marketplaces = [{ marketplace: watched, contracts: [MARKET] }];
  const chainWithReceipts = () => {
    const chain = createFakeChain();
    chain.mine([
      sale,
      inTx(1, { ...sale, data: '0x01' }),
      inTx(1, { address: address(50), topics: [MOVE] }),
      inTx(2),
    ]);
    return chain;
  };

  it('are fetched for the transactions that need them, whole, whoever emitted the logs', async () => {
    const chain = chainWithReceipts();
    const rpc = await kit.node(chain);
    await kit.take(kit.subject([rpc], { endBlock: 1n, marketplaces }));
    expect(seen.map(({ receipt }) => receipt?.logs.map(({ address: by }) => by) ?? null)).toEqual([
      null,
      [MARKET, address(50)],
      null,
    ]);
    expect(rpc.count('eth_getTransactionReceipt')).toBe(1);
  });

  it.each([
    ['logs are numbered through the block and receipts by transaction', 'eth_getTransactionReceipt', [1, 2]],
    ['logs are numbered by transaction and receipts through the block', 'eth_getLogs', [0, 1]],
  ])('have the numbers of the logs that were asked for where %s', async (_, byTransaction, expected) => {
    const chain = createFakeChain();
    const foreign = { address: address(50), topics: [MOVE] };
    chain.mine([{ ...foreign, tx: 0 }, inTx(1, { ...sale, data: '0x01' }), inTx(1, foreign)]);
    const fromTransaction = (log: Record<string, unknown>) => ({
      ...log,
      logIndex: quantity(Number(log['logIndex']) - 1),
    });
    const rpc = await kit.node(chain, {
      changeResult: (method, _params, result) => {
        if (method !== byTransaction) return result;
        if (Array.isArray(result)) return (result as Record<string, unknown>[]).map(fromTransaction);
        const receipt = result as { logs: Record<string, unknown>[] };
        return { ...receipt, logs: receipt.logs.map(fromTransaction) };
      },
    });
    await kit.take(kit.subject([rpc], { endBlock: 1n, marketplaces }));
    expect(seen.map(({ logs }) => logs.map(({ logIndex }) => logIndex))).toEqual([expected.slice(0, 1)]);
    expect(seen[0]?.receipt?.logs.map(({ logIndex }) => logIndex)).toEqual(expected);
  });

  it('come from their block when they cannot be had singly', async () => {
    const rpc = await kit.node(chainWithReceipts(), {
      onCall: (method) =>
        method === 'eth_getTransactionReceipt'
          ? { error: { code: -32601, message: 'the method is not available' } }
          : undefined,
    });
    await kit.take(kit.subject([rpc], { endBlock: 1n, marketplaces }));
    expect(seen.map(({ receipt }) => receipt?.logs.length ?? null)).toEqual([null, 2, null]);
  });

  it('that are null or short are asked for again, elsewhere (P3)', async () => {
    const chain = chainWithReceipts();
    const broken = await kit.node(chain, {
      changeResult: (method, _, result) =>
        method === 'eth_getTransactionReceipt'
          ? null
          : method === 'eth_getBlockReceipts'
            ? [receiptsOf(chain.blocks[1] as FakeBlock)[0]]
            : result,
    });
    await kit.take(kit.subject([broken, await kit.node(chain)], { endBlock: 1n, marketplaces }));
    expect(seen.map(({ receipt }) => receipt?.logs.length ?? null)).toEqual([null, 2, null]);
  });

  it('that are nowhere to be had stop the worker: never half a transaction', async () => {
    const rpc = await kit.node(chainWithReceipts(), {
      changeResult: (method, _, result) =>
        method === 'eth_getTransactionReceipt'
          ? { ...(result as object), logs: [] }
          : method === 'eth_getBlockReceipts'
            ? []
            : method === 'eth_getBlockByNumber'
              ? { ...(result as object), transactions: [] }
              : result,
    });
    const reading = kit.take(
      kit.subject([rpc], { endBlock: 1n, marketplaces, rpc: { refusedAnswersMax: 3 } }),
    );
    await expect(reading).rejects.toMatchObject({
      code: 'RPC_ANSWER_REFUSED',
      message: expect.stringContaining('no receipt with all of them') as string,
    });
    expect(seen).toEqual([]);
  });
});
