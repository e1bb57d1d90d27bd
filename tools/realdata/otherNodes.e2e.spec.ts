import { readFileSync } from 'node:fs';
import { evmMarketplaces } from '@imart/chain-evm';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { startReplayRpc } from '../replay-rpc/src';
import { describeRecorded, MAINNET_MARKETS, recorded } from './recordings';
import { query, type Row } from './tables';
import { createWorkerProcesses, type WorkerProcesses } from './workerProcess';

const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
const TRANSFER_SINGLE = '0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62';
const TRANSFER_BATCH = '0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb';

/** Blocks as other nodes gave them, each followed by a worker. */
describeRecorded('blocks as other nodes gave them', () => {
  let workers: WorkerProcesses;
  let server: TestServer;

  beforeAll(async () => {
    workers = createWorkerProcesses();
    server = await startTestServer();
  });
  afterAll(async () => {
    await workers?.close();
    await server?.stop();
  });

  const activitiesOf = async (path: string, markets: string): Promise<readonly Row[]> => {
    const rpc = await startReplayRpc({ files: [recorded(path)] });
    try {
      const [piece] = rpc.pieces;
      const { url } = await server.createDatabase();
      await workers.run({
        RPC_URLS: rpc.url,
        MARKETS: markets,
        COLLECTIONS: 'all',
        START_BLOCK: piece?.from ?? 0,
        END_BLOCK: piece?.to ?? 0,
        DATABASE_URL: url,
      });
      return await query(url, 'SELECT * FROM activities ORDER BY seq_no, item');
    } finally {
      await rpc.stop();
    }
  };

  it.each([
    ['ethereum/18000000', 1, { erc721: 2, erc1155: 0, sales: 1, cancels: 0 }],
    ['polygon/50000000', 137, { erc721: 3, erc1155: 30, sales: 0, cancels: 1 }],
  ])('%s gives the movements, sales and cancels of its receipts', async (block, chainId, counts) => {
    const markets = evmMarketplaces.filter((market) => market.contracts(chainId).length > 0);
    const rows = await activitiesOf(`rpc-wire/${block}`, markets.map(({ name }) => name).join(','));
    const receipts = JSON.parse(readFileSync(recorded(`rpc-wire/${block}/receipts.json`), 'utf8')) as {
      transactionHash: string;
      logs: { logIndex: string; topics: string[] }[];
    }[];
    const places = (matches: (topics: readonly string[]) => boolean): string[] =>
      receipts.flatMap(({ transactionHash, logs }) =>
        logs
          .filter(({ topics }) => matches(topics))
          .map(({ logIndex }) => `${transactionHash}/${Number(logIndex)}`),
      );
    const erc721 = places(([topic, ...rest]) => topic === TRANSFER && rest.length === 3);
    const erc1155 = places(([topic]) => topic === TRANSFER_SINGLE || topic === TRANSFER_BATCH);
    const moved = rows
      .filter(({ kind }) => /^(MINT|TRANSFER|BURN)$/.test(String(kind)))
      .map(({ tx_hash, log_index }) => `${tx_hash}/${log_index}`);
    expect([...new Set(moved)].sort()).toEqual([...erc721, ...erc1155].sort());
    expect({
      erc721: erc721.length,
      erc1155: erc1155.length,
      sales: rows.filter(({ kind }) => kind === 'SALE').length,
      cancels: rows.filter(({ kind }) => kind === 'CANCEL').length,
    }).toEqual(counts);
  });

  it.each([
    ['punkbought', ['SALE', 'TRANSFER']],
    ['punktransfer', ['TRANSFER']],
    // A first claim.
    ['assign', ['MINT']],
  ])('a transaction of CryptoPunks, %s', async (name, kinds) => {
    const rows = await activitiesOf(`chainstorage/raw_block_cryptopunks_${name}.json`, MAINNET_MARKETS);
    expect(rows.map(({ kind }) => kind)).toEqual(kinds);
    for (const row of rows) expect(row['collection']).toBe('0xb47e3cd837ddf8e4c57f05d70ab865de6e193bbb');
  });
});
