// Everything on one machine: embedded PostgreSQL, a development chain with traffic, the worker that follows it, an Aptos ledger
// and its worker when asked for, and the API. Ctrl-C stops all of it; starting again goes on where it stopped.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '@imart/storage';
import { startChild, type Child } from './childProcess';
import { readSettingNames, withoutSettings } from './environment';
import { freePort } from './freePort';
import { aptosLedger } from './aptosLedger';
import { createScreen } from './screen';
import { seedSales } from './seedSales';
import { showLiveLines, type WatchedWorker } from './showLiveLines';

/** dist/start/main.cjs is two levels below the repository. */
const ROOT = resolve(__dirname, '..', '..');
const STOP_GRACE_MS = 20_000;

const help = `npm start -- [--data-dir .data] [--port 3000] [--rate 2] [--aptos]

Starts an embedded PostgreSQL, a development chain (anvil) with market traffic, evm-worker, the services of purchases with two sales, and
the API. Ctrl-C stops it all; starting again goes on. To begin anew, delete the data directory.

  --data-dir DIR   where the database, the chain and the logs are kept; default .data
  --port PORT      of the API; the next free one when it is taken; default 3000
  --rate N         market actions a second; default 2
  --aptos          an Aptos ledger with a scripted market too, and aptos-worker, which follows it
`;

