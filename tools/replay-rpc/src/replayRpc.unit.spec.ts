import { WebSocket } from 'ws';
import { ask, hash, OTHER, post, recordingFolder, TOKEN, web3Block } from './handmade.spec';
import { MAINNET_GENESIS_HASH, startReplayRpc, type ReplayRpc, type ReplayRpcOptions } from './replayRpc';

const folder = recordingFolder();
for (const number of [10, 11, 12, 20]) folder.write(`${number}.json`, web3Block(number));
afterAll(() => folder.remove());

let server: ReplayRpc;
const start = async (options: Partial<ReplayRpcOptions> = {}): Promise<void> => {
  server = await startReplayRpc({ files: [folder.path], ...options });
};
const call = (method: string, ...params: readonly unknown[]): Promise<unknown> =>
  ask(server.url, method, ...params);
afterEach(() => server.stop());

describe('a replayed node', () => {
  it('knows its chain, its head and its pieces', async () => {
    await start();
    expect(server.pieces).toEqual([
      { from: 10, to: 12 },
      { from: 20, to: 20 },
    ]);
    expect(await call('eth_chainId')).toBe('0x7');
    expect(await call('net_version')).toBe('7');
    expect(await call('eth_blockNumber')).toBe('0x14');
    expect(await call('eth_syncing')).toBe(false);
    expect(await call('web3_clientVersion')).toMatch(/replay-rpc/);
  });

  it('answers blocks in the form of the protocol, with full transactions or hashes', async () => {
    await start();
    const full = (await call('eth_getBlockByNumber', '0xa', true)) as { transactions: unknown[] };
    expect(full).toMatchObject({
      number: '0xa',
      hash: hash(10, 0xb0),
      nonce: '0x0000000000000001',
      timestamp: '0x5f5e100a',
      difficulty: '0xc',
      miner: TOKEN.toLowerCase(),
    });
    expect(full.transactions[1]).toEqual({
      hash: hash(1001, 0x7a),
      blockHash: hash(10, 0xb0),
      blockNumber: '0xa',
      transactionIndex: '0x1',
      from: TOKEN.toLowerCase(),
      to: OTHER,
      nonce: '0x1',
      gas: '0x5208',
      gasPrice: '0x3b9aca00',
      value: '0x56bc75e2d63100000',
      input: '0x',
      type: '0x0',
      chainId: '0x7',
    });
    expect(await call('eth_getBlockByHash', hash(10, 0xb0), false)).toEqual({
      ...full,
      transactions: [hash(1000, 0x7a), hash(1001, 0x7a)],
    });
    expect(await call('eth_getTransactionByHash', hash(1001, 0x7a))).toEqual(full.transactions[1]);
  });

  it('answers null for what is not recorded, and the real hash for block 0', async () => {
    await start();
    expect(await call('eth_getBlockByNumber', '0xd', false)).toBeNull();
    expect(await call('eth_getBlockByHash', hash(13, 0xb0), false)).toBeNull();
    expect(await call('eth_getBlockReceipts', '0xd')).toBeNull();
    expect(await call('eth_getTransactionReceipt', hash(5))).toBeNull();
    expect(await call('eth_getTransactionByHash', hash(5))).toBeNull();
    for (const tag of ['0x0', 'earliest']) {
      expect(await call('eth_getBlockByNumber', tag, false)).toMatchObject({
        hash: MAINNET_GENESIS_HASH,
        number: '0x0',
      });
    }
  });

  it('answers receipts singly and by block', async () => {
    await start();
    const receipt = (await call('eth_getTransactionReceipt', hash(1001, 0x7a))) as object;
    expect(receipt).toMatchObject({
      status: '0x1',
      cumulativeGasUsed: '0x5208',
      logs: [{ logIndex: '0x2', address: TOKEN.toLowerCase(), blockNumber: '0xa' }, { logIndex: '0x3' }],
    });
    for (const block of ['0xa', hash(10, 0xb0), { blockHash: hash(10, 0xb0) }]) {
      expect(await call('eth_getBlockReceipts', block)).toEqual([expect.anything(), receipt]);
    }
  });

  it('follows --head, finality depth and chain id', async () => {
    await start({ head: 12, finalityDepth: 1, chainId: 5, genesisHash: hash(9) });
    const number = async (tag: string): Promise<unknown> =>
      ((await call('eth_getBlockByNumber', tag, false)) as { number: string }).number;
    expect(await Promise.all(['latest', 'safe', 'finalized'].map(number))).toEqual(['0xc', '0xb', '0xb']);
    expect(await call('eth_chainId')).toBe('0x5');
    expect(await call('eth_getBlockByNumber', '0x14', false)).toBeNull();
    expect(await call('eth_getTransactionReceipt', hash(2000, 0x7a))).toBeNull();
    expect(await call('eth_getBlockByNumber', '0x0', false)).toMatchObject({ hash: hash(9) });
  });

  it('refuses a head that is not recorded', async () => {
    await start();
    await expect(startReplayRpc({ files: [folder.path], head: 15 })).rejects.toThrow(
      'head 15 is not recorded; recorded are 10-12, 20',
    );
  });
});

