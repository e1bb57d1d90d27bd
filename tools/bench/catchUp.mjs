// Cases catch-up and replay: see bench.mjs.
import { mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { buildApp, buildTool } from '../build.mjs';
import { COLLECTION, MARKETPLACE } from './chain.mjs';
import { cpuSeconds, machine, machineSeconds, median, ROOT, runToEnd, startUntil } from './processes.mjs';
import { verify } from './verify.mjs';

/** Measures catching up, and replay after it unless only catching up is wanted. @param options those of bench.mjs. */
export async function measureCatchUp(options) {
  await Promise.all([
    buildApp('evm-worker'),
    buildApp('imart'),
    buildTool('bench/embeddedServer', 'tools/bench/embeddedServer.ts'),
  ]);
  const events = Number(options.events);
  const stops = [];
  process.on('exit', () => stops.forEach((stop) => stop()));
  const rpc = await startUntil(
    join(ROOT, 'tools/bench/rpcServer.mjs'),
    ['--events', options.events, '--port', '0', '--latency', options.latency],
    /ready port=(\d+)/,
  );
  stops.push(rpc.kill);
  const rpcUrl = `http://127.0.0.1:${rpc.match[1]}`;
  const expected = await (await fetch(`${rpcUrl}/expected`)).json();

  let server;
  let adminUrl = options['database-url'];
  const dataDir = mkdtempSync(join(tmpdir(), 'imart-bench-'));
  chmodSync(dataDir, 0o755);
  if (adminUrl === undefined) {
    server = await startUntil(join(ROOT, 'dist/bench/embeddedServer/main.cjs'), [dataDir], /ready (\S+)/);
    stops.push(server.kill);
    adminUrl = server.match[1];
  }
  const query = async (url, text) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return await client.query(text);
    } finally {
      await client.end();
    }
  };
  const version = (await query(adminUrl, 'show server_version')).rows[0].server_version;
  console.log(
    `${machine()}; PostgreSQL ${version}; ${events} events, RPC latency ${options.latency} ms; ${new Date().toISOString().slice(0, 10)}`,
  );

  const results = { 'catch-up': [], replay: [] };
  async function measure(name, work) {
    const machineBefore = machineSeconds();
    const rpcBefore = cpuSeconds(rpc.pid);
    const result = await work();
    const rate = events / result.seconds;
    const others = machineSeconds() - machineBefore - result.cpu;
    results[name].push({ rate, ...result });
    console.log(
      `${name.padEnd(9)} ${Math.round(rate).toString().padStart(7)} events/s  wall ${result.seconds.toFixed(2)} s  ` +
        `cpu ${result.cpu.toFixed(2)} s  peak RSS ${Math.round(result.rssMb)} MB  RPC server ${(cpuSeconds(rpc.pid) - rpcBefore).toFixed(2)} s  ` +
        `all other processes ${others.toFixed(2)} s`,
    );
  }

  async function check(url, what) {
    await query(url, readFileSync(join(ROOT, 'tools/bench/views.sql'), 'utf8'));
    const problems = await verify((text) => query(url, text), expected);
    if (problems.length > 0) throw new Error(`${what}: not the expected state: ${problems.join('; ')}`);
    console.log(`${''.padEnd(9)} verified: every row of orders, offers, tokens and activities as expected`);
  }

  try {
    for (let run = 0; run < Number(options.runs); run++) {
      const name = `imart_bench_${process.pid}_${run}`;
      await query(adminUrl, `create database ${name}`);
      const url = Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
      try {
        await measure('catch-up', () =>
          runToEnd(join(ROOT, 'dist/evm-worker/main.cjs'), {
            DATABASE_URL: url,
            RPC_URLS: rpcUrl,
            MARKETS: `imart:${MARKETPLACE}`,
            COLLECTIONS: COLLECTION,
            END_BLOCK: String(expected.lastEventBlock),
            LOG_LEVEL: 'info',
            LOG_DIR: join(dataDir, 'logs'),
          }),
        );
        await check(url, 'catch-up');
        if (options.case !== 'catch-up') {
          // The views of the check would hold on to the tables that replay is to replace.
          await query(url, 'drop schema bench cascade');
          await measure('replay', () =>
            // As `npm run imart` starts it: without flags.
            runToEnd(join(ROOT, 'dist/imart/main.cjs'), { DATABASE_URL: url }, ['replay'], []),
          );
          await check(url, 'replay');
        }
      } finally {
        if (!options.keep) await query(adminUrl, `drop database ${name} with (force)`);
      }
    }
    for (const [name, runs] of Object.entries(results)) {
      if (runs.length === 0) continue;
      console.log(
        `median of ${runs.length}  ${name}: ${Math.round(median(runs.map((r) => r.rate)))} events/s, ` +
          `${median(runs.map((r) => r.seconds)).toFixed(2)} s, peak RSS ${Math.round(Math.max(...runs.map((r) => r.rssMb)))} MB`,
      );
    }
  } finally {
    await rpc.stop();
    await server?.stop();
    if (!options.keep) rmSync(dataDir, { recursive: true, force: true });
  }
}
