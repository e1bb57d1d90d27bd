// Runs the integration suites again, and the programs as processes, this time against PostgreSQL and Redis servers that run
// already, where production runs. Suites make databases of their own there, and remove them. Arguments go to jest.
//   node tools/test-servers.mjs [jest arguments]
// IMART_TEST_DATABASE_URL (a superuser's) and IMART_TEST_REDIS_URL say where; without them, the servers' usual ports on
// this machine. A server that does not answer is a failure, never a reason to skip.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import pg from 'pg';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const databaseUrl = process.env.IMART_TEST_DATABASE_URL || 'postgresql://postgres@127.0.0.1:5432/postgres';
const redisUrl = process.env.IMART_TEST_REDIS_URL || 'redis://127.0.0.1:6379';
const CONNECT_TIMEOUT_MS = 5_000;

async function databaseVersion() {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  await client.connect();
  try {
    const { rows } = await client.query('SHOW server_version');
    return rows[0].server_version;
  } finally {
    await client.end();
  }
}

async function redisVersion() {
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  // Told by the failing call below.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown';
  } finally {
    redis.disconnect();
  }
}

/** The host of a URL only: what stands before and after it may be a secret. */
function shown(url) {
  return new URL(url).host;
}

const asked = [
  ['PostgreSQL', databaseUrl, databaseVersion, 'IMART_TEST_DATABASE_URL'],
  ['Redis', redisUrl, redisVersion, 'IMART_TEST_REDIS_URL'],
];
let missing = 0;
for (const [name, url, version, setting] of asked) {
  try {
    console.log(`test-servers: ${name} ${await version()} at ${shown(url)}`);
  } catch (error) {
    missing++;
    const reason = error.message || error.errors?.map((e) => e.message).join('; ');
    console.error(`test-servers: no ${name} at ${shown(url)} (${reason}); start one, or set ${setting}`);
  }
}
if (missing > 0) process.exit(1);

const result = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/jest/bin/jest.js'),
    ...process.argv.slice(2),
    '--selectProjects',
    'int',
    'servers',
  ],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      IMART_TEST_DATABASE_URL: databaseUrl,
      IMART_TEST_REDIS_URL: redisUrl,
    },
  },
);
process.exit(result.status ?? 1);