describe('eth_getLogs of a replayed node', () => {
  const blocksOf = async (filter: object): Promise<string[]> =>
    ((await call('eth_getLogs', filter)) as { blockNumber: string; logIndex: string }[]).map(
      (log) => `${Number(log.blockNumber)}/${Number(log.logIndex)}`,
    );
  const all = { fromBlock: '0xa', toBlock: '0xc' };

  it('filters by range, block hash, addresses and topics', async () => {
    await start();
    expect(await blocksOf({ fromBlock: '0xa', toBlock: '0xb' })).toEqual([
      '10/0',
      '10/1',
      '10/2',
      '10/3',
      '11/0',
      '11/1',
      '11/2',
      '11/3',
    ]);
    expect(await blocksOf({ blockHash: hash(11, 0xb0) })).toEqual(['11/0', '11/1', '11/2', '11/3']);
    expect(await blocksOf({ ...all, address: TOKEN })).toEqual([
      '10/0',
      '10/2',
      '11/0',
      '11/2',
      '12/0',
      '12/2',
    ]);
    expect(await blocksOf({ ...all, address: [TOKEN, OTHER] })).toHaveLength(12);
    expect(await blocksOf({ ...all, address: [] })).toHaveLength(12);
    expect(await blocksOf({ ...all, topics: [hash(2)] })).toEqual([
      '10/1',
      '10/3',
      '11/1',
      '11/3',
      '12/1',
      '12/3',
    ]);
    expect(await blocksOf({ ...all, topics: [[hash(1), hash(2)]] })).toHaveLength(12);
    expect(await blocksOf({ ...all, topics: [null, [hash(10), hash(12)]] })).toEqual([
      '10/0',
      '10/2',
      '12/0',
      '12/2',
    ]);
    expect(await blocksOf({ ...all, topics: [null, hash(5001)] })).toEqual(['10/3', '11/3', '12/3']);
    expect(await blocksOf({ ...all, topics: [null, null, null] })).toEqual([]);
    expect(await blocksOf({ ...all, topics: [] })).toHaveLength(12);
    expect(await blocksOf({})).toHaveLength(4);
    expect(await blocksOf({ fromBlock: 'earliest', toBlock: '0x0' })).toEqual([]);
  });

  it('names the first block of a range that is not recorded, instead of answering less', async () => {
    await start({ head: 12 });
    const missing = (from: string, to: string): Promise<unknown> =>
      call('eth_getLogs', { fromBlock: from, toBlock: to });
    await expect(missing('0xb', '0x14')).rejects.toThrow(
      '-32000 block 13 is not recorded; recorded are 10-12, 20, head is 12',
    );
    await expect(missing('0x14', '0x14')).rejects.toThrow('block 20 is not recorded');
    await expect(missing('0x0', '0xc')).rejects.toThrow('block 1 is not recorded');
    await expect(missing('0x1', '0xffffffffff')).rejects.toThrow('block 1 is not recorded');
    await expect(missing('0xc', '0xa')).rejects.toThrow('-32602 invalid block range');
    await expect(call('eth_getLogs', { blockHash: hash(99) })).rejects.toThrow('-32000 unknown block');
  });

  it('refuses filters that are wrong', async () => {
    await start();
    for (const filter of [
      null,
      { ...all, address: '0x12' },
      { ...all, topics: 'x' },
      { ...all, topics: ['0x1'] },
      { fromBlock: 10 },
      { fromBlock: '0x0a' },
      { ...all, blockHash: hash(1) },
    ]) {
      await expect(call('eth_getLogs', filter)).rejects.toThrow('-32602 ');
    }
  });

  it('suggests the range that fits, in the words of Infura', async () => {
    await start({ maxRange: 2, maxResults: 6 });
    await expect(call('eth_getLogs', all)).rejects.toThrow(
      '-32602 range 3 exceeds limit of 2. Try with this block range [0xa, 0xb].',
    );
    const answer = await post(server.url, {
      id: 1,
      method: 'eth_getLogs',
      params: [{ fromBlock: '0xa', toBlock: '0xb' }],
    });
    expect(answer).toMatchObject({
      error: {
        code: -32005,
        message: 'query returned more than 6 results. Try with this block range [0xa, 0xa].',
        data: { from: '0xa', to: '0xa', limit: 6 },
      },
    });
    expect(await blocksOf({ fromBlock: '0xa', toBlock: '0xa' })).toHaveLength(4);
  });

  it('refuses even one block when it holds too many', async () => {
    await start({ maxResults: 3 });
    await expect(call('eth_getLogs', { fromBlock: '0xa', toBlock: '0xa' })).rejects.toThrow(
      'block range [0xa, 0xa]',
    );
  });
});

