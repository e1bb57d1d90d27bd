import { until } from '@imart/testing';
import { Pool } from 'pg';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { copyInto, runScript } from './script';
import { writeBehind } from './writeBehind';

let server: TestServer;
let pool: Pool;
let url: string;

beforeAll(async () => {
  server = await startTestServer();
  ({ url } = await server.createDatabase());
  pool = new Pool({ connectionString: url, max: 1 });
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

const count = async (): Promise<number> =>
  ((await pool.query('SELECT count(*)::int AS n FROM numbers')).rows[0] as { n: number }).n;

describe('runScript', () => {
  const line = (n: number | string): Buffer[] => [Buffer.from(`${n}\tx\n`)];
  const copy = (n: number | string) => ({ statement: 'COPY numbers FROM STDIN', text: line(n) });

  it('runs statements and COPYs in their order, and gives the rows of each', async () => {
    const client = await pool.connect();
    const results = await runScript(client, [
      { statement: 'SELECT count(*) AS before FROM numbers' },
      copy(1),
      { statement: 'UPDATE numbers SET n = n + 1' },
      copy(7),
      { statement: 'SELECT n, NULL AS nothing FROM numbers ORDER BY n' },
    ]);
    client.release();
    expect(results).toEqual([
      [{ before: '0' }],
      [],
      [],
      [],
      [
        { n: '2', nothing: null },
        { n: '7', nothing: null },
      ],
    ]);
  });

  it.each([
    ['a statement', { statement: 'SELECT 1 / 0' }, '22012'],
    ['a line of a COPY', copy('1000'), '22003'],
    ['a COPY that cannot begin', { statement: 'COPY nothing_there FROM STDIN', text: line(1) }, '42P01'],
  ])(
    'ends at %s that fails: nothing of what follows is done, its data is dropped',
    async (_what, step, code) => {
      const client = await pool.connect();
      const script = runScript(client, [
        { statement: 'BEGIN' },
        copy(1),
        step,
        copy(2),
        { statement: 'COMMIT' },
      ]);
      await expect(script).rejects.toMatchObject({ code });
      await client.query('ROLLBACK');
      // The connection is as good as before.
      expect((await client.query('SELECT 42 AS n')).rows).toEqual([{ n: 42 }]);
      await runScript(client, [copy(3)]);
      client.release();
      expect(await count()).toBe(1);
    },
  );

  it('sees in each statement what was committed since the one before', async () => {
    const [client, other] = [await pool.connect(), new Pool({ connectionString: url, max: 1 })];
    const holder = await other.connect();
    await holder.query('INSERT INTO numbers VALUES (1)');
    await holder.query('BEGIN; UPDATE numbers SET n = 2');
    const reading = runScript(client, [
      { statement: 'BEGIN' },
      { statement: 'SELECT n FROM numbers FOR UPDATE' },
      { statement: 'SELECT count(*) AS n FROM numbers' },
      { statement: 'COMMIT' },
    ]);
    const { rows: pids } = await holder.query('SELECT pg_backend_pid() AS pid');
    const waits = async (): Promise<boolean> =>
      (
        await holder.query('SELECT FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))', [
          (pids[0] as { pid: number }).pid,
        ])
      ).rowCount === 1;
    await until(waits);
    await holder.query('INSERT INTO numbers VALUES (3); COMMIT');
    expect((await reading).slice(1, 3)).toEqual([[{ n: '2' }], [{ n: '2' }]]);
    client.release();
    holder.release();
    await other.end();
  });
});

describe('writes that wait', () => {
  const insert = (n: number) => ({ statement: `INSERT INTO numbers VALUES (${n})` });

  it('are done before whatever is asked next, and commit with what follows', async () => {
    const client = await pool.connect();
    const behind = writeBehind(client);
    behind.write(insert(1), { statement: 'COPY numbers FROM STDIN', text: [Buffer.from('2\tx\n')] });
    const { rows } = await behind.client.query('SELECT count(*)::int AS n FROM numbers WHERE n < $1', [100]);
    expect(rows).toEqual([{ n: 2 }]);
    behind.write(insert(3));
    expect(await behind.ask('SELECT count(*) AS n FROM numbers')).toEqual([[{ n: '3' }]]);
    behind.write(insert(4));
    await behind.commit();
    client.release();
    expect(await count()).toBe(4);
  });

  it('fail where they are written, whoever asks, and leave nothing', async () => {
    const asked: readonly ((behind: ReturnType<typeof writeBehind>) => Promise<unknown>)[] = [
      ({ client }) => client.query('SELECT 1'),
      ({ client }) => copyInto(client, 'COPY numbers FROM STDIN', [Buffer.from('5\tx\n')]),
      ({ ask }) => ask('SELECT 1'),
      ({ commit }) => commit(),
    ];
    for (const ask of asked) {
      const client = await pool.connect();
      const behind = writeBehind(client);
      behind.write(insert(1), insert(1000), insert(2));
      await expect(ask(behind)).rejects.toMatchObject({ code: '22003' });
      await client.query('ROLLBACK');
      client.release();
    }
    expect(await count()).toBe(0);
  });

  it('count as steps, as everything that is asked does: what was read under a lock is old then', async () => {
    const client = await pool.connect();
    const behind = writeBehind(client);
    const steps = [behind.steps];
    behind.write(insert(1));
    steps.push(behind.steps);
    await behind.ask('SELECT 1');
    steps.push(behind.steps);
    await behind.client.query('SELECT 1');
    steps.push(behind.steps);
    await behind.commit();
    client.release();
    expect(new Set(steps).size).toBe(4);
  });
});
