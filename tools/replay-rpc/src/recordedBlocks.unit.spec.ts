import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ask } from './handmade.spec';
import { startReplayRpc, type ReplayRpc, type ReplayRpcOptions } from './replayRpc';

// Where the recordings are is the one thing a spec is told.
const shared = process.env['IMART_SHARED'] ?? resolve(__dirname, '../../../../shared');
const recordings = join(shared, 'data', 'evm');
const describeRecorded = existsSync(recordings) ? describe : describe.skip;
if (!existsSync(recordings))
  process.stderr.write(`no recordings at ${recordings}: replaying them is not tested (IMART_SHARED)\n`);

interface Log {
  readonly address: string;
  readonly blockHash: string;
  readonly blockNumber: string;
  readonly data: string;
  readonly logIndex: string;
  readonly topics: readonly string[];
  readonly transactionHash: string;
  readonly transactionIndex: string;
}

const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
const hex = (n: number): string => `0x${n.toString(16)}`;
const read = (path: string): string => readFileSync(join(recordings, path), 'utf8');

describeRecorded('recorded blocks, replayed', () => {
  let server: ReplayRpc | undefined;
  const start = async (paths: readonly string[], options: Partial<ReplayRpcOptions> = {}): Promise<void> => {
    server = await startReplayRpc({ files: paths.map((p) => join(recordings, p)), ...options });
  };
  const call = <T>(method: string, ...params: readonly unknown[]): Promise<T> =>
    ask(server!.url, method, ...params) as Promise<T>;
  const logs = (from: number, to: number, more: object = {}): Promise<Log[]> =>
    call<Log[]>('eth_getLogs', { fromBlock: hex(from), toBlock: hex(to), ...more });
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  it('has the marketplace logs that another decoder found in the web3.js and etl files, at their places', async () => {
    await start(['mainnet-14000000', 'mainnet-15000000', 'mainnet-single', 'etl-17173049']);
    expect(await call('eth_chainId')).toBe('0x1');
    const [header, ...rows] = read('derived/marketplace-events.csv').trim().split('\n');
    const column = (name: string): number => header!.split(',').indexOf(name);
    expect(rows).toHaveLength(414);
    const byBlock = new Map<number, Log[]>();
    for (const { from, to } of server!.pieces) {
      for (const log of await logs(from, to)) {
        byBlock.set(Number(log.blockNumber), [...(byBlock.get(Number(log.blockNumber)) ?? []), log]);
      }
    }
    for (const row of rows.map((line) => line.split(','))) {
      const index = Number(row[column('log_index')]);
      const log = byBlock.get(Number(row[column('block')]))?.find((l) => Number(l.logIndex) === index);
      expect(log?.transactionHash).toBe(row[column('tx_hash')]);
      expect(log?.address).toBe(row[column('address')]);
    }
    expect(await logs(14000000, 14000005)).toHaveLength(2025);
    expect(await logs(15000000, 15000004)).toHaveLength(2228);
    await expect(logs(14000005, 15000000)).rejects.toThrow('block 14000006 is not recorded');
  });

  it('keeps wei amounts beyond 2^53 of etl lines exact, and finds the expected transfers', async () => {
    await start(['etl-17173049']);
    const transfers = read('etl-17173049/expected_token_transfers.json').trim().split('\n');
    const found = (await logs(17173049, 17173050, { topics: [TRANSFER] })).filter(
      (l) => l.topics.length >= 3,
    );
    expect(found).toHaveLength(transfers.length);
    const line = read('etl-17173049/expected_transactions.json')
      .split('\n')
      .find((l) => l.includes('14032529640000000000'))!;
    const { hash } = JSON.parse(line) as { hash: string };
    expect(await call('eth_getTransactionByHash', hash)).toMatchObject({
      value: hex2('14032529640000000000'),
    });
    expect(await call('eth_getBlockByNumber', hex(17173050), false)).toMatchObject({
      parentHash: '0xaa5ab9bb22d8020d438496a7edb4eff508b1c5128b0dc01fdecf57f96aac1bb3',
      totalDifficulty: hex2('58750003716598352816469'),
    });
  });

  it('serves node answers as they came', async () => {
    await start(['rpc-wire/polygon']);
    expect(await call('eth_chainId')).toBe('0x89');
    expect(await call('eth_getBlockByNumber', '0x2faf080', true)).toEqual(
      JSON.parse(read('rpc-wire/polygon/50000000/block.json')),
    );
    expect(await call('eth_getBlockReceipts', '0x2faf080')).toEqual(
      JSON.parse(read('rpc-wire/polygon/50000000/receipts.json')),
    );
  });

  it('refuses broken node answers, unless told to serve them broken', async () => {
    await expect(start(['rpc-wire/cronos'])).rejects.toThrow(
      /131465\/block\.json: block 131465: it has 3 transactions, but 2 receipts[^]*block 6541: it has 1 transactions, but 0/,
    );
    await start(['rpc-wire/cronos'], { verify: false });
    expect(await call('eth_getBlockReceipts', hex(6541))).toEqual([]);
    const block = await call<{ transactions: string[] }>('eth_getBlockByNumber', hex(6541), false);
    expect(block.transactions).toHaveLength(1);
    // The phantom transaction was really executed one block later.
    expect(await call('eth_getTransactionReceipt', block.transactions[0])).toMatchObject({
      blockNumber: hex(6542),
    });
    expect(await call('eth_getBlockReceipts', hex(131465))).toHaveLength(2);
    expect(await call('eth_chainId')).toBe('0x19');
  });

  it('fills in what protobuf JSON leaves out', async () => {
    await start(['chainstorage']);
    const all = await logs(17000000, 17000000);
    expect(all.map((log) => Number(log.logIndex))).toEqual(all.map((_, i) => i));
    expect(all).toHaveLength(237);
    const native = JSON.parse(read('chainstorage/native_block_17000000.json')) as {
      ethereum: { transactions: { tokenTransfers?: { erc721?: object }[] }[] };
    };
    const expected = native.ethereum.transactions.flatMap((tx) => tx.tokenTransfers ?? []);
    const transfers = all.filter((log) => log.topics[0] === TRANSFER);
    expect(expected).toHaveLength(112);
    expect(transfers).toHaveLength(expected.length);
    expect(transfers.filter((log) => log.topics.length === 4)).toHaveLength(19);
    const block = await call<{ transactions: Record<string, unknown>[] }>(
      'eth_getBlockByNumber',
      hex(17000000),
      true,
    );
    expect(block).toMatchObject({
      timestamp: hex(Date.UTC(2023, 3, 7, 23, 58, 11) / 1000),
      size: hex(52739),
    });
    expect(block.transactions.map((tx) => Number(tx['transactionIndex']))).toEqual(
      block.transactions.map((_, i) => i),
    );
    const quantities = block.transactions.flatMap((tx) => [tx['nonce'], tx['gas'], tx['value'], tx['type']]);
    expect(quantities.every((q) => /^0x(0|[1-9a-f][0-9a-f]*)$/.test(String(q)))).toBe(true);
  });

  it('believes the header inside a raw chainstorage block, not its wrapper', async () => {
    await start(['chainstorage']);
    expect(await logs(13367153, 13367153)).toMatchObject([
      { address: '0xb47e3cd837ddf8e4c57f05d70ab865de6e193bbb', logIndex: '0x153', transactionIndex: '0x19e' },
    ]);
    expect(await call('eth_getBlockByNumber', hex(11322000), false)).toBeNull();
  });

  it('gives each single log a block of its own, linked from block 0 on', async () => {
    const other = `0x${'12'.repeat(20)}`;
    await start(['marketplace-logs'], { caseAddresses: { 4: other } });
    expect(server!.pieces).toEqual([{ from: 1, to: 10 }]);
    const cases = JSON.parse(read('marketplace-logs/cases.json')) as {
      log: { topics: string[]; data: string };
    }[];
    const all = await logs(1, 10);
    expect(all.map(({ topics, data }) => ({ topics, data }))).toEqual(cases.map((c) => c.log));
    expect(all.map((log) => log.address)).toEqual([
      ...Array<string>(4).fill('0x00000000006c3852cbef3e08e8df289169ede581'),
      other,
      ...Array<string>(2).fill('0x59728544b08ab483533076417fbbb2fd0b17ce3a'),
      ...Array<string>(2).fill('0xb2ecfe4e4d61f8790bbb9de2d1259b9e2410cea5'),
      '0x74312363e45dcaba76c59ec49a7aa8a65a67eed3',
    ]);
    let parent = ((await call('eth_getBlockByNumber', '0x0', false)) as { hash: string }).hash;
    for (let n = 1; n <= 10; n++) {
      const block = await call<{ hash: string; parentHash: string }>('eth_getBlockByNumber', hex(n), false);
      expect(block.parentHash).toBe(parent);
      parent = block.hash;
    }
  });

  it('serves malformed zkSync logs raw', async () => {
    await start(['zksync/log-parsing-error.json']);
    expect(await call('eth_chainId')).toBe('0x144');
    const [log] = await logs(4985412, 4985412);
    expect(log).toMatchObject({
      logIndex: '0x5',
      data: '0x',
      address: '0x39c4bdfac23d10180e01c09bedfa0a508d4ad4d3',
    });
    expect(log!.topics.map((t) => t.length)).toEqual([66, 66, 0, 66]);
    await server!.stop();
    await start(['zksync/address-out-of-range.json']);
    expect(await logs(4985412, 4985412)).toHaveLength(3);
    await server!.stop();
    await expect(start(['zksync'])).rejects.toThrow(/block 4985412 is recorded differently/);
    server = undefined;
  });
});

function hex2(decimal: string): string {
  return `0x${BigInt(decimal).toString(16)}`;
}
