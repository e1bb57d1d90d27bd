// Event sourcing: node --import tsx tools/bench/events/main.ts [--database-url URL] [--events 5000] [--runs 3]
// Ours, plain pg as the ceiling, and emmett beside them, each on an empty database of the same server. See bench.mjs, which starts this.
import { parseArgs } from 'node:util';
import pg from 'pg';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@imart/storage';
import { quantile } from '../live/figures';
import { createCeiling } from './ceiling';
import { BATCH_EVENTS, mustBe, sumOf, type Contestant } from './contestant';
import { createOurs, type Ours } from './ours';
import { createRival } from './rival';

const { values } = parseArgs({
  options: {
    'database-url': { type: 'string' },
    appends: { type: 'string', default: '5000' },
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
  },
});
const EVENTS = Number(values.appends);
const RUNS = Number(values.runs);
const SECONDS = Number(values.seconds);
const CONCURRENCY = 8;
const STREAMS = 64;
const LENGTHS = [10, 1_000, 10_000] as const;
/** Requests each second, in the case in which they come as they like. */
const RATE = 1_000;
/** Requests that wait at once, in the case that asks for as much as there is. */
const MANY = 64;

interface Server {
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
}

async function openServer(given: string | undefined): Promise<Server> {
  const dir = mkdtempSync(join(tmpdir(), 'imart-bench-'));
  // The embedded server runs as another user when we are root.
  chmodSync(dir, 0o755);
  const embedded =
    given === undefined ? await startEmbeddedPostgres({ dataDir: join(dir, 'postgres') }) : undefined;
  const url = given ?? (embedded?.url as string);
  const { rows } = await query(url, 'SHOW server_version');
  const version = (rows[0] as { server_version: string }).server_version;
  return {
    url,
    version: `${given === undefined ? 'embedded ' : ''}PostgreSQL ${version}`,
    async stop() {
      await embedded?.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function query(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}

let databases = 0;

/** Works on an empty database, and forgets it. */
async function onDatabase<T>(server: Server, work: (url: string) => Promise<T>): Promise<T> {
  const name = `imart_bench_${process.pid}_${databases++}`;
  await query(server.url, `CREATE DATABASE ${name}`);
  try {
    return await work(Object.assign(new URL(server.url), { pathname: `/${name}` }).href);
  } finally {
    await query(server.url, `DROP DATABASE ${name} WITH (FORCE)`);
  }
}

const median = (numbers: readonly number[]): number => quantile(numbers, 0.5);
const say = (what: string, value: string): void => console.log(`  ${what.padEnd(52)} ${value}`);
const ms = (value: number): string => `${value.toFixed(2)} ms`;

/** @returns events a second. */
async function appendOnes(store: Contestant, run: number): Promise<number> {
  const before = await store.count();
  const versions = Array.from({ length: STREAMS }, () => 0);
  let next = 0;
  const started = performance.now();
  // A stream has one writer, as a person has one hand; which one is next goes round.
  const work = async (worker: number): Promise<void> => {
    for (let n = next++; n < EVENTS; n = next++) {
      const stream = worker + CONCURRENCY * (n % (STREAMS / CONCURRENCY));
      const version = versions[stream] as number;
      versions[stream] = version + 1;
      await store.appendOne(`one-${run}-${stream}`, version);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, (_, worker) => work(worker)));
  await store.settled();
  const seconds = (performance.now() - started) / 1000;
  mustBe(`${store.name}: events in the log`, (await store.count()) - before, EVENTS);
  for (const [stream, events] of versions.entries()) {
    const found = await store.load(`one-${run}-${stream}`);
    mustBe(`${store.name}: events of a stream`, found.events, events);
    mustBe(`${store.name}: sum of a stream`, found.sum, sumOf(events));
  }
  return EVENTS / seconds;
}

async function measureStore(store: Contestant): Promise<void> {
  const ones: number[] = [];
  for (let run = 0; run < RUNS; run++) ones.push(await appendOnes(store, run));
  say('append one event, 8 at a time, until it is read', `${Math.round(median(ones))} events/s`);

  for (const length of LENGTHS) {
    const stream = `of-${length}`;
    await store.fill(stream, length);
    const times: number[] = [];
    for (let i = 0; i < 21; i++) {
      const started = performance.now();
      const { events, sum } = await store.load(stream);
      times.push(performance.now() - started);
      mustBe(`${store.name}: events of ${stream}`, events, length);
      mustBe(`${store.name}: sum of ${stream}`, sum, sumOf(length));
    }
    say(`load a stream of ${length} events`, ms(median(times)));
  }
}

async function measureBatches(store: Contestant): Promise<void> {
  const batches = Math.max(20, Math.ceil((EVENTS * 4) / BATCH_EVENTS));
  const before = await store.count();
  const seconds = await store.appendBatches(batches);
  mustBe(`${store.name}: events in the log`, (await store.count()) - before, batches * BATCH_EVENTS);
  mustBe(`${store.name}: a batch`, (await store.load('batch-0')).sum, sumOf(BATCH_EVENTS));
  say('append batches of 100', `${Math.round((batches * BATCH_EVENTS) / seconds)} events/s`);
}

async function measureSnapshot(store: Ours): Promise<void> {
  const stream = `of-${LENGTHS[2]}`;
  const after = 10;
  await store.snapshotAt(stream, LENGTHS[2] - after);
  const times: number[] = [];
  for (let i = 0; i < 101; i++) {
    const started = performance.now();
    const { events, sum, folded } = await store.latestState(stream);
    times.push(performance.now() - started);
    mustBe(
      'the state from a snapshot',
      `${events} ${sum} ${folded}`,
      `${LENGTHS[2]} ${sumOf(LENGTHS[2])} ${after}`,
    );
  }
  say(`latest state of ${LENGTHS[2]} events, snapshot ${after} before`, ms(median(times)));
}

/** Requests that come at their times, whether those before are answered or not: waiting counts. */
async function measureRequests(store: Ours): Promise<void> {
  const total = RATE * SECONDS;
  const before = await store.count();
  const latencies: number[] = [];
  const asked: Promise<void>[] = [];
  const started = performance.now();
  while (asked.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * RATE) + 1);
    while (asked.length < due) {
      const n = asked.length;
      const at = started + (n / RATE) * 1000;
      asked.push(
        store.appendOne(`request-${n % 500}`, n).then(() => void latencies.push(performance.now() - at)),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(asked);
  await store.settled();
  mustBe('requests in the log', (await store.count()) - before, total);
  say(
    `request an event, ${RATE}/s for ${SECONDS} s`,
    `p50 ${ms(quantile(latencies, 0.5))}, p99 ${ms(quantile(latencies, 0.99))}`,
  );

  const until = performance.now() + SECONDS * 1000;
  let accepted = 0;
  const from = await store.count();
  const work = async (worker: number): Promise<void> => {
    while (performance.now() < until) {
      await store.appendOne(`many-${worker}`, 0);
      accepted++;
    }
  };
  await Promise.all(Array.from({ length: MANY }, (_, worker) => work(worker)));
  await store.settled();
  mustBe('requests in the log', (await store.count()) - from, accepted);
  say(`request an event, ${MANY} at a time`, `${Math.round(accepted / SECONDS)}/s`);
}

async function main(): Promise<void> {
  const server = await openServer(values['database-url']);
  try {
    console.log(
      `events: ${server.version}; every result verified; median of ${RUNS} runs where there are several`,
    );
    const makers = [createOurs, createCeiling, createRival] as const;
    for (const make of makers) {
      await onDatabase(server, async (url) => {
        const store = await make(url);
        if (store === null) {
          console.log('emmett: it could not be fetched from the registry, and is left out');
          return;
        }
        try {
          console.log(store.name);
          await measureStore(store);
          if ('service' in store) {
            await measureSnapshot(store as Ours);
            await measureRequests(store as Ours);
          }
          await measureBatches(store);
        } finally {
          await store.close();
        }
      });
    }
  } finally {
    await server.stop();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
