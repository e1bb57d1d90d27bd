import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiKeys } from '@imart/storage';
import { until } from '@imart/testing';
import { Pool } from 'pg';
import { createApiDatabase, type ApiDatabase } from './testing/apiDatabase';
import { seedMarket } from './testing/seedMarket';

const ROOT = join(__dirname, '../../..');
const TSX = join(ROOT, 'node_modules/tsx/dist/cli.mjs');

let database: ApiDatabase;
let dir: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  database = await createApiDatabase();
  await seedMarket(database);
  // The chains of this spec have numbers that were not taken from the sequence.
  await database.run(`SELECT setval(pg_get_serial_sequence('subjects', 'id'), 100)`);
  dir = mkdtempSync(join(tmpdir(), 'imart-test-api-main-'));
});

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await database?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The program as a process, with these settings and no others. */
interface Program {
  readonly child: ChildProcess;
  /** What it has said so far. */
  said(): string;
  /** Where it listens. */
  readonly address: Promise<string>;
  readonly ended: Promise<number | null>;
}

function start(settings: Readonly<Record<string, string>>): Program {
  const child = spawn(
    process.execPath,
    [TSX, '--tsconfig', join(ROOT, 'tsconfig.base.json'), join(__dirname, 'main.ts')],
    { cwd: dir, env: { PATH: process.env['PATH'], ...settings }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  running.add(child);
  let said = '';
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  const address = new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      const found = /"message":"listening".*?"address":"([^"]+)"/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    void ended.then((code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
  address.catch(() => undefined);
  return { child, said: () => said, address, ended };
}

describe('the API as a process', () => {
  it('serves data and the page of documentation, and ends with 0 on SIGTERM', async () => {
    const program = start({ DATABASE_URL: database.url, PORT: '1', API_PORT: '0' });
    const address = await program.address;
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const orders = (await (await fetch(`${address}/v1/orders?limit=1`)).json()) as { items: unknown[] };
    expect(orders.items).toHaveLength(1);

    const page = await fetch(address, { redirect: 'follow' });
    expect(page.url).toBe(`${address}/docs`);
    const html = await page.text();
    const script = /src="([^"]*swagger-ui-bundle\.js)"/.exec(html)?.[1] ?? '';
    const asset = await fetch(new URL(script, `${address}/docs/`));
    // Read to its end: a shutdown waits for answers that are on their way.
    expect([asset.status, (await asset.arrayBuffer()).byteLength > 100_000]).toEqual([200, true]);
    const document = (await (await fetch(`${address}/docs/json`)).json()) as { openapi: string };
    expect(document.openapi).toBe('3.1.0');

    program.child.kill('SIGTERM');
    expect(await program.ended).toBe(0);
  });

  it('names a port that is taken, and ends with 2', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    try {
      const { port } = taken.address() as AddressInfo;
      const program = start({ DATABASE_URL: database.url, PORT: String(port) });
      expect(await program.ended).toBe(2);
      expect(program.said()).toContain(`PORT: port ${port} on 127.0.0.1 is taken by another program`);
      expect(readFileSync(join(dir, 'logs/error.log'), 'utf8')).toContain(`port ${port}`);
    } finally {
      taken.close();
    }
  });

  it('tells all wrong settings at once, before it connects', async () => {
    const program = start({ DATABASE_URL: 'mysql://me:secret-word@db/x', PORT: 'http', LOG_LEVEL: 'loud' });
    expect(await program.ended).toBe(2);
    const said = program.said();
    for (const name of ['DATABASE_URL', 'PORT', 'LOG_LEVEL']) expect(said).toContain(`${name}: `);
    expect(said).not.toContain('secret-word');
  });

  it('takes commands of the types that a module defines, with a key, and goes on with them when it is started again', async () => {
    const pool = new Pool({ connectionString: database.url, max: 1 });
    const settings = {
      DATABASE_URL: database.url,
      PORT: '0',
      AGGREGATES: join(ROOT, 'tools/examples/allowlist.cjs'),
    };
    try {
      const { text: key } = await createApiKeys(pool).create({
        name: 'spec',
        scopes: ['events:write'],
        requestsPerSecond: 100,
        createdBy: 'spec',
      });
      const ask = async (address: string, name: string, data: object): Promise<{ fate: string }> => {
        const answer = await fetch(`${address}/v1/aggregates/allowlist/drop/events?waitFor=20000`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify({ name, data }),
        });
        return (await answer.json()) as { fate: string };
      };
      const first = start(settings);
      expect(await ask(await first.address, 'Opened', { places: 1 })).toMatchObject({ fate: 'executed' });
      first.child.kill('SIGTERM');
      await first.ended;
      const second = start(settings);
      const address = await second.address;
      expect(await ask(address, 'Joined', { wallet: `0x${'1'.repeat(40)}` })).toMatchObject({
        fate: 'executed',
        version: 2,
      });
      expect(await ask(address, 'Joined', { wallet: `0x${'2'.repeat(40)}` })).toMatchObject({
        error: { code: 'COMMAND_REFUSED', rule: 'places-left' },
      });
      second.child.kill('SIGTERM');
      expect(await second.ended).toBe(0);
      expect(second.said()).not.toContain(key);
    } finally {
      await pool.end();
    }
  });

  it.each([
    ['takes purchases of whoever has a key, and of nobody else', {}, [401, 202]],
    ['takes purchases of everybody where PURCHASES_OPEN says so', { PURCHASES_OPEN: 'true' }, [202, 202]],
  ] as const)('%s', async (_name, settings, statuses) => {
    const pool = new Pool({ connectionString: database.url, max: 1 });
    try {
      const { text: key } = await createApiKeys(pool).create({
        name: 'shop',
        scopes: ['purchases:write'],
        requestsPerSecond: 100,
        createdBy: 'spec',
      });
      const program = start({ DATABASE_URL: database.url, PORT: '0', PURCHASES: 'true', ...settings });
      const address = await program.address;
      const buy = async (headers: Readonly<Record<string, string>>): Promise<number> => {
        const answer = await fetch(`${address}/v1/purchases`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ productId: 'art', quantity: 1 }),
        });
        await answer.arrayBuffer();
        return answer.status;
      };
      expect([await buy({}), await buy({ authorization: `Bearer ${key}` })]).toEqual(statuses);
      program.child.kill('SIGTERM');
      expect(await program.ended).toBe(0);
      expect(program.said().includes('whoever reaches this API may buy')).toBe(statuses[0] === 202);
      expect(program.said()).not.toContain(key);
    } finally {
      await pool.end();
    }
  });

  it('starts without a database, alive but not ready', async () => {
    const program = start({ DATABASE_URL: 'postgresql://me:secret-word@127.0.0.1:1/x', PORT: '0' });
    const address = await program.address;
    expect((await fetch(`${address}/readyz`)).status).toBe(503);
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
    program.child.kill('SIGINT');
    expect(await program.ended).toBe(0);
    expect(program.said()).not.toContain('secret-word');
  });

  it('that takes commands waits for its database, and ends with 0 when it is asked to meanwhile', async () => {
    const program = start({
      DATABASE_URL: 'postgresql://me:secret-word@127.0.0.1:1/x',
      PORT: '0',
      AGGREGATES: join(ROOT, 'tools/examples/allowlist.cjs'),
    });
    await until(() => program.said().includes('what commands are kept in is not there, trying again'), {
      everyMs: 50,
    });
    program.child.kill('SIGTERM');
    expect([await program.ended, program.said()]).toEqual([
      0,
      expect.not.stringContaining('"level":"error"'),
    ]);
    expect(program.said()).not.toContain('secret-word');
  });
});
