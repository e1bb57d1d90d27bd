import { readFileSync } from 'node:fs';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { startReplayRpc, type ReplayRpc } from '../replay-rpc/src';
import { describeRecorded, MAINNET_MARKETS, recorded } from './recordings';
import { query, type Row } from './tables';
import { createWorkerProcesses, type WorkerProcesses } from './workerProcess';

/** What another indexer asserts of a single log. */
interface Case {
  readonly case: string;
  readonly expected: {
    readonly kind: string;
    readonly orderHash?: string;
    readonly itemHash?: string;
    readonly offerer?: string;
    readonly seller?: string;
    readonly buyer?: string;
    readonly token?: string;
    readonly tokenId?: string;
    readonly amount?: string;
    readonly standard?: string;
    readonly currency?: string;
    readonly price?: string;
  };
}

const NATIVE = `0x${'0'.repeat(40)}`;
const WETH = '0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2';
const RINKEBY_WETH = '0xc778417e063141139fce010982780140aa0cd5ab';

/**
 * Where this product says something else than the other indexer, or can say less because a case is a single log: by
 * position, the columns that differ and why.
 */
const DIFFERENCES: Readonly<Record<number, Readonly<Record<string, string | null>>>> = {
  // Paid in WETH by the log, as the other indexer's test says too.
  5: { currency: RINKEBY_WETH },
  // The log names the aggregator as the taker; the user stands in the transaction, which this market is read without.
  6: { buyer: '0x83c8f28c26bf6aaca652df1dbbe0e1b56f8baba2', currency: WETH },
  // The buyer stands only in the token's transfer, which is not part of the case.
  7: { buyer: null },
  8: { buyer: null },
};

const TRADES = `
  SELECT a.block_number, a.kind, a.side, a.from_address, a.to_address, a.collection, a.token_id, a.quantity, a.currency,
    a.price, t.status, t.order_hash, t.standard
  FROM activities a JOIN (
    SELECT contract, order_id, status, order_hash, standard FROM orders
    UNION ALL SELECT contract, order_id, status, order_hash, standard FROM offers
  ) t USING (contract, order_id) ORDER BY a.seq_no`;

describeRecorded('the single logs that another indexer interprets', () => {
  let workers: WorkerProcesses;
  let server: TestServer;
  let rpc: ReplayRpc;
  let rows: readonly Row[];
  const cases = (): readonly Case[] =>
    JSON.parse(readFileSync(recorded('marketplace-logs/cases.json'), 'utf8')) as Case[];

  beforeAll(async () => {
    workers = createWorkerProcesses();
    server = await startTestServer();
    rpc = await startReplayRpc({ files: [recorded('marketplace-logs/cases.json')] });
    const { url } = await server.createDatabase();
    await workers.run({
      RPC_URLS: rpc.url,
      MARKETS: MAINNET_MARKETS,
      COLLECTIONS: 'all',
      START_BLOCK: 1,
      END_BLOCK: 10,
      DATABASE_URL: url,
    });
    rows = await query(url, TRADES);
  });
  afterAll(async () => {
    await workers?.close();
    await rpc?.stop();
    await server?.stop();
  });

  it('are the ten that are expected, each one row', () => {
    expect(cases()).toHaveLength(10);
    expect(rows.map(({ block_number }) => block_number)).toEqual(cases().map((_, i) => String(i + 1)));
  });

  it.each(Array.from({ length: 10 }, (_, i) => i))('mean the same to the worker: case %i', (i) => {
    const { expected } = cases()[i] as Case;
    const row = rows[i] as Row;
    if (expected.kind.startsWith('cancel')) {
      expect(row).toMatchObject({
        kind: 'CANCEL',
        status: 'CANCELED',
        side: 'listing',
        order_hash: expected.orderHash,
        from_address: expected.offerer,
      });
      return;
    }
    const offer = expected.kind === 'accepted offer';
    expect([row['kind'], row['status'], row['side']]).toEqual(
      offer ? ['SALE', 'ACCEPTED', 'offer'] : ['SALE', 'SOLD', 'listing'],
    );
    const told: Record<string, unknown> = {
      orderHash: row['order_hash'],
      seller: row['from_address'],
      buyer: row['to_address'],
      token: row['collection'],
      tokenId: row['token_id'],
      amount: row['quantity'],
      standard: String(row['standard']).toUpperCase(),
      currency: row['currency'],
      price: row['price'],
    };
    const { itemHash, kind: _kind, ...columns } = expected;
    const wanted: Record<string, unknown> = {
      ...(itemHash === undefined ? {} : { orderHash: itemHash }),
      ...columns,
      ...(columns.currency === 'native' ? { currency: NATIVE } : {}),
      ...DIFFERENCES[i],
    };
    // The case says more than a sale has columns for: notes, and fees, which are part of the event.
    for (const column of Object.keys(wanted)) if (!(column in told)) delete wanted[column];
    expect(told).toMatchObject(wanted);
    expect(Object.keys(wanted).length).toBeGreaterThanOrEqual(5);
  });
});
