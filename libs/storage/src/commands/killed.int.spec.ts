import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { defineAggregate, noSnapshot } from '@imart/event-service';
import { stockItem, until, type StockEvents, type StockState } from '@imart/testing';
import { createCommandDatabase, type CommandDatabase } from '../testing/commandDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';

const ROOT = join(__dirname, '../../../..');
const REQUESTS = 150;

let server: TestServer;
let commands: CommandDatabase;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  server = await startTestServer();
  commands = await createCommandDatabase(server);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await commands?.close();
  await server?.stop();
});

const unsnapped = defineAggregate<StockState, StockEvents>({ ...stockItem, snapshots: noSnapshot });

function start(name: string): ChildProcess {
  const program = join(__dirname, '../testing/commandProcess.spec.ts');
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', program, commands.database.url, name, String(REQUESTS)],
    {
      cwd: ROOT,
      env: { ...process.env, TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.base.json') },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

const answered = async (): Promise<number> => {
  const { rows } = await commands.pool.query('SELECT count(*) FROM command_answers');
  return Number(rows[0].count);
};

it('processes that are killed, and started again, append every accepted command once; the others go on (E1, E20, E21)', async () => {
  const clean = await commands.open(unsnapped);
  const kill = async (child: ChildProcess): Promise<void> => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const running = new Map([
    ['a', start('a')],
    ['b', start('b')],
  ]);
  let target = 0;
  for (const name of ['a', 'b', 'a', 'b']) {
    target += 40;
    await until(async () => {
      const hasFailed = [...running.values()].some(({ exitCode }) => exitCode !== null && exitCode !== 0);
      return hasFailed || (await answered()) >= target;
    });
    for (const child of running.values()) expect([null, 0]).toContain(child.exitCode);
    const child = running.get(name) as ChildProcess;
    if (child.exitCode === null) await kill(child);
    running.set(name, start(name));
  }
  for (const child of running.values()) {
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
  }
  await clean.drain();

  expect(await answered()).toBe(2 * REQUESTS);
  const { rows } = await commands.pool.query(
    `SELECT encode(e.tx_hash, 'hex') AS id FROM event_log e ORDER BY e.seq_no`,
  );
  const { rows: answers } = await commands.pool.query(
    `SELECT replace(answer::json ->> 'eventId', '-', '') AS id FROM command_answers`,
  );
  expect(rows.map(({ id }) => id as string).sort()).toEqual(answers.map(({ id }) => id as string).sort());
  for (let item = 0; item < 5; item++) {
    const { events } = await clean.queries.events(`item-${item}`);
    expect(events.map(({ version }) => version)).toEqual(events.map((_, i) => i + 1));
    expect((await clean.queries.state(`item-${item}`)).state.left).toBe(events.length);
  }
});
