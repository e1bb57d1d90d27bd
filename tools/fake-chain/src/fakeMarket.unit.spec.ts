import { keccak256 } from 'ethers';
import WebSocket from 'ws';
import { once } from 'node:events';
import { interfaceOf } from '../../devnet/src/contracts';
import type { Expected } from '../../devnet/src/expected';
import { contractAt } from './encodeLog';
import {
  collectionCreated,
  createFakeChain,
  createMarketTraffic,
  erc1155Logs,
  erc721Logs,
  hashOf,
  imartLogs,
  startFakeMarket,
  startFakeRpc,
  type FakeBlock,
  type FakeMarket,
  type FakeRpc,
  type FakeRpcRules,
  type MarketTraffic,
} from './index';

type Log = Readonly<Record<string, unknown>> & {
  readonly topics: readonly string[];
  readonly address: string;
};

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => void (await Promise.all(opened.splice(0).map((one) => one.close()))));

/** One request, with its status; `null`: the connection was closed. */
async function post(url: string, body: unknown): Promise<{ status: number; text: string } | null> {
  try {
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    return { status: response.status, text: await response.text() };
  } catch {
    return null;
  }
}
const one = (method: string, ...params: unknown[]) => ({ jsonrpc: '2.0', id: 1, method, params });
async function call<T>(url: string, method: string, ...params: unknown[]): Promise<T> {
  const answer = JSON.parse((await post(url, one(method, ...params)))?.text ?? '{}') as {
    result?: T;
    error?: { code: number; message: string };
  };
  if (answer.error !== undefined) throw new Error(`${answer.error.code} ${answer.error.message}`);
  return answer.result as T;
}

const blocksOf = ({ chain }: MarketTraffic): FakeBlock[] => chain.blocks.filter((block) => block !== null);

/** The logs that are in the chain, decoded by the contracts' interfaces: what the model says must be there. */
function decoded(traffic: MarketTraffic): unknown[] {
  const standards = new Map(traffic.expected().collections.map((one) => [one.address, one.standard]));
  standards.set(traffic.contracts.erc721, 'erc721').set(traffic.contracts.erc1155, 'erc1155');
  return blocksOf(traffic).flatMap(({ number, timestamp, logs }) =>
    (logs as Log[]).map((log) => {
      const name = contractAt(traffic.contracts, log.address, standards.get(log.address));
      const event = interfaceOf(name).parseLog({ topics: log.topics, data: log['data'] as string });
      const text = (value: unknown): unknown =>
        Array.isArray(value)
          ? value.map(text)
          : typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value)
            ? value.toLowerCase()
            : String(value);
      return {
        block: number,
        logIndex: Number(log['logIndex']),
        txHash: log['transactionHash'],
        time: timestamp,
        address: log.address,
        event: event?.name,
        args: event?.args.toArray().map(text),
      };
    }),
  );
}

