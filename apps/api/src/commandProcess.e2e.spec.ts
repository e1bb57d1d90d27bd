import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@imart/runtime';
import { createApiKeys, migrate, prismaDirectory } from '@imart/storage';
import { createEventConsumer, type EventConsumer, type QueuedEvent, type WakeUpBackend } from '@imart/stream';
import { until } from '@imart/testing';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { startTestServer, type TestServer } from '../../../libs/storage/src/testing/testDatabase';
import { describeWithRedis } from '../../../libs/stream/src/testing/describeWithRedis';
import { openTestRedis, type TestRedisDatabase } from '../../../libs/stream/src/testing/redisDatabase';

const ROOT = join(__dirname, '../../..');
/** Processes are started one by one, on a machine that does other things too. */
const PATIENCE_MS = 180_000;

/** Guests, whose names are about persons. */
const MODULE = `
exports.aggregates = ({ z, defineAggregate }) => [defineAggregate({
  type: 'guest',
  events: {
    Came: {
      schema: z.object({ account: z.string(), name: z.string() }),
      personal: { person: (data) => data.account, fields: ['name'] },
    },
    Left: { schema: z.object({}) },
  },
  rules: [],
  reducer: {
    version: 1,
    initial: () => ({ names: [] }),
    fold: (state, event) => (event.name === 'Came' ? { names: [...state.names, event.data.name] } : state),
  },
})];
`;

let server: TestServer;
let pool: Pool;
let url: string;
let dir: string;
let key: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  server = await startTestServer();
  dir = mkdtempSync(join(tmpdir(), 'imart-test-commands-'));
  writeFileSync(join(dir, 'guest.cjs'), MODULE);
});
afterAll(async () => {
  await server?.stop();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  ({ url } = await server.createDatabase());
  pool = new Pool({ connectionString: url, max: 2 });
  await migrate(pool, join(prismaDirectory(), 'migrations'));
  const made = await createApiKeys(pool).create({
    name: 'spec',
    scopes: ['events:write'],
    requestsPerSecond: 1_000,
    createdBy: 'spec',
  });
  key = made.text;
});
afterEach(async () => {
  for (const child of running) {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  await pool.end();
});

function run(main: string, args: readonly string[], settings: Readonly<Record<string, string>>) {
  // The program itself, not one that starts it: what is killed is to be dead.
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, main), ...args], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.base.json'),
      LOG_DIR: join(dir, 'logs'),
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  return { child, ended, out: () => out, err: () => err, said: () => out + err };
}

/** The API as a process; resolves when it listens. */
async function startApi(settings: Readonly<Record<string, string>>) {
  const api = run('apps/api/src/main.ts', [], {
    DATABASE_URL: url,
    PORT: '0',
    AGGREGATES: join(dir, 'guest.cjs'),
    EVENT_QUEUES: 'guest/shop',
    PERSONAL_DATA_KEY: '07'.repeat(32),
    ...settings,
  });
  const address = (): string | undefined =>
    /"message":"listening".*?"address":"([^"]+)"/.exec(api.said())?.[1];
  await until(() => api.child.exitCode !== null || address() !== undefined, {
    what: 'the API listens',
    patienceMs: PATIENCE_MS,
  });
  if (address() === undefined) throw new Error(`it ended: ${api.said()}`);
  const origin = address() as string;
  return {
    ...api,
    came: async (id: string, account: string, name: string) => {
      const answer = await fetch(`${origin}/v1/aggregates/guest/${id}/events?waitFor=20000`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Came', data: { account, name } }),
      });
      return (await answer.json()) as { fate?: string; version?: number };
    },
    names: async (id: string) => {
      const answer = await fetch(`${origin}/v1/aggregates/guest/${id}/state`);
      return ((await answer.json()) as { state: { names: readonly string[] } }).state.names;
    },
  };
}

/** Takes what the queue is told, until it is closed. */
async function startConsumer(backend: WakeUpBackend): Promise<{ told: string[]; consumer: EventConsumer }> {
  const told: string[] = [];
  const handle = async ({ data }: QueuedEvent): Promise<void> => {
    const { aggregateId, version } = data as { aggregateId: string; version: number };
    told.push(`${aggregateId} ${version}`);
  };
  const consumer = await createEventConsumer({
    backend,
    topic: 'guest',
    name: 'shop',
    handle,
    logger: silentLogger,
  });
  return { told, consumer };
}