const screen = createScreen();
const { say, step } = screen;

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: {
      'data-dir': { type: 'string', default: '.data' },
      port: { type: 'string', default: '3000' },
      rate: { type: 'string', default: '2' },
      aptos: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  const rate = Number(values.rate);
  const preferredPort = Number(values.port);
  if (!(rate > 0 && rate <= 100))
    throw new Error(`--rate must be above 0 and at most 100, got '${values.rate}'`);
  if (!Number.isInteger(preferredPort) || preferredPort < 0 || preferredPort > 65_535) {
    throw new Error(`--port must be a port from 0 to 65535, got '${values.port}'`);
  }
  const dataDir = resolve(values['data-dir']);
  const logDir = join(dataDir, 'logs');
  mkdirSync(logDir, { recursive: true });

  const asked = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => asked.abort());
  const stops: (() => Promise<void>)[] = [];
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.reverse()) await stop();
  };

  say('\nIMart Event Worker\n');
  const { environment, leftOut } = withoutSettings(process.env, readSettingNames(join(ROOT, '.env.example')));
  if (leftOut.length > 0) say(`  settings of the environment are not used here: ${leftOut.join(', ')}\n`);
  try {
    const postgres = await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres') });
    stops.push(() => postgres.stop());
    step('PostgreSQL', `embedded, port ${postgres.port}, in ${join(values['data-dir'], 'postgres')}`);

    const [apiPort, workerPort] = [await freePort(preferredPort), await freePort(0)];
    const lifeline = ['--require', join(ROOT, 'tools', 'start', 'lifeline.cjs')];
    const children: Child[] = [];
    const start = (
      name: string,
      args: readonly string[],
      env: Readonly<Record<string, string>>,
      onLine: (line: string) => void = ignore,
    ): void => {
      const child = startChild({
        name,
        args,
        env: { ...environment, ...env },
        cwd: ROOT,
        logFile: join(logDir, `${name}.log`),
        onLine,
      });
      children.push(child);
      stops.push(() => child.stop(STOP_GRACE_MS));
    };

    /** Starts what tells in a line of JSON that it is ready. */
    const startServer = <Ready>(name: string, args: readonly string[], sign: string): Promise<Ready> =>
      new Promise((ready, failed) => {
        const last: string[] = [];
        start(name, [...lifeline, '--import', 'tsx', ...args], {}, (line) => {
          last.push(line);
          if (line.startsWith('{') && line.includes(sign)) ready(JSON.parse(line) as Ready);
        });
        void children
          .at(-1)
          ?.ended.then((how) =>
            failed(new Error(`${name} ended (${how}) before it was ready:\n${last.slice(-8).join('\n')}`)),
          );
      });

    const chain = await startServer<DevnetReady>(
      'devnet',
      ['tools/devnet/src/cli.ts', '--data-dir', join(dataDir, 'devnet'), '--rate', String(rate)],
      '"rpcUrl"',
    );
    step(
      'chain',
      `anvil, chain id ${chain.chainId}, ${chain.rpcUrl}; IMart's markets, galleries, lotteries and collections, ${rate} actions/s`,
    );

    const showProblems =
      (name: string) =>
      (line: string): void => {
        const entry = parseLine(line);
        if (entry?.level === 'error' || entry?.level === 'warn')
          say(`  ${name}: ${entry.level}: ${entry.message}`);
      };
    start(
      'evm-worker',
      ['--max-semi-space-size=32', '--min-semi-space-size=32', ...lifeline, 'dist/evm-worker/main.cjs'],
      {
        RPC_URLS: chain.rpcUrl,
        RPC_WS_URL: chain.wsUrl,
        CHAIN_ID: String(chain.chainId),
        START_BLOCK: String(chain.startBlock),
        MARKETS: [
          `imart:${chain.market}`,
          `mixverse:${chain.mixverse}`,
          `single-collective:${chain.factories.single}`,
          `multiple-collective:${chain.factories.multiple}`,
          `imart-curation:${chain.curation}`,
          `imart-commission-pool:${chain.commissionPool}`,
          `imart-lottery:${chain.lottery}`,
        ].join(','),
        COLLECTIONS: chain.collections.join(','),
        DATABASE_URL: postgres.url,
        WORKER_PORT: String(workerPort),
        POLL_INTERVAL_MS: '500',
        LOG_DIR: logDir,
      },
      showProblems('evm-worker'),
    );
    step('evm-worker', `follows it from block ${chain.startBlock}; http://127.0.0.1:${workerPort}/metrics`);
    const watched: WatchedWorker[] = [
      {
        label: 'evm',
        positions: ['block', 'blocks'],
        metricsUrl: `http://127.0.0.1:${workerPort}/metrics`,
      },
    ];
    if (values.aptos) {
      const ledger = aptosLedger(dataDir, rate);
      const served = await startServer<LedgerReady>('aptos-ledger', ledger.args, '"url"');
      step(
        'ledger',
        `Aptos, chain id ${served.chainId}, ${served.url}; a scripted IMart market, ${rate} actions/s`,
      );
      const aptosPort = await freePort(0);
      start(
        'aptos-worker',
        ['--max-semi-space-size=32', '--min-semi-space-size=32', ...lifeline, 'dist/aptos-worker/main.cjs'],
        {
          APTOS_URLS: served.url,
          CHAIN_ID: String(served.chainId),
          START_VERSION: String(served.firstVersion),
          MARKETS: ledger.markets,
          DATABASE_URL: postgres.url,
          WORKER_PORT: String(aptosPort),
          POLL_INTERVAL_MS: '500',
          LOG_DIR: logDir,
        },
        showProblems('aptos-worker'),
      );
      step(
        'aptos-worker',
        `follows it from version ${served.firstVersion}; http://127.0.0.1:${aptosPort}/metrics`,
      );
      watched.push({
        label: 'aptos',
        positions: ['version', 'versions'],
        metricsUrl: `http://127.0.0.1:${aptosPort}/metrics`,
      });
    }
    start(
      'purchase-worker',
      [...lifeline, 'dist/purchase-worker/main.cjs'],
      { DATABASE_URL: postgres.url, LOG_DIR: logDir },
      showProblems('purchase-worker'),
    );
    start(
      'api',
      [...lifeline, 'dist/api/main.cjs'],
      {
        DATABASE_URL: postgres.url,
        API_PORT: String(apiPort),
        HOST: '127.0.0.1',
        LOG_DIR: logDir,
        PURCHASES: 'true',
        // The page buys from a browser, which has no key.
        PURCHASES_OPEN: 'true',
      },
      showProblems('api'),
    );
    const api = `http://127.0.0.1:${apiPort}`;
    await untilAnswers(`${api}/healthz`, asked.signal, children);
    await seedSales(postgres.url, asked.signal);
    step('purchases', `two sales to buy from; the services of purchases work`);
    step('api', `${api}${apiPort === preferredPort ? '' : ` (port ${preferredPort} is taken)`}`);
    say(`\n  ${api}/docs              every endpoint, to try out`);
    say(`  ${api}/v1/activities     what happens on the market, newest first`);
    say(`  ${api}/v1/orders         listings`);
    if (values.aptos) {
      say(`  ${api}/v1/activities?subject=aptos:4   the same of one chain`);
      say(`  ${api}/v1/orders?subject=eip155:${chain.chainId}`);
    }
    say(`  ${api}/v1/status         how far ${values.aptos ? 'the workers are' : 'the worker is'}`);
    say(`  ${api}/purchases         buy, and see each purchase go through its steps`);
    say(`\n  logs in ${join(values['data-dir'], 'logs')}; Ctrl-C stops everything, npm start goes on\n`);

    const failed = await Promise.race([
      showLiveLines(screen, watched, asked.signal),
      ...children.map(async (child) => ({ child, how: await child.ended })),
    ]);
    if (failed === undefined) say('stopping ...');
    else if (!asked.signal.aborted) {
      say(
        `${failed.child.name} ended with ${failed.how}; its log is ${join(values['data-dir'], 'logs', `${failed.child.name}.log`)}`,
      );
    }
    await stopAll();
    say('stopped');
    return failed === undefined || asked.signal.aborted ? 0 : 1;
  } catch (error) {
    await stopAll().catch(() => undefined);
    if (asked.signal.aborted) return 0;
    throw error;
  }
}

interface LedgerReady {
  readonly url: string;
  readonly chainId: number;
  readonly firstVersion: number;
}

interface DevnetReady {
  readonly rpcUrl: string;
  readonly wsUrl: string;
  readonly chainId: number;
  readonly market: string;
  readonly mixverse: string;
  readonly curation: string;
  readonly commissionPool: string;
  readonly lottery: string;
  readonly collections: readonly string[];
  readonly factories: { readonly single: string; readonly multiple: string };
  readonly startBlock: number;
}

const ignore = (): void => undefined;

function parseLine(line: string): { level?: string; message?: string } | null {
  try {
    return JSON.parse(line) as { level?: string; message?: string };
  } catch {
    return null;
  }
}

async function untilAnswers(url: string, signal: AbortSignal, children: readonly Child[]): Promise<void> {
  const gone = Promise.race(children.map(async (child) => `${child.name} ended with ${await child.ended}`));
  for (;;) {
    signal.throwIfAborted();
    const answered = fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
      (response) => response.ok,
      () => false,
    );
    const outcome = await Promise.race([answered, gone]);
    if (outcome === true) return;
    if (typeof outcome === 'string') throw new Error(`${outcome} while starting; see its log`);
    await new Promise((next) => setTimeout(next, 100));
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    say(`npm start: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  },
);