describe('the protocol of a replayed node', () => {
  it('answers batches in order, errors among them, and notifications not at all', async () => {
    await start();
    const request = (id: number | undefined, method: string) => ({ jsonrpc: '2.0', id, method, params: [] });
    expect(
      await post(server.url, [
        request(3, 'eth_chainId'),
        request(undefined, 'eth_chainId'),
        request(1, 'eth_call'),
        7,
      ]),
    ).toEqual([
      { jsonrpc: '2.0', id: 3, result: '0x7' },
      {
        jsonrpc: '2.0',
        id: 1,
        error: { code: -32601, message: 'the method eth_call does not exist/is not available' },
      },
      { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'invalid request' } },
    ]);
    expect(await post(server.url, '{"method":')).toMatchObject({ error: { code: -32700 } });
    expect(await post(server.url, [])).toMatchObject({ error: { code: -32600 } });
    expect(await post(server.url, { method: 'eth_chainId' })).toBeUndefined();
    expect((await fetch(server.url)).status).toBe(405);
  });

  it('tells newHeads subscribers of every recorded block the head passes', async () => {
    await start({ head: 10 });
    const socket = new WebSocket(server.wsUrl);
    const heard: Record<string, unknown>[] = [];
    const waiting: { count: number; done: () => void }[] = [];
    socket.on('message', (text: Buffer) => {
      heard.push(JSON.parse(text.toString()) as Record<string, unknown>);
      for (const wait of waiting) if (heard.length >= wait.count) wait.done();
    });
    const until = (count: number): Promise<void> =>
      heard.length >= count ? Promise.resolve() : new Promise((done) => waiting.push({ count, done }));
    await new Promise((open) => socket.once('open', open));
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] }));
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'eth_subscribe', params: ['logs', {}] }));
    await until(2);
    expect(heard[1]).toMatchObject({ id: 2, error: { code: -32601 } });
    const subscription = heard[0]!['result'];
    server.setHead(20);
    await until(5);
    expect(heard.slice(2)).toMatchObject(
      [11, 12, 20].map((n) => ({
        method: 'eth_subscription',
        params: { subscription, result: { number: `0x${n.toString(16)}`, hash: hash(n, 0xb0) } },
      })),
    );
    expect(heard[2]).not.toHaveProperty('params.result.transactions');
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 3, method: 'eth_unsubscribe', params: [subscription] }));
    await until(6);
    expect(heard[5]).toMatchObject({ id: 3, result: true });
    const closed = new Promise((close) => socket.once('close', close));
    await server.stop();
    await closed;
  });

  it('delays its answers when told to', async () => {
    await start({ latencyMs: 60 });
    const before = performance.now();
    await call('eth_chainId');
    // Timers may fire a millisecond early.
    expect(performance.now() - before).toBeGreaterThanOrEqual(58);
  });
});
