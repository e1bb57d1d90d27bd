import { join } from 'node:path';
import { Client } from 'pg';
import { migrate } from '../migrate';
import { ensureSecondaryIndexes } from '../secondaryIndexes';
import { createRowWriter } from '../testing/marketRows';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { applyViews } from '../views';

const PRISMA = join(__dirname, '../../../../prisma');
/** Collections of 100 tokens each, every token listed, offered for, and sold twice. */
const COLLECTIONS = 100;

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  client = new Client({ connectionString: (await server.createDatabase()).url });
  await client.connect();
  await migrate(client, join(PRISMA, 'migrations'));
  await applyViews(client, join(PRISMA, 'views.sql'));
  await createRowWriter(client)('subjects', { chain_time_us: '1700000000000000' });
  await client.query(`
    CREATE FUNCTION address(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT '0x' || lpad(to_hex(n), 40, '0') $$;
    CREATE VIEW seed AS SELECT n, address(1000 + n / 100) AS collection, n % 100 AS token, address(5000 + n % 500) AS account
      FROM generate_series(0, ${COLLECTIONS * 100 - 1}) n;
    INSERT INTO tokens SELECT 1, collection, token, 'erc721', account, now(), 1, now(), now(), n, 1 FROM seed;
    INSERT INTO balances SELECT 1, address(900000 + n / 100), token, account, 1, now(), now(), n, 1 FROM seed;
    INSERT INTO makers SELECT 1, address(n), account, 'm', n, n, NULL, NULL, now(), now(), n, 1 FROM seed;
    INSERT INTO orders SELECT 1, address(7), n::text, n, 'order', 'm', 'fixed', 'LISTING', account, NULL, NULL, collection,
      token, 'erc721', 1, 0, n, address(0), NULL, NULL, false, NULL, NULL, NULL, now(), now(), n, 1 FROM seed;
    INSERT INTO offers SELECT 1, address(7), n::text, n, 'offer', 'm', 'fixed', 'CREATED', account, NULL, NULL, collection,
      token, 'erc721', 1, 0, n, address(0), NULL, NULL, false, NULL, NULL, NULL, now(), now(), n, 1 FROM seed;
    INSERT INTO activities SELECT 1, n * 2 + half, 0, 'SALE', 'm', address(7), n::text, 'listing', collection, token, 1,
      account, account, 1, address(0), 1, n, half, '0x', now() FROM seed, generate_series(0, 1) half;
    INSERT INTO exhibits (subject, contract, exhibit_id, market, collection, token_id, status, gallery_id, created_at, updated_at,
      seq_no, version) SELECT 1, address(8), n::text, 'm', collection, token, 'listing', n / 100, now() + n * interval '1 second',
      now(), n, 1 FROM seed;
    INSERT INTO prizes (subject, contract, lottery_id, token_id, market, claimed_quantity, claimer, created_at, updated_at, seq_no,
      version) SELECT 1, address(9), (n / 100)::text, token, 'm', 1, account, now() + n * interval '1 second', now(), n, 1 FROM seed;
  `);
  await ensureSecondaryIndexes(client);
  await client.query('ANALYZE');
  // As on a disk of today and on the embedded server, whatever server this is.
  await client.query('SET random_page_cost = 1.1');
});

afterAll(async () => {
  await client?.end();
  await server?.stop();
});

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** The tables that a statement reads from one end to the other. */
async function readWhole(sql: string): Promise<string[]> {
  const { rows } = await client.query(`EXPLAIN (FORMAT JSON) ${sql}`);
  const tables = (node: PlanNode): string[] => [
    ...(node['Node Type'] === 'Seq Scan' ? [node['Relation Name'] ?? '?'] : []),
    ...(node.Plans ?? []).flatMap(tables),
  ];
  const [{ 'QUERY PLAN': plans }] = rows as [{ 'QUERY PLAN': readonly [{ Plan: PlanNode }] }];
  return [...new Set(tables(plans[0].Plan))].sort();
}

// `subjects` has a row for each chain, `collections` none here.
const SMALL = ['collections', 'subjects'];
const one = 'address(1050)';
const newestFirst = (id: string): string =>
  `subject DESC, created_at DESC, contract DESC, ${id} DESC LIMIT 50`;

describe('a read of one thing', () => {
  const reads: readonly [string, string][] = [
    ['order', `SELECT * FROM order_view WHERE subject = 1 AND contract = address(7) AND order_id = '77'`],
    ['offer', `SELECT * FROM offer_view WHERE subject = 1 AND contract = address(7) AND order_id = '77'`],
    ['token', `SELECT * FROM token_view WHERE subject = 1 AND collection = ${one} AND token_id = 7`],
    [
      'ERC-1155 token',
      `SELECT * FROM token_view WHERE subject = 1 AND collection = address(900001) AND token_id = 7`,
    ],
    ["token's sales", `SELECT * FROM sale_view WHERE subject = 1 AND collection = ${one} AND token_id = 7`],
    [
      "collection's orders",
      `SELECT * FROM order_view WHERE collection = ${one} AND status = 'LISTING' LIMIT 50`,
    ],
    ["account's orders", `SELECT * FROM order_view WHERE seller = address(5007)`],
    ["account's offers", `SELECT * FROM offer_view WHERE bidder = address(5007)`],
    [
      "account's history",
      `SELECT * FROM activities WHERE from_address = address(5007) OR to_address = address(5007)`,
    ],
    ["account's tokens", `SELECT * FROM tokens WHERE owner = address(5007)`],
    ["account's balances", `SELECT * FROM balances WHERE owner = address(5007)`],
    ['newest orders', 'SELECT * FROM order_view ORDER BY subject DESC, opened_seq_no DESC LIMIT 50'],
    ['newest offers', 'SELECT * FROM offer_view ORDER BY subject DESC, opened_seq_no DESC LIMIT 50'],
    ['newest exhibits', `SELECT * FROM exhibits ORDER BY ${newestFirst('exhibit_id')}`],
    [
      'exhibits after these',
      `SELECT * FROM exhibits WHERE subject = 1 AND (created_at, contract, exhibit_id) < (now(), address(8), '7')
       ORDER BY ${newestFirst('exhibit_id')}`,
    ],
    [
      "gallery's exhibits",
      `SELECT * FROM exhibits WHERE subject = 1 AND contract = address(8) AND gallery_id = 7`,
    ],
    ["token's exhibits", `SELECT * FROM exhibits WHERE collection = ${one} AND token_id = 7`],
    [
      "account's prizes",
      `SELECT * FROM prizes WHERE claimer = address(5007) ORDER BY ${newestFirst('lottery_id')}`,
    ],
    [
      "lottery's prizes",
      `SELECT * FROM prizes WHERE subject = 1 AND contract = address(9) AND lottery_id = '7'`,
    ],
  ];
  it.each(reads)('reads no table whole: %s', async (_name, sql) => {
    expect((await readWhole(sql)).filter((table) => !SMALL.includes(table))).toEqual([]);
  });

  it('reads of a collection only its own tokens, orders and sales', async () => {
    const whole = await readWhole(`SELECT * FROM collection_view WHERE subject = 1 AND address = ${one}`);
    // Whether a maker voided its orders is asked of all makers at once when a collection has many sellers.
    expect(whole.filter((table) => !['makers', ...SMALL].includes(table))).toEqual([]);
  });

  it('sees a table that is read whole', async () => {
    expect(await readWhole('SELECT * FROM orders WHERE price = 1')).toEqual(['orders']);
  });
});
