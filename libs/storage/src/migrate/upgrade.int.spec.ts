import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { createRowWriter } from '../testing/marketRows';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { applyViews } from '../views';
import { migrate } from './migrate';

const PRISMA = join(__dirname, '../../../../prisma');
const MIGRATIONS = join(PRISMA, 'migrations');
const WIDER = '20261122000000_editions_claims_curation';
const UINT256_MAX = (2n ** 256n - 1n).toString();
const TABLES = ['orders', 'offers', 'tokens', 'balances', 'activities'];
/** The views that a worker has defined on the older tables, in the order of their dependence. */
const VIEWS = [
  'subject_view',
  'order_view',
  'offer_view',
  'sale_view',
  'token_view',
  'collection_key_view',
  'collection_view',
];

let server: TestServer;
let client: Client;
let older: string;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  client = new Client({ connectionString: (await server.createDatabase()).url });
  await client.connect();
  older = mkdtempSync(join(tmpdir(), 'imart-older-migrations-'));
  for (const name of readdirSync(MIGRATIONS).filter((one) => one < WIDER)) {
    cpSync(join(MIGRATIONS, name), join(older, name), { recursive: true });
  }
  await migrate(client, older);
  let under = 'orders';
  for (const view of VIEWS) {
    await client.query(`CREATE VIEW "${view}" AS SELECT token_id FROM "${under}"`);
    under = view;
  }
  const insert = createRowWriter(client);
  await insert('subjects', {});
  for (const table of TABLES) {
    await insert(table, {
      seq_no: 1,
      token_id: UINT256_MAX,
      owner: '0xaa',
      quantity: '1',
      order_id: '1',
      opened_seq_no: 1,
    });
  }
});
afterEach(async () => {
  await client.end();
  rmSync(older, { recursive: true });
});

async function files(): Promise<unknown> {
  const { rows } = await client.query(
    `SELECT relname, pg_relation_filenode(oid) AS file FROM pg_class
     WHERE relname = ANY($1) OR relname LIKE ANY($2) ORDER BY 1`,
    [TABLES, TABLES.map((table) => `${table}\\_%`)],
  );
  return rows;
}

describe('the migration to token ids with an edition', () => {
  it('keeps every row, writes no table and no index anew, and lets the views be defined', async () => {
    const before = await files();
    expect(await migrate(client, MIGRATIONS)).toContain(WIDER);
    expect(await files()).toEqual(before);
    await applyViews(client, join(PRISMA, 'views.sql'));
    const edition = ((2n ** 64n - 1n) << 256n) | (2n ** 256n - 1n);
    for (const table of TABLES) {
      const { rows } = await client.query(`UPDATE "${table}" SET token_id = $1 RETURNING token_id`, [
        edition.toString(),
      ]);
      expect(rows).toEqual([{ token_id: edition.toString() }]);
    }
    const { rows } = await client.query('SELECT standard FROM balances');
    expect(rows).toEqual([{ standard: 'erc1155' }]);
    expect((await client.query('SELECT token_id FROM order_view')).rows).toEqual([
      { token_id: edition.toString() },
    ]);
  });

  it('changes nothing where somebody’s own view is on the columns, and says which', async () => {
    await client.query('CREATE VIEW mine AS SELECT token_id FROM tokens');
    const refused: unknown = await migrate(client, MIGRATIONS).catch((error: unknown) => error);
    expect(String(refused)).toContain(WIDER);
    expect(String((refused as { cause?: { detail?: string } }).cause?.detail)).toContain('view mine');
    expect((await client.query('SELECT token_id FROM collection_view')).rows).toHaveLength(1);
  });
});