describe('a market on a fake chain', () => {
  it('is the same for the same seed and calls', () => {
    const run = (seed: number): string[] => {
      const traffic = createMarketTraffic({ seed });
      for (let i = 0; i < 10; i++) traffic.mine(5);
      traffic.reorg({ depth: 3 });
      return blocksOf(traffic).map(({ hash }) => hash);
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  it('has blocks that follow each other, with distinct hashes, blooms of their logs, and logs numbered through the block', () => {
    const traffic = createMarketTraffic({ seed: 3 });
    for (let i = 0; i < 12; i++) traffic.mine(6);
    const blocks = blocksOf(traffic);
    expect(new Set(blocks.map(({ hash }) => hash)).size).toBe(blocks.length);
    blocks.slice(1).forEach((block, i) => expect(block.parentHash).toBe(blocks[i]?.hash));
    for (const { logs, logsBloom, hash } of blocks) {
      logs.forEach((log, i) => expect([Number(log['logIndex']), log['blockHash']]).toEqual([i, hash]));
      const bits = new Set<number>();
      for (const log of logs as Log[])
        for (const item of [log.address, ...log.topics]) {
          const digest = BigInt(keccak256(item));
          for (const shift of [240n, 224n, 208n]) bits.add(Number((digest >> shift) & 0x7ffn));
        }
      const expected = [...bits].reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);
      expect(BigInt(logsBloom)).toBe(expected);
    }
  });

  it('has the logs that its model says, encoded as the contracts encode them, also after reorgs', () => {
    const traffic = createMarketTraffic({ seed: 4 });
    for (let i = 0; i < 30; i++) traffic.mine(8);
    for (const depth of [1, 5, 12, 3]) {
      traffic.reorg({ depth, blocks: depth + 2, actions: 6 });
      traffic.mineLogs(20);
    }
    const { logs } = traffic.expected();
    expect(logs.length).toBeGreaterThan(200);
    expect(decoded(traffic)).toEqual(logs);
    const kinds = new Set(traffic.expected().activities.map(({ kind }) => kind));
    expect(kinds.size).toBeGreaterThanOrEqual(8);
  });

  it('includes again what was taken back: the same transactions, at other places, where they are still possible', () => {
    const traffic = createMarketTraffic({ seed: 5 });
    for (let i = 0; i < 20; i++) traffic.mine(8);
    const hashes = (from: number): string[] =>
      blocksOf(traffic)
        .filter(({ number }) => number >= from)
        .flatMap(({ transactions }) => transactions.map(({ hash }) => hash));
    const before = hashes(16);
    const places = new Map(traffic.expected().logs.map((log) => [log.txHash, log.block]));
    traffic.reorg({ depth: 5, keep: 0.6 });
    const again = hashes(16).filter((hash) => before.includes(hash));
    expect(again.length).toBeGreaterThan(10);
    expect(again.length).toBeLessThan(before.length);
    const moved = traffic
      .expected()
      .logs.filter((log) => places.has(log.txHash) && places.get(log.txHash) !== log.block);
    expect(moved.length).toBeGreaterThan(0);
    traffic.reorg({ depth: 6, keep: 0, actions: 0 });
    expect(hashes(16)).toEqual([]);
  });

  it('mines blocks of so many logs', () => {
    const traffic = createMarketTraffic({ seed: 6 });
    for (const wanted of [1, 30, 300]) {
      const { logs } = traffic.mineLogs(wanted);
      expect(logs.length).toBeGreaterThanOrEqual(wanted);
      expect(logs.length).toBeLessThan(wanted + 10);
    }
  });

  it('has logs one by one, for who wants just these', () => {
    const [market, collection, who] = ['a', 'b', 'c'].map((name) => hashOf(name).slice(0, 42)) as [
      string,
      string,
      string,
    ];
    const terms = { collection, tokenId: 5n, price: 2n ** 256n - 1n };
    const { listed, sold } = imartLogs(market);
    const parse = (
      name: Parameters<typeof interfaceOf>[0],
      log: { topics: readonly string[]; data?: string },
    ) => interfaceOf(name).parseLog({ topics: log.topics, data: log.data ?? '0x' });
    expect(
      parse('IMartMarket', listed(1n, who, terms))
        ?.args.toArray()
        .slice(4),
    ).toEqual([2n ** 256n - 1n, 0n]);
    expect(parse('IMartMarket', sold(1n, who, 7n))?.name).toBe('Sold');
    expect(parse('SingleToken', erc721Logs(collection).minted(who, 5n))?.args['tokenId']).toBe(5n);
    expect(
      parse('MultipleToken', erc1155Logs(collection).minted(who, 5n, 9n))
        ?.args.toArray()
        .slice(3),
    ).toEqual([5n, 9n]);
    expect(parse('SingleCollective', collectionCreated(market, collection, who))?.name).toBe(
      'CollectionCreated',
    );
  });
});

describe('a node of a fake chain', () => {
  const filter = { fromBlock: '0x1', toBlock: '0x6' };
  /** Six blocks, the last two of them of a branch that came later. */
  const start = async (rules: FakeRpcRules = {}): Promise<{ traffic: MarketTraffic; rpc: FakeRpc }> => {
    const traffic = createMarketTraffic({ seed: 7 });
    for (let i = 0; i < 5; i++) traffic.mine(4);
    traffic.reorg({ depth: 1, blocks: 2, actions: 3 });
    const rpc = await startFakeRpc(traffic.chain, rules, { webSocket: true });
    opened.push(rpc);
    return { traffic, rpc };
  };
  const logsOf = (traffic: MarketTraffic) => blocksOf(traffic).flatMap(({ logs }) => logs);
  const numberOf = (block: { number: string } | null) => (block === null ? null : Number(block.number));

  it('answers as a healthy one does', async () => {
    const { traffic, rpc } = await start();
    expect(await call(rpc.url, 'eth_chainId')).toBe('0x7a69');
    expect(await call(rpc.url, 'eth_getLogs', filter)).toEqual(logsOf(traffic));
    const block = traffic.chain.blocks[3] as FakeBlock;
    expect(await call(rpc.url, 'eth_getLogs', { blockHash: block.hash })).toEqual(block.logs);
    const receipts = await call<{ logs: unknown[]; transactionHash: string }[]>(
      rpc.url,
      'eth_getBlockReceipts',
      '0x3',
    );
    expect(receipts.flatMap(({ logs }) => logs)).toEqual(block.logs);
    expect(await call(rpc.url, 'eth_getTransactionReceipt', receipts[1]?.transactionHash)).toEqual(
      receipts[1],
    );
    expect(numberOf(await call(rpc.url, 'eth_getBlockByNumber', 'latest', false))).toBe(6);
    expect(numberOf(await call(rpc.url, 'eth_getBlockByNumber', 'finalized', false))).toBe(0);
    await expect(call(rpc.url, 'debug_traceBlock')).rejects.toThrow('-32601');
  });

  it.each<[string, FakeRpcRules, (rpc: FakeRpc, traffic: MarketTraffic) => Promise<void>]>([
    [
      'lags (P1, P4)',
      { lag: 2 },
      async ({ url }, traffic) => {
        expect(numberOf(await call(url, 'eth_getBlockByNumber', 'latest', false))).toBe(4);
        expect(await call(url, 'eth_getBlockByNumber', '0x5', false)).toBeNull();
        expect(await call<unknown[]>(url, 'eth_getLogs', filter)).toEqual(
          logsOf(traffic).filter((log) => Number(log['blockNumber']) < 5),
        );
      },
    ],
    [
      'omits logs of a range, not by the hash of their block (P2)',
      { omitsEvery: 1 },
      async ({ url }, traffic) => {
        expect(await call(url, 'eth_getLogs', filter)).toEqual([]);
        const { hash, logs } = traffic.chain.blocks[2] as FakeBlock;
        expect(await call(url, 'eth_getLogs', { blockHash: hash })).toEqual(logs);
      },
    ],
    [
      'forgets blocks (P3)',
      { withheld: [3] },
      async ({ url }) => {
        expect(await call(url, 'eth_getBlockByNumber', '0x3', false)).toBeNull();
        expect(await call(url, 'eth_getBlockReceipts', '0x3')).toBeNull();
      },
    ],
    [
      'has thrown old blocks away',
      { prunedBelow: 3 },
      async ({ url }) => {
        await expect(call(url, 'eth_getLogs', filter)).rejects.toThrow('pruned');
        expect(await call(url, 'eth_getBlockByNumber', '0x2', false)).toBeNull();
      },
    ],
    [
      'has no receipts (P3)',
      { receipts: 'null' },
      async ({ url }) => {
        expect(await call(url, 'eth_getBlockReceipts', '0x3')).toBeNull();
      },
    ],
    [
      'cannot give receipts',
      { receipts: 'unsupported' },
      async ({ url }) => {
        await expect(call(url, 'eth_getBlockReceipts', '0x3')).rejects.toThrow('-32601');
      },
    ],
    [
      'has no finalized block (P7)',
      { finalized: null },
      async ({ url }) => {
        expect(await call(url, 'eth_getBlockByNumber', 'finalized', false)).toBeNull();
      },
    ],
    [
      'fails when it is asked for it (P7)',
      { finalized: 'error' },
      async ({ url }) => {
        await expect(call(url, 'eth_getBlockByNumber', 'finalized', false)).rejects.toThrow('block height');
      },
    ],
    [
      'limits the blocks of a query (P9)',
      { blocksMax: 3 },
      async ({ url }) => {
        await expect(call(url, 'eth_getLogs', filter)).rejects.toThrow('limited to a 3 blocks range');
      },
    ],
    [
      'suggests a range that would do (P9)',
      { logsMax: 8 },
      async ({ url }) => {
        await expect(call(url, 'eth_getLogs', filter)).rejects.toThrow(
          /more than 8 results.*\[0x1, 0x[1-5]\]/,
        );
      },
    ],
    [
      'suggests what was asked (P9)',
      { logsMax: 8, suggests: 'asked' },
      async ({ url }) => {
        await expect(call(url, 'eth_getLogs', filter)).rejects.toThrow('[0x1, 0x6]');
      },
    ],
    [
      'suggests it backwards (P9)',
      { logsMax: 8, suggests: 'inverted' },
      async ({ url }) => {
        await expect(call(url, 'eth_getLogs', filter)).rejects.toThrow(/\[0x[1-5], 0x1\]/);
      },
    ],
    [
      'cuts answers without a word',
      { silentCap: 5 },
      async ({ url }) => {
        expect(await call<unknown[]>(url, 'eth_getLogs', filter)).toHaveLength(5);
      },
    ],
    [
      'gives logs twice (P11)',
      { repeatsLogs: true },
      async ({ url }, traffic) => {
        expect(await call<unknown[]>(url, 'eth_getLogs', filter)).toHaveLength(2 * logsOf(traffic).length);
      },
    ],
    [
      'gives logs of another block (P11)',
      { logBlockHash: hashOf('other') },
      async ({ url }) => {
        const logs = await call<Log[]>(url, 'eth_getLogs', filter);
        expect(new Set(logs.map((log) => log['blockHash']))).toEqual(new Set([hashOf('other')]));
      },
    ],
    [
      'gives removed logs of branches that are gone (P12)',
      { removedLogs: true },
      async ({ url }, traffic) => {
        const logs = await call<Log[]>(url, 'eth_getLogs', filter);
        const removed = logs.filter((log) => log['removed'] === true);
        expect(removed.length).toBeGreaterThan(0);
        expect(removed.map((log) => log['blockHash'])).not.toContain(traffic.chain.blocks[5]?.hash);
      },
    ],
    [
      'serves another chain (P14)',
      { chainId: 5 },
      async ({ url }) => {
        expect(await call(url, 'eth_chainId')).toBe('0x5');
      },
    ],
    [
      'answers a batch backwards (P15)',
      { reverseBatches: true },
      async ({ url }) => {
        const answer = await post(url, [
          { ...one('eth_chainId'), id: 1 },
          { ...one('eth_chainId'), id: 2 },
        ]);
        expect((JSON.parse(answer?.text ?? '') as { id: number }[]).map(({ id }) => id)).toEqual([2, 1]);
      },
    ],
    [
      'answers a batch in part (P15)',
      { partialBatches: true },
      async ({ url }) => {
        const answer = await post(url, [
          { ...one('eth_chainId'), id: 1 },
          { ...one('eth_chainId'), id: 2 },
        ]);
        expect((JSON.parse(answer?.text ?? '') as { id: number }[]).map(({ id }) => id)).toEqual([1]);
      },
    ],
    [
      'answers with a page (P15)',
      { html: 200 },
      async ({ url }) => {
        expect(await post(url, one('eth_chainId'))).toEqual({
          status: 200,
          text: expect.stringMatching(/^<html>/) as string,
        });
      },
    ],
    [
      'ends answers in their middle',
      { cutAnswers: true },
      async ({ url }) => {
        expect(await post(url, one('eth_getLogs', filter))).toBeNull();
      },
    ],
    [
      'is down',
      { down: true },
      async ({ url }) => {
        expect(await post(url, one('eth_chainId'))).toBeNull();
      },
    ],
    [
      'limits its rate (P10)',
      { rateLimited: 'http', retryAfter: 7 },
      async ({ url }) => {
        const response = await fetch(url, { method: 'POST', body: JSON.stringify(one('eth_chainId')) });
        expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7']);
      },
    ],
    [
      'limits its rate by a code (P10)',
      { rateLimited: 'code' },
      async ({ url }) => {
        await expect(call(url, 'eth_chainId')).rejects.toThrow('-32005');
      },
    ],
    [
      'is slow (P19)',
      { delayMs: 80 },
      async ({ url }) => {
        const before = performance.now();
        await call(url, 'eth_chainId');
        expect(performance.now() - before).toBeGreaterThan(70);
      },
    ],
    [
      'is several nodes behind one URL',
      { nodes: [{}, { lag: 3 }] },
      async ({ url }) => {
        const heads = [];
        for (let i = 0; i < 4; i++) heads.push(Number(await call(url, 'eth_blockNumber')));
        expect(new Set(heads)).toEqual(new Set([6, 3]));
      },
    ],
  ])('%s', async (_, rules, check) => {
    const { traffic, rpc } = await start(rules);
    await check(rpc, traffic);
  });

  it('stays on a branch that it is told, and knows blocks that were taken back by their hash', async () => {
    const { traffic, rpc } = await start();
    const branch = traffic.chain.canonical();
    rpc.rules.branch = branch;
    traffic.reorg({ depth: 4 });
    const latest = await call<{ hash: string }>(rpc.url, 'eth_getBlockByNumber', 'latest', false);
    expect(latest.hash).toBe(branch.at(-1)?.hash);
    delete rpc.rules.branch;
    expect(await call(rpc.url, 'eth_getBlockByHash', latest.hash, false)).toMatchObject({
      hash: latest.hash,
    });
    await expect(call(rpc.url, 'eth_getLogs', { blockHash: latest.hash })).rejects.toThrow('unknown block');
  });

  it('tells new heads over a WebSocket, those of a new branch too, and when it first told of a block', async () => {
    const { traffic, rpc } = await start();
    const socket = new WebSocket(rpc.wsUrl);
    await once(socket, 'open');
    const heads: string[] = [];
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as { params?: { result: { hash: string } } };
      if (message.params !== undefined) heads.push(message.params.result.hash);
    });
    socket.send(JSON.stringify(one('eth_subscribe', 'newHeads')));
    await once(socket, 'message');
    traffic.mine(1);
    traffic.reorg({ depth: 2, blocks: 3 });
    const expected = traffic.chain.blocks.slice(-3).map((block) => block?.hash);
    while (heads.length < 4) await once(socket, 'message');
    expect(heads.slice(1)).toEqual(expected);
    for (const hash of heads)
      expect(Math.abs((rpc.servedAt.get(hash) ?? 0) - Date.now())).toBeLessThan(60_000);
    socket.terminate();
  });
});

