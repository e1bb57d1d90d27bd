import { createFakeChain, quantity } from '../testing/fakeChain';
import type { FakeRpcRules } from '../testing/fakeRpc';
import {
  appends,
  createRangeKit,
  expectContiguous,
  places,
  placesOf,
  sparseChain,
  type RangeKit,
} from '../testing/rangeReading';
import { address, inTx, sale, SALE, word } from '../testing/subjectKit';

let kit: RangeKit;
beforeEach(() => (kit = createRangeKit()));
afterEach(() => kit.close());

describe('an answer that cannot be right', () => {
  const heals = (times: number, broken: NonNullable<FakeRpcRules['changeResult']>): FakeRpcRules => {
    let left = times;
    return {
      changeResult: (method, params, result) => {
        const changed = left > 0 ? broken(method, params, result) : result;
        if (changed !== result) left--;
        return changed;
      },
    };
  };
  const first = (result: unknown) => (result as Record<string, unknown>[])[0];
  const isLogs = (method: string, result: unknown) =>
    method === 'eth_getLogs' && Array.isArray(result) && result.length > 0;

  it.each<[string, NonNullable<FakeRpcRules['changeResult']>]>([
    [
      'has a log twice (P11)',
      (method, _, result) => (isLogs(method, result) ? [...(result as unknown[]), first(result)] : result),
    ],
    [
      'has a log of another block (P11)',
      (method, _, result) => (isLogs(method, result) ? [{ ...first(result), blockNumber: '0x999' }] : result),
    ],
    [
      'has a log of another branch (P11)',
      (method, _, result) =>
        isLogs(method, result)
          ? [{ ...first(result), blockHash: word(9) }, ...(result as unknown[]).slice(1)]
          : result,
    ],
    ['is no list', (method, _, result) => (isLogs(method, result) ? { 0: 1 } : result)],
    [
      'has a header of another height',
      (method, [number], result) =>
        method === 'eth_getBlockByNumber' && number === '0x4'
          ? { ...(result as object), number: '0x5' }
          : result,
    ],
    [
      'has a header of another branch',
      (method, [number], result) =>
        method === 'eth_getBlockByNumber' && number === '0x4'
          ? { ...(result as object), hash: word(9) }
          : result,
    ],
    [
      'has headers that do not follow each other',
      (method, [number], result) =>
        method === 'eth_getBlockByNumber' && number === '0x5'
          ? { ...(result as object), parentHash: word(9) }
          : result,
    ],
    [
      'lacks the last block: its logs are not believed (P1)',
      (method, [number], result) => (method === 'eth_getBlockByNumber' && number === '0x1e' ? null : result),
    ],
  ])('%s, and is asked for again', async (_, broken) => {
    const chain = sparseChain(30);
    const rpc = await kit.node(chain, heals(4, broken));
    const messages = await kit.take(kit.subject([rpc], { endBlock: 30n }));
    expect(places(messages)).toEqual(placesOf(chain));
    expectContiguous(messages);
    for (const { source } of appends(messages).flatMap(({ events }) => events)) {
      expect(source.blockHash).toBe(chain.blocks[Number(source.position)]?.hash);
    }
  });

  it('is asked for elsewhere (P1)', async () => {
    const chain = sparseChain(30);
    const lagging = await kit.node(chain, {
      head: 12,
      changeResult: (_, [tag], result) =>
        tag === 'latest' ? { ...(result as object), number: '0x1e' } : result,
    });
    const good = await kit.node(chain);
    const messages = await kit.take(kit.subject([lagging, good], { endBlock: 30n }));
    expect(places(messages)).toEqual(placesOf(chain));
  });

  it('stops the worker when it stays so, and names the blocks', async () => {
    const rpc = await kit.node(sparseChain(30), {
      changeResult: (method, _, result) =>
        isLogs(method, result) ? [...(result as unknown[]), first(result)] : result,
    });
    await expect(
      kit.take(kit.subject([rpc], { endBlock: 30n, rpc: { refusedAnswersMax: 5 } })),
    ).rejects.toMatchObject({
      code: 'RPC_ANSWER_REFUSED',
      disposition: 'stop',
      message: expect.stringMatching(/blocks 1\.\.30.*5 attempts.*twice/) as string,
    });
  });

  it('does not end the reading when it is a page of a gateway, or nothing at all (P3, P15)', async () => {
    const chain = sparseChain(30);
    let count = 0;
    const rpc = await kit.node(chain, {
      onHttp: () =>
        (++count * 7) % 5 < 2
          ? { status: count % 2 === 1 ? 502 : 200, body: '<html>Bad Gateway</html>' }
          : undefined,
    });
    expect(places(await kit.take(kit.subject([rpc], { endBlock: 30n })))).toEqual(placesOf(chain));
  });

  it('leaves out removed logs of another branch and malformed ones, counted by reason (P12, D7)', async () => {
    const chain = createFakeChain();
    chain.mine([sale, inTx(1), inTx(2)]);
    chain.mine();
    const rpc = await kit.node(chain, {
      changeResult: (method, _, result) =>
        isLogs(method, result)
          ? (result as object[]).map((log, i) =>
              i === 0
                ? { ...log, blockHash: word(9), removed: true }
                : i === 1
                  ? { ...log, topics: [SALE, ''] }
                  : log,
            )
          : result,
    });
    const subject = kit.subject([rpc], { endBlock: 2n });
    const messages = await kit.take(subject);
    expect(places(messages)).toEqual(['1/2']);
    expect(appends(messages).reduce((sum, append) => sum + append.sourceRecords, 0)).toBe(3);
    expect(subject.stats().skippedLogs).toEqual({ removed: 1, topics: 1 });
  });

  it('has malformed logs: the first one of each fault and endpoint is told with its place, all are counted (D7)', async () => {
    const chain = createFakeChain();
    for (let i = 0; i < 3; i++) chain.mine([sale, inTx(1), inTx(2)]);
    const rpc = await kit.node(chain, {
      changeResult: (method, _, result) =>
        isLogs(method, result)
          ? (result as Record<string, unknown>[]).map((log) =>
              log['logIndex'] === '0x0'
                ? { ...log, data: '0x1' }
                : log['logIndex'] === '0x1'
                  ? { ...log, transactionHash: { not: 'a hash' } }
                  : log,
            )
          : result,
    });
    const subject = kit.subject([rpc], { endBlock: 3n });
    expect(places(await kit.take(subject))).toEqual(['1/2', '2/2', '3/2']);
    expect(subject.stats().skippedLogs).toEqual({ data: 3, transaction: 3 });
    const told = kit.lines.filter(({ level, message }) => level === 'warn' && message.includes('left out'));
    const endpoint = expect.stringContaining('rpc#1') as string;
    expect(told.map(({ fields }) => fields)).toEqual([
      { reason: 'data', endpoint, block: '0x1', transaction: chain.blocks[1]?.logs[0]?.['transactionHash'] },
      { reason: 'transaction', endpoint, block: '0x1', transaction: 'unknown' },
    ]);
  });

  it.each([
    ['above finality', null],
    ['below it, where the block is asked for', 5],
  ])('marks a log of a block of the chain as removed: it is read again, %s (P12)', async (_, finalized) => {
    const chain = createFakeChain();
    chain.mine();
    chain.mine([sale, inTx(1)]);
    for (let i = 0; i < 3; i++) chain.mine();
    const removed = (method: string, _params: unknown, result: unknown) =>
      isLogs(method, result)
        ? (result as object[]).map((log, i) => (i === 0 ? { ...log, removed: true } : log))
        : result;
    const settings = finalized === null ? {} : { finalityDepthBlocks: 0 };
    const rpc = await kit.node(chain, { ...heals(2, removed), finalized });
    expect(places(await kit.take(kit.subject([rpc], { endBlock: 5n, ...settings })))).toEqual(['2/0', '2/1']);

    const always = await kit.node(chain, { changeResult: removed, finalized });
    const reading = kit.take(
      kit.subject([always], { endBlock: 5n, ...settings, rpc: { refusedAnswersMax: 3 } }),
    );
    await expect(reading).rejects.toMatchObject({
      code: 'RPC_ANSWER_REFUSED',
      message: expect.stringContaining('marked as removed with block 2') as string,
    });
  });

  describe('and that lacks logs of a block', () => {
    /** A bloom that holds everything, or only the market and its topic. */
    const full = () => `0x${'f'.repeat(512)}`;
    const omit = (rules: { once: boolean }): NonNullable<FakeRpcRules['changeResult']> => {
      let omitted = false;
      return (method, [filter], result) => {
        if (!isLogs(method, result) || 'blockHash' in (filter as object) || (rules.once && omitted))
          return result;
        omitted = true;
        return [];
      };
    };
    it('is found out by the bloom, by the hash of the block (P2)', async () => {
      const chain = sparseChain(10);
      const rpc = await kit.node(chain, { bloom: full, changeResult: omit({ once: true }) });
      expect(places(await kit.take(kit.subject([rpc], { endBlock: 10n })))).toEqual(placesOf(chain));
      const still = await kit.node(chain, { bloom: full, changeResult: omit({ once: false }) });
      const reading = kit.take(kit.subject([still], { endBlock: 10n, rpc: { refusedAnswersMax: 3 } }));
      await expect(reading).rejects.toMatchObject({ code: 'RPC_ANSWER_REFUSED' });
    });

    it('is believed after a second look, or at once where blooms are not to be trusted', async () => {
      const rpc = await kit.node(createFakeChain(11), { bloom: full });
      const subject = kit.subject([rpc], { endBlock: 10n });
      await kit.take(subject);
      expect(subject.stats().bloomAlarms).toBe(10);
      const trusting = kit.subject([rpc], { endBlock: 10n, checkBlooms: false });
      await kit.take(trusting);
      expect(trusting.stats().bloomAlarms).toBe(0);
    });
  });

  it('may come in any order: the order is ours', async () => {
    const chain = sparseChain(50);
    const rpc = await kit.node(chain, {
      changeResult: (method, _, result) =>
        isLogs(method, result) ? [...(result as unknown[])].reverse() : result,
    });
    expect(places(await kit.take(kit.subject([rpc], { endBlock: 50n })))).toEqual(placesOf(chain));
  });

  it.each([
    ['one block at a time', 1],
    ['all at once', 50],
  ])(
    'may count logs by transaction where one block does not show it: after a block that did, all are places, read %s',
    async (_, unfinalizedRangeBlocksMax) => {
      const chain = createFakeChain();
      const foreign = { ...sale, address: address(77) };
      const notShown = [foreign, foreign, inTx(1)];
      chain.mine(notShown);
      chain.mine([sale, inTx(1)]);
      chain.mine(notShown);
      chain.mine();
      chain.mine(notShown);
      const perTransaction = (logs: readonly Record<string, unknown>[]) =>
        logs.map((log) => ({
          ...log,
          logIndex: quantity(
            Number(log['logIndex']) -
              Number(
                chain.blocks[Number(log['blockNumber'])]?.logs.find(
                  (first) => first['transactionHash'] === log['transactionHash'],
                )?.['logIndex'],
              ),
          ),
        }));
      let asked = 0;
      const rpc = await kit.node(chain, {
        // The block that shows it is answered after those behind it, which are read at the same time.
        onCall: (method, [filter]) =>
          method === 'eth_getLogs' && (filter as { fromBlock?: string }).fromBlock === '0x2' && asked++ < 3
            ? { error: { code: -32603, message: 'internal error' } }
            : undefined,
        changeResult: (method, _params, result) => {
          if (method === 'eth_getLogs') return perTransaction(result as Record<string, unknown>[]);
          if (method !== 'eth_getBlockReceipts') return result;
          return (result as { logs: Record<string, unknown>[] }[]).map((receipt) => ({
            ...receipt,
            logs: perTransaction(receipt.logs),
          }));
        },
      });
      const messages = await kit.take(kit.subject([rpc], { endBlock: 5n, unfinalizedRangeBlocksMax }));
      expect(places(messages)).toEqual(['1/0', '2/0', '2/1', '3/2', '5/2']);
    },
  );

  it('may count logs by transaction: then the index is the place in the block', async () => {
    const chain = createFakeChain();
    chain.mine([sale, { ...sale, address: address(77) }, inTx(1), inTx(1), inTx(2)]);
    const perTransaction = (log: Record<string, unknown>): Record<string, unknown> => ({
      ...log,
      logIndex: quantity([0, 1, 0, 1, 0][Number(log['logIndex'])] as number),
    });
    const rpc = await kit.node(chain, {
      changeResult: (method, _, result) => {
        if (method === 'eth_getLogs') return (result as Record<string, unknown>[]).map(perTransaction);
        if (method !== 'eth_getBlockReceipts') return result;
        return (result as { logs: Record<string, unknown>[] }[]).map((receipt) => ({
          ...receipt,
          logs: receipt.logs.map(perTransaction),
        }));
      },
    });
    expect(places(await kit.take(kit.subject([rpc], { endBlock: 1n })))).toEqual([
      '1/0',
      '1/2',
      '1/3',
      '1/4',
    ]);
  });
});
