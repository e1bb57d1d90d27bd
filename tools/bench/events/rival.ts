import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Pool } from 'pg';
import { BATCH_EVENTS, benchEvent, type BenchEvent, type Contestant } from './contestant';

const NAME = '@event-driven-io/emmett-postgresql';
const VERSION = '0.42.0';
/** It has no licence that allows to depend on it: it is fetched here when somebody measures, and part of nothing. */
const CACHE = join(__dirname, '../../../node_modules/.cache/imart-bench-rival');

interface Appended {
  readonly type: string;
  readonly data: BenchEvent;
}

/** What of it is used. */
interface RivalStore {
  appendToStream(stream: string, events: readonly Appended[]): Promise<unknown>;
  readStream(stream: string): Promise<{ readonly events: readonly Appended[] }>;
  close(): Promise<void>;
  readonly schema: { migrate(): Promise<unknown> };
}

function fetchRival(): string | null {
  const main = join(CACHE, 'node_modules', NAME, 'package.json');
  if (!existsSync(main)) {
    const { status } = spawnSync(
      'npm',
      ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', CACHE, `${NAME}@${VERSION}`],
      { stdio: 'ignore', timeout: 120_000 },
    );
    if (status !== 0) return null;
  }
  return existsSync(main) ? join(CACHE, 'node_modules', NAME, 'dist/index.js') : null;
}

/** @returns `null`: it could not be fetched. */
export async function createRival(url: string): Promise<Contestant | null> {
  const file = fetchRival();
  if (file === null) return null;
  const { getPostgreSQLEventStore } = (await import(pathToFileURL(file).href)) as {
    getPostgreSQLEventStore(connectionString: string): RivalStore;
  };
  const store = getPostgreSQLEventStore(url);
  await store.schema.migrate();
  const pool = new Pool({ connectionString: url, max: 2 });
  const event = (n: number): Appended => ({ type: 'Added', data: benchEvent(n) });
  const batch = (events: number): readonly Appended[] => Array.from({ length: events }, (_, n) => event(n));
  return {
    name: `emmett ${VERSION}`,
    async appendOne(stream, n) {
      await store.appendToStream(stream, [event(n)]);
    },
    settled: async () => undefined,
    async appendBatches(batches) {
      const started = performance.now();
      let next = 0;
      const work = async (): Promise<void> => {
        for (let n = next++; n < batches; n = next++)
          await store.appendToStream(`batch-${n}`, batch(BATCH_EVENTS));
      };
      await Promise.all(Array.from({ length: 8 }, work));
      return (performance.now() - started) / 1000;
    },
    async fill(stream, events) {
      for (let from = 0; from < events; from += 1_000) {
        const part = Array.from({ length: Math.min(1_000, events - from) }, (_, i) => event(from + i));
        await store.appendToStream(stream, part);
      }
    },
    async load(stream) {
      const { events } = await store.readStream(stream);
      return { events: events.length, sum: events.reduce((sum, { data }) => sum + data.amount, 0) };
    },
    async count() {
      return Number((await pool.query('SELECT count(*) AS n FROM emt_messages')).rows[0].n);
    },
    async close() {
      await store.close();
      await pool.end();
    },
  };
}