/** What holds of the process, wherever its queues are. */
async function tellsItsQueues(backend: WakeUpBackend, settings: Readonly<Record<string, string>>) {
  const first = await startApi(settings);
  expect(await first.came('a', 'ann', 'Ann')).toMatchObject({ fate: 'executed', version: 1 });
  expect(await first.came('a', 'bob', 'Bob')).toMatchObject({ fate: 'executed', version: 2 });
  const { told, consumer } = await startConsumer(backend);
  try {
    await until(() => told.length >= 2, { patienceMs: PATIENCE_MS });
    expect(told).toEqual(['a 1', 'a 2']);
    // Killed, and started again: its successor goes on at the cursor.
    first.child.kill('SIGKILL');
    await first.ended;
    const second = await startApi(settings);
    expect(await second.came('a', 'cid', 'Cid')).toMatchObject({ fate: 'executed', version: 3 });
    await until(() => told.includes('a 3'), { patienceMs: PATIENCE_MS });
    // At least once, and in order.
    expect([...new Set(told)]).toEqual(['a 1', 'a 2', 'a 3']);
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
    expect(second.said()).not.toContain('tells a queue nothing more');
  } finally {
    await consumer.close();
  }
}

describe('commands, as processes', () => {
  it('the API tells the queues that EVENT_QUEUES names, in PostgreSQL, and goes on at their cursor when it was killed (E12)', async () => {
    await tellsItsQueues({ kind: 'postgres', connectionString: url }, {});
  });

  it('imart forget makes what a running API shows of a person unreadable, and keeps who did it and why, without the name', async () => {
    const api = await startApi({});
    await api.came('a', 'ann', 'Ann Example');
    await api.came('a', 'bob', 'Bob Example');
    expect(await api.names('a')).toEqual(['Ann Example', 'Bob Example']);
    const forget = (...args: string[]) =>
      run('apps/imart/src/main.ts', ['forget', ...args], { DATABASE_URL: url });
    const unsure = forget('ann');
    expect([await unsure.ended, unsure.err()]).toEqual([2, expect.stringContaining('say --yes')]);
    const done = forget('ann', '--yes', '--reason', 'ticket 7', '--by', 'olga');
    expect([await done.ended, done.out()]).toEqual([
      0,
      expect.stringContaining('aggregates with data of this person: commands:guest (1)'),
    ]);
    expect(await api.names('a')).toEqual(['[unreadable]', 'Bob Example']);
    const again = forget('ann', '--yes');
    expect([await again.ended, again.err()]).toEqual([1, expect.stringContaining('nothing of this person')]);
    const { rows } = await pool.query('SELECT action, acted_by, reason FROM operator_actions');
    expect(rows).toEqual([{ action: 'forget', acted_by: 'olga', reason: 'ticket 7' }]);
    expect(done.said()).not.toContain('"ann"');
    // A person who comes back has a new key.
    expect(await api.came('a', 'ann', 'Ann Again')).toMatchObject({ fate: 'executed' });
    expect(await api.names('a')).toEqual(['[unreadable]', 'Bob Example', 'Ann Again']);
  });

  it('the API ends with the name of the setting when the master key is missing or another one', async () => {
    const first = await startApi({});
    await first.came('a', 'ann', 'Ann');
    first.child.kill('SIGTERM');
    await first.ended;
    for (const PERSONAL_DATA_KEY of ['', '08'.repeat(32)]) {
      const wrong = run('apps/api/src/main.ts', [], {
        DATABASE_URL: url,
        PORT: '0',
        AGGREGATES: join(dir, 'guest.cjs'),
        PERSONAL_DATA_KEY,
      });
      expect(await wrong.ended).not.toBe(0);
      expect(wrong.said()).toContain('set PERSONAL_DATA_KEY to the key that this database was started with');
      expect(wrong.said()).not.toContain('0808');
    }
  });
});

describeWithRedis('commands, as processes with a Redis', () => {
  let redis: TestRedisDatabase;
  beforeAll(async () => {
    redis = await openTestRedis();
  });
  afterAll(() => redis?.stop());

  it('the API tells its queues there, and keeps its markers there where COMMAND_MARKER says so (E12)', async () => {
    await tellsItsQueues(
      { kind: 'redis', url: redis.url },
      { REDIS_URL: redis.url, COMMAND_MARKER: 'redis' },
    );
    const client = new Redis(redis.url);
    const keys = await client.keys('imart:marker:*');
    client.disconnect();
    expect(keys).toEqual([expect.stringMatching(/^imart:marker:\d+-\d+:guest:of:a$/)]);
    expect((await pool.query('SELECT 1 FROM command_markers')).rowCount).toBe(0);
  });
});
