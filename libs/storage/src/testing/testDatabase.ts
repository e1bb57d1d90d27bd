import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from '../embedded/cluster';
import { createScratchDatabase, type ScratchDatabase } from '../embedded/scratchDatabase';
import { startEmbeddedPostgres } from '../embedded/startEmbeddedPostgres';

/** A PostgreSQL server for the specs of one file. */
export interface TestServer {
  /** A superuser's connection string: for creating databases, not for tables. */
  readonly adminUrl: string;
  /** An empty database, dropped at `stop` at the latest. */
  createDatabase(): Promise<ScratchDatabase>;
  /** Drops what was created and stops the server if it is ours. Call it in `afterAll`. */
  stop(): Promise<void>;
}

const PREFIX = 'imart-test-postgres-';

/**
 * The server that `IMART_TEST_DATABASE_URL` names, or else an embedded one in a directory of its own, gone at `stop` and
 * also when the test process is killed. The embedded one is fast, not durable; specs about crashes start their own.
 *
 * @example
 * let server: TestServer;
 * beforeAll(async () => (server = await startTestServer()));
 * afterAll(() => server.stop());
 */
export async function startTestServer(
  settings: Readonly<Record<string, string | number>> = {},
): Promise<TestServer> {
  const given = process.env['IMART_TEST_DATABASE_URL'];
  if (given !== undefined && given !== '') return serverAt(given, async () => undefined);
  removeAbandoned();
  const dir = createTestDirectory();
  const server = await startEmbeddedPostgres({
    dataDir: join(dir, 'data'),
    database: 'postgres',
    settings: { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', ...settings },
    stopWithProcess: true,
  });
  return serverAt(server.url, async () => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });
}

/** A directory for one test process, which every user may enter, as a server that root starts needs it. */
export function createTestDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  chmodSync(dir, 0o755);
  return dir;
}

function serverAt(adminUrl: string, stopServer: () => Promise<void>): TestServer {
  const created: ScratchDatabase[] = [];
  return {
    adminUrl,
    async createDatabase() {
      const database = await createScratchDatabase(adminUrl);
      created.push(database);
      return database;
    },
    async stop() {
      for (const database of created) await database.drop();
      await stopServer();
    },
  };
}

/** Directories of test processes that were killed. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // Another user's, or being removed by another test process.
    }
  }
}
