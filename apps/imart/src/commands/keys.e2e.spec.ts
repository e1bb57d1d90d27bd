import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@imart/runtime';
import { createApiKeys, createPool, migrate, prismaDirectory, type DatabasePool } from '@imart/storage';
import { startTestServer, type TestServer } from '../../../../libs/storage/src/testing/testDatabase';

const ROOT = join(__dirname, '../../../..');
const TSX = join(ROOT, 'node_modules/tsx/dist/cli.mjs');

let server: TestServer;
let pool: DatabasePool;
let url: string;

beforeAll(async () => {
  server = await startTestServer();
  ({ url } = await server.createDatabase());
  pool = createPool({ connectionString: url, max: 2, applicationName: 'spec', logger: silentLogger });
  await migrate(pool, join(prismaDirectory(), 'migrations'));
});
afterAll(async () => {
  await pool?.end();
  await server?.stop();
});

async function keys(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(
    process.execPath,
    [TSX, '--tsconfig', join(ROOT, 'tsconfig.base.json'), join(__dirname, '../main.ts'), 'keys', ...args],
    {
      cwd: tmpdir(),
      env: { PATH: process.env['PATH'], DATABASE_URL: url },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

describe('imart keys', () => {
  it('makes a key that is shown once and kept as a hash, lists it and revokes it', async () => {
    const made = await keys(
      'create',
      '--name',
      'shop',
      '--scope',
      'events:write',
      '--rate',
      '7',
      '--by',
      'ann',
    );
    expect([made.code, made.err]).toEqual([0, expect.stringContaining('cannot be shown again')]);
    const text = made.out.trim();
    const found = await createApiKeys(pool).find(text);
    expect(found).toMatchObject({
      name: 'shop',
      scopes: ['events:write'],
      requestsPerSecond: 7,
      createdBy: 'ann',
    });
    const { rows } = await pool.query(`SELECT row_to_json(k)::text AS text FROM api_keys k`);
    expect((rows[0] as { text: string }).text).not.toContain(text.slice(-43));

    const listed = await keys('list');
    expect(listed.out).toContain(found?.id);
    expect(listed.out).not.toContain(text.slice(-43));
    const id = found?.id ?? '';
    expect((await keys('revoke', id)).out).toContain(`key ${id} is revoked`);
    expect((await createApiKeys(pool).find(text))?.revokedAt).toBeInstanceOf(Date);
    expect(await keys('revoke', '0123')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no key 0123'),
    });
  });
});
