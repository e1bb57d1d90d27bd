import { Pool, type PoolClient } from 'pg';
import { innerEnds } from '../testing/cuttingProxy';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { parameterText, runRoundTrip } from './roundTrip';

let server: TestServer;
let pool: Pool;
let client: PoolClient;

beforeAll(async () => {
  server = await startTestServer();
  const { url } = await server.createDatabase();
  pool = new Pool({ connectionString: url, max: 1 });
  await pool.query('CREATE TABLE numbers (n int PRIMARY KEY)');
});
beforeEach(async () => {
  client = await pool.connect();
});
afterEach(() => client.release());
afterAll(async () => {
  await pool?.end();
  await server?.stop();
});

const BEGIN = { statement: 'BEGIN' };
const COMMIT = { statement: 'COMMIT' };
const add = (n: number) => ({ statement: 'INSERT INTO numbers VALUES ($1) RETURNING n', values: [n] });
const all = { statement: 'SELECT n FROM numbers ORDER BY n' };

it('gives the rows of each statement, each seeing what those before it did', async () => {
  const [, first, second, seen] = await runRoundTrip(client, [BEGIN, add(1), add(2), all, COMMIT]);
  expect([first, second, seen]).toEqual([[{ n: '1' }], [{ n: '2' }], [{ n: '1' }, { n: '2' }]]);
});

it('ends with the first statement that fails, and the connection goes on, whatever of it was planned then', async () => {
  const fails = { statement: 'SELECT 1 / $1::int AS whole', values: [0] };
  const never = { statement: 'SELECT $1::text AS never', values: ['said'] };
  for (let i = 0; i < 2; i++) {
    await expect(runRoundTrip(client, [BEGIN, add(7), fails, never, COMMIT])).rejects.toMatchObject({
      code: '22012',
    });
    await client.query('ROLLBACK');
  }
  await expect(runRoundTrip(client, [{ statement: 'SELECT no FROM where' }])).rejects.toMatchObject({
    code: '42601',
  });
  const [halves, said] = await runRoundTrip(client, [{ ...fails, values: [1] }, never]);
  expect([halves, said]).toEqual([[{ whole: '1' }], [{ never: 'said' }]]);
  const { rows } = await client.query('SELECT count(*)::int AS n FROM numbers WHERE n = 7');
  expect(rows).toEqual([{ n: 0 }]);
});

it('has each statement planned once for the connection', async () => {
  const statement = 'SELECT $1::int AS planned_once';
  for (let i = 0; i < 3; i++)
    await runRoundTrip(client, [
      { statement, values: [i] },
      { statement, values: [i] },
    ]);
  const { rows } = await client.query(
    `SELECT generic_plans + custom_plans AS runs FROM pg_prepared_statements WHERE statement LIKE '%planned_once'`,
  );
  expect(rows).toEqual([{ runs: '6' }]);
});

it('tells the server values as they are', async () => {
  const texts = ['', 'a,b', '{"x"}', `\\"'`, 'NULL', null, ' ö\n '];
  const statement =
    'SELECT to_json($1::text[])::text AS list, $2::text AS one, $3::int AS number, $4::text AS nothing';
  const [[row] = []] = await runRoundTrip(client, [{ statement, values: [texts, '{a}', 5, null] }]);
  expect({ ...row, list: JSON.parse(row?.list ?? '') }).toEqual({
    list: texts,
    one: '{a}',
    number: '5',
    nothing: null,
  });
  expect(parameterText([])).toBe('{}');
});

it('places between its statements are where a spec can cut it', () => {
  const message = (type: string, body: string): string =>
    `${type}\0\0\0${String.fromCharCode(4 + body.length)}${body}`;
  const one = message('B', 'xxxx') + message('D', 'P\0') + message('E', '\0\0\0\0\0');
  expect(innerEnds(one + one + one + message('S', ''))).toEqual([one.length, 2 * one.length]);
  expect(innerEnds(message('Q', 'BEGIN\0'))).toEqual([]);
});
