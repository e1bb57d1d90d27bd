// Benchmark of Aptos: node --import tsx tools/bench/aptos/main.ts [--events N] [--transactions N] [--source rest|grpc] [--runs N]
// See bench.mjs, which builds what it runs and starts this.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { cpuSeconds, median, ROOT, runToEnd, startUntil, WORKER_FLAGS } from '../processes.mjs';
import { createHistory, type History, type Row } from './history';
import { PACKAGE } from './transactions';
import { verifyRows } from './verifyRows';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    events: { ...text, default: '200000' },
    transactions: { ...text, default: '1000000' },
    runs: { ...text, default: '1' },
    source: { ...text, multiple: true, default: ['rest', 'grpc'] },
    'database-url': text,
    'cpu-prof': text,
  },
});

const profile = values['cpu-prof'];
const workerFlags =
  profile === undefined ? WORKER_FLAGS : [...WORKER_FLAGS, '--cpu-prof', `--cpu-prof-dir=${profile}`];

type Source = 'rest' | 'grpc';
interface Served {
  readonly url: string;
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
}
interface Floor {
  readonly transactions: number;
  readonly events: number;
  readonly seconds: number;
  readonly rssMb: number;
}

const perSecond = (count: number, seconds: number): string =>
  Math.round(count / seconds)
    .toString()
    .padStart(7);

async function query(url: string, statement: string): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<(string | null)[]>({ text: statement, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}

async function verify(url: string, { rows }: History): Promise<void> {
  const problems = await verifyRows((statement) => query(url, statement), rows);
  if (problems.length > 0) throw new Error(`not the expected state:\n${problems.join('\n')}`);
}

async function main(): Promise<void> {
  const [events, transactions] = [Number(values.events), Number(values.transactions)];
  const sources = values.source.map((name): Source => {
    if (name !== 'rest' && name !== 'grpc') throw new Error(`--source must be rest or grpc, got '${name}'`);
    return name;
  });
  const history = createHistory(events, transactions);
  const directory = mkdtempSync(join(tmpdir(), 'imart-bench-'));
  // The embedded server runs as another user when we are root.
  chmodSync(directory, 0o755);
  const closing: (() => Promise<unknown>)[] = [
    async () => rmSync(directory, { recursive: true, force: true }),
  ];
  try {
    let databaseUrl = values['database-url'];
    if (databaseUrl === undefined) {
      const database = await startUntil(
        join(ROOT, 'dist/bench/embeddedServer/main.cjs'),
        [directory],
        /ready (\S+)/,
      );
      closing.push(() => database.stop());
      databaseUrl = database.match[1] as string;
    }
    const admin = databaseUrl;
    console.log(
      `${history.events} events of the market in ${history.marketTransactions} of ${transactions} transactions; ` +
        `PostgreSQL ${(await query(admin, 'SHOW server_version'))[0]?.[0]}`,
    );
    for (const source of sources) {
      const server = await startUntil(
        join(ROOT, 'dist/bench/aptosLedgerServer/main.cjs'),
        ['--source', source, '--events', values.events, '--transactions', values.transactions],
        /(\{.*\})\n/,
      );
      closing.push(() => server.stop());
      const served = JSON.parse(server.match[1] as string) as Served;
      console.log(`${source.padEnd(4)} ${Math.round(served.bytes / transactions)} bytes a transaction`);
      const serverWork = async <T>(work: () => Promise<T>): Promise<T & { readonly server: string }> => {
        const before = cpuSeconds(server.pid);
        const result = await work();
        return { ...result, server: `server ${(cpuSeconds(server.pid) - before).toFixed(2)} s` };
      };
      const floors: number[] = [];
      const rates: number[] = [];
      for (let run = 0; run < Number(values.runs); run++) {
        const floor = await serverWork(async () => {
          const range = ['--from', String(served.first), '--to', String(served.last)];
          const args = ['--source', source, '--url', served.url, ...range];
          const { output, cpu } = await runToEnd(join(ROOT, 'dist/bench/aptosFloor/main.cjs'), {}, args);
          return { ...(JSON.parse(output) as Floor), cpu };
        });
        if (floor.transactions !== transactions)
          throw new Error(`the floor read ${floor.transactions} transactions`);
        floors.push(transactions / floor.seconds);
        console.log(
          `${source.padEnd(4)} floor  ${perSecond(transactions, floor.seconds)} transactions/s  ` +
            `${floor.seconds.toFixed(2)} s  cpu ${floor.cpu.toFixed(2)} s  peak RSS ${Math.round(floor.rssMb)} MB  ${floor.server}`,
        );

        const name = `imart_bench_${process.pid}_${source}_${run}`;
        await query(admin, `CREATE DATABASE ${name}`);
        const url = Object.assign(new URL(admin), { pathname: `/${name}` }).href;
        try {
          const worker = await serverWork(() =>
            runToEnd(
              join(ROOT, 'dist/aptos-worker/main.cjs'),
              {
                DATABASE_URL: url,
                APTOS_SOURCE: source,
                APTOS_URLS: served.url,
                CHAIN_ID: '1',
                MARKETS: `wapal:${PACKAGE},tokens`,
                START_VERSION: String(served.first),
                END_VERSION: String(served.last),
                LOG_LEVEL: 'info',
                LOG_DIR: join(directory, 'logs'),
              },
              [],
              workerFlags,
            ),
          );
          rates.push(transactions / worker.seconds);
          console.log(
            `${source.padEnd(4)} worker ${perSecond(transactions, worker.seconds)} transactions/s  ` +
              `${perSecond(history.events, worker.seconds)} events/s  ${worker.seconds.toFixed(2)} s  cpu ${worker.cpu.toFixed(2)} s  ` +
              `peak RSS ${Math.round(worker.rssMb)} MB  ${worker.server}`,
          );
          await verify(url, history);
          console.log(
            `${''.padEnd(11)} verified: every row of orders, offers, tokens and activities as expected`,
          );
        } finally {
          await query(admin, `DROP DATABASE ${name} WITH (FORCE)`);
        }
      }
      await server.stop();
      if (rates.length > 1)
        console.log(
          `median of ${rates.length}  ${source}: ${Math.round(median(rates))} transactions/s, floor ${Math.round(median(floors))}`,
        );
    }
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