describe('a fake market that is told what to do', () => {
  const start = async (): Promise<FakeMarket> => {
    const market = await startFakeMarket({ seed: 8, endpoints: 2 });
    opened.push(market);
    return market;
  };

  it('mines, takes back, changes how nodes behave, and tells what is right', async () => {
    const { places, traffic, nodes } = await start();
    const url = places.rpcUrl;
    expect(await call(url, 'fake_mine', { blocks: 5, actions: 4 })).toMatchObject({ head: 5 });
    expect(await call(url, 'fake_mine', { logs: 9 })).toMatchObject({ head: 6 });
    expect(await call(url, 'fake_reorg', { depth: 3, blocks: 2 })).toMatchObject({ head: 5 });
    await call(url, 'fake_rules', { endpoint: 1, rules: { lag: 2, finalized: null } });
    expect(nodes[1]?.rules).toEqual({ lag: 2, finalized: null });
    expect(nodes[0]?.rules).toEqual({});
    expect(Number(await call(places.rpcUrls[1] as string, 'eth_blockNumber'))).toBe(3);
    await call(url, 'fake_rules', { endpoint: 1, rules: { lag: null } });
    expect(nodes[1]?.rules).toEqual({ finalized: null });
    expect(await call<Expected>(url, 'fake_expected')).toEqual(traffic.expected());
    await call(url, 'eth_getBlockByNumber', '0x4', false);
    const served = await call<{ number: number; servedAtMs: number | null }[]>(url, 'fake_served', {
      fromBlock: 4,
      toBlock: 5,
    });
    expect(served).toEqual([
      { number: 4, hash: traffic.chain.blocks[4]?.hash, servedAtMs: expect.any(Number) as number },
      { number: 5, hash: traffic.chain.blocks[5]?.hash, servedAtMs: null },
    ]);
  });

  it('has nodes without faults for the run that others are compared with', async () => {
    const market = await start();
    for (const { rules } of market.nodes) rules.down = true;
    const { url } = await market.cleanNode();
    market.traffic.mine(3);
    expect(Number(await call(url, 'eth_blockNumber'))).toBe(1);
  });
});

it('a chain cannot take back its first block', () => {
  const chain = createFakeChain(3);
  expect(() => chain.takeBack(3)).toThrow(RangeError);
  expect(chain.takeBack(2)).toHaveLength(2);
});
