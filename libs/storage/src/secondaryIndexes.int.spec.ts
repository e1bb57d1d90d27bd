import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { migrate } from './migrate';
import {
  ensureSecondaryIndexes,
  readSecondaryIndexesState,
  SecondaryIndexError,
  secondaryIndexes,
  type SecondaryIndexProgress,
} from './secondaryIndexes';
import { startTestServer, type TestServer } from './testing/testDatabase';

const PRISMA = join(__dirname, '../../../prisma');

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  client = new Client({ connectionString: (await server.createDatabase()).url });
  await client.connect();
  await migrate(client, join(PRISMA, 'migrations'));
});
afterEach(() => client.end());

async function build(): Promise<SecondaryIndexProgress[]> {
  const progress: SecondaryIndexProgress[] = [];
  await ensureSecondaryIndexes(client, (one) => progress.push(one));
  return progress;
}

async function existing(): Promise<string[]> {
  const names = secondaryIndexes.map((index) => index.name);
  const { rows } = await client.query('SELECT indexname AS name FROM pg_indexes WHERE indexname = ANY($1)', [
    names,
  ]);
  return (rows as { name: string }[]).map((row) => row.name).sort();
}

const all = secondaryIndexes.map((index) => index.name).sort();

describe('ensureSecondaryIndexes', () => {
  it('builds all, tells each, and says so in the database', async () => {
    expect(await readSecondaryIndexesState(client)).toBe('pending');
    const progress = await build();
    expect(progress.map(({ name }) => name)).toEqual(secondaryIndexes.map(({ name }) => name));
    expect(progress.at(-1)).toMatchObject({ done: all.length, total: all.length, built: true });
    expect(await existing()).toEqual(all);
    expect(await readSecondaryIndexesState(client)).toBe('built');
  });

  it('goes on after a crash with what is missing', async () => {
    await client.query(secondaryIndexes[0]?.sql ?? '');
    await client.query(`INSERT INTO worker_state VALUES ('secondary_indexes', 'building')`);
    const progress = await build();
    expect(progress.filter(({ built }) => !built).map(({ name }) => name)).toEqual([
      secondaryIndexes[0]?.name,
    ]);
    expect(await existing()).toEqual(all);
  });

  it('builds again what a new table under the old name lacks, though the state says built', async () => {
    await build();
    await client.query(
      'DROP TABLE tokens; CREATE TABLE tokens (LIKE activities); ALTER TABLE tokens ADD owner TEXT',
    );
    const progress = await build();
    expect(progress.filter(({ built }) => built).map(({ name }) => name)).toEqual(['tokens_owner_idx']);
  });

  it('refuses a name that another table has, and does not say built', async () => {
    await client.query('CREATE INDEX orders_seller_idx ON offers (seller)');
    await expect(build()).rejects.toThrow(SecondaryIndexError);
    expect(await readSecondaryIndexesState(client)).toBe('building');
  });

  it('of two callers at the same time, one builds and the other waits for it', async () => {
    const { rows } = await client.query('SELECT current_database() AS name');
    const url = new URL(server.adminUrl);
    url.pathname = `/${(rows as { name: string }[])[0]?.name}`;
    const second = new Client({ connectionString: url.href });
    await second.connect();
    const built: string[] = [];
    const note = ({ name, built: now }: SecondaryIndexProgress): void => void (now && built.push(name));
    try {
      await Promise.all([ensureSecondaryIndexes(client, note), ensureSecondaryIndexes(second, note)]);
    } finally {
      await second.end();
    }
    expect(built.sort()).toEqual(all);
  });
});

describe('schema.prisma', () => {
  it('names the same indexes, and those that migrations make', () => {
    const schema = readFileSync(join(PRISMA, 'schema.prisma'), 'utf8');
    const migrations = join(PRISMA, 'migrations');
    const migrated = readdirSync(migrations, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) => [
        ...readFileSync(join(migrations, name, 'migration.sql'), 'utf8').matchAll(
          // Those of some rows only are none that the schema can name.
          /CREATE INDEX "(\w+)" ON "\w+"\(([^)]*)\);/g,
        ),
      ])
      .map(([, name, columns]) => [name, columns?.replaceAll('"', '')]);
    const named = [...schema.matchAll(/@@index\(\[([^\]]*)\], map: "(\w+)"\)/g)].map(([, columns, name]) => [
      name,
      columns?.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    ]);
    const byName = (a: readonly unknown[], b: readonly unknown[]): number =>
      String(a[0]).localeCompare(String(b[0]));
    expect(named.sort(byName)).toEqual(
      [...secondaryIndexes.map((index) => [index.name, index.columns]), ...migrated].sort(byName),
    );
  });
});
