import { Pool } from 'pg';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { copyInto } from './copyInto';

let server: TestServer;
let pool: Pool;

beforeAll(async () => {
  server = await startTestServer();
  pool = new Pool({ connectionString: (await server.createDatabase()).url, max: 1 });
  pool.on('error', () => undefined);
  await pool.query('CREATE TABLE numbers (n numeric(3,0), filler text)');
});
afterAll(async () => {
  await pool?.end();
  await server?.stop();
});
beforeEach(() => pool.query('TRUNCATE numbers'));

/** Far more than the sockets take at once, so that most of it waits when the first line is refused. */
const pieces = (first: string): Buffer[] =>
  Array.from({ length: 60 }, (_, i) => Buffer.from(`${i === 0 ? first : i}\t${'x'.repeat(300_000)}\n`));

describe('copyInto', () => {
  it('sends more than the sockets take at once', async () => {
    const client = await pool.connect();
    await copyInto(client, 'COPY numbers FROM STDIN', pieces('0'));
    const { rows } = await client.query(
      'SELECT count(*)::int AS n, sum(length(filler))::int AS size FROM numbers',
    );
    client.release();
    expect(rows).toEqual([{ n: 60, size: 60 * 300_000 }]);
  });

  it('does not end the process when a line is refused while others wait to be sent', async () => {
    for (let i = 0; i < 5; i++) {
      const client = await pool.connect();
      await expect(copyInto(client, 'COPY numbers FROM STDIN', pieces('1000'))).rejects.toMatchObject({
        code: '22003',
      });
      // The connection goes on as if nothing had been.
      const { rows } = await client.query('SELECT count(*)::int AS n FROM numbers');
      expect(rows).toEqual([{ n: 0 }]);
      client.release();
    }
  });

  it('fails, once, when the connection is cut in the middle', async () => {
    const client = await pool.connect();
    client.on('error', () => undefined);
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
    const copying = copyInto(client, 'COPY numbers FROM STDIN', pieces('0'));
    const admin = new Pool({ connectionString: server.adminUrl, max: 1 });
    const outcome = copying.then(
      () => 'done',
      (error: Error) => error,
    );
    await admin.query('SELECT pg_terminate_backend($1)', [(rows[0] as { pid: number }).pid]);
    await admin.end();
    expect(await outcome).toBeInstanceOf(Error);
    client.release(true);
    expect((await pool.query('SELECT count(*)::int AS n FROM numbers')).rows).toEqual([{ n: 0 }]);
  });
});
