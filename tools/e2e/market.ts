import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Devnet, Expected } from '../devnet/src';
import { query } from '../realdata/tables';
import { bundleApp, ROOT, type Bundle } from './bundles';
import { createPrograms, type Program } from './programs';
import { until } from './until';

/** A whole test takes less, on a busy machine too. */
const PROGRAM_PATIENCE_MS = 300_000;

/** Where a development chain is, and what of it is to be followed. */
export interface Chain {
  readonly rpcUrl: string;
  readonly wsUrl: string;
  readonly chainId: number;
  readonly startBlock: number;
  readonly market: string;
  readonly mixverse: string;
  readonly curation: string;
  readonly commissionPool: string;
  readonly lottery: string;
  readonly factories: { readonly single: string; readonly multiple: string };
  readonly collections: readonly string[];
}

/** The command of tools/devnet as a process. */
export interface ChainProcess extends Chain {
  readonly program: Program;
  /** When the traffic has ended: what the tables must hold then. The chain goes on. */
  readonly expected: Promise<Expected>;
}

export type Settings = Readonly<Record<string, string | number>>;

/** The programs of the project as processes; what a test starts, `close` ends. */
export interface Market {
  /** Also the working directory of all programs. */
  readonly directory: string;
  startChain(...args: string[]): Promise<ChainProcess>;
  startWorker(chain: Chain, databaseUrl: string, more?: Settings): Program;
  /** Runs the worker to the end of a finished chain. */
  runWorker(chain: Chain, databaseUrl: string, expected: Expected, more?: Settings): Promise<Program>;
  start(app: 'api' | 'imart', args: readonly string[], env: Settings): Program;
  close(): Promise<void>;
}

/** The same of a chain that this process holds. */
export function chainOf(devnet: Devnet): Chain {
  const { singleCollective, multipleCollective, erc721, erc1155, ...named } = devnet.contracts;
  const { rpcUrl, wsUrl, chainId, startBlock } = devnet;
  const factories = { single: singleCollective, multiple: multipleCollective };
  return { rpcUrl, wsUrl, chainId, startBlock, ...named, factories, collections: [erc721, erc1155] };
}

/** What a program needs to know to follow this chain. */
export function settingsFor(chain: Chain, databaseUrl: string): Settings {
  return {
    RPC_URLS: chain.rpcUrl,
    RPC_WS_URL: chain.wsUrl,
    CHAIN_ID: chain.chainId,
    START_BLOCK: chain.startBlock,
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
    DATABASE_URL: databaseUrl,
    POLL_INTERVAL_MS: 50,
  };
}

/** Builds the worker at once, other apps when they are started. */
export function createMarket(): Market {
  const directory = mkdtempSync(join(tmpdir(), 'imart-test-e2e-'));
  const programs = createPrograms();
  const bundles = new Map<string, Bundle>();
  const bundleOf = (app: 'evm-worker' | 'api' | 'imart'): string => {
    const bundle = bundles.get(app) ?? bundleApp(app);
    bundles.set(app, bundle);
    return bundle.main;
  };
  let chains = 0;
  const program = (name: string, args: readonly string[], env: Settings): Program =>
    programs.start({ name, args, env, cwd: directory, patienceMs: PROGRAM_PATIENCE_MS });
  const startWorker: Market['startWorker'] = (chain, databaseUrl, more = {}) =>
    program('evm-worker', ['--max-semi-space-size=32', '--min-semi-space-size=32', bundleOf('evm-worker')], {
      ...settingsFor(chain, databaseUrl),
      LOG_DIR: join(directory, 'logs'),
      ...more,
    });
  bundleOf('evm-worker');

  return {
    directory,
    startWorker,
    async startChain(...args) {
      const expectedFile = join(directory, `expected-${++chains}.json`);
      // The working directory is the repository's, for tsx.
      const devnet = programs.start({
        name: 'devnet',
        args: ['--import', 'tsx', join(ROOT, 'tools/devnet/src/cli.ts'), '--expected', expectedFile, ...args],
        cwd: ROOT,
        patienceMs: PROGRAM_PATIENCE_MS,
      });
      const ready = await devnet.line((text) => text.includes('"rpcUrl"'), 'the line of where it is');
      const expected = devnet
        .line((text) => text.includes('"done"'), 'the line of what it did')
        .then(() => JSON.parse(readFileSync(expectedFile, 'utf8')) as Expected);
      expected.catch(() => undefined);
      return { ...(JSON.parse(ready) as Chain), program: devnet, expected };
    },
    async runWorker(chain, databaseUrl, expected, more = {}) {
      const worker = startWorker(chain, databaseUrl, { END_BLOCK: expected.lastBlock, ...more });
      const { code, signal } = await worker.ended;
      if (code !== 0) throw new Error(`the worker ended with ${code ?? signal}:\n${worker.said()}`);
      return worker;
    },
    start: (app, args, env) => program(app, [bundleOf(app), ...args], env),
    async close() {
      await programs.close();
      for (const bundle of bundles.values()) bundle.remove();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The last block of which every event is executed, in all lanes; -1 when the database cannot tell. */
export async function executedBlock(url: string): Promise<number> {
  try {
    const [row] = await query(
      url,
      `SELECT CASE WHEN EXISTS (SELECT FROM event_log e, checkpoints c WHERE e.subject = s.id AND c.subject = s.id
           AND e.seq_no > c.seq_no)
         THEN (SELECT min(c.seq_no) >> 31 FROM checkpoints c WHERE c.subject = s.id) - 1 ELSE s.next_position - 1 END AS block
       FROM subjects s`,
    );
    return Number(row?.['block'] ?? -1);
  } catch {
    return -1;
  }
}

/** Waits until a worker has executed so far. @throws what it said when it ends before. */
export async function executedReaches(url: string, block: number, worker: Program): Promise<void> {
  let executed = -1;
  await until(`block ${block} is executed`, async () => {
    executed = await executedBlock(url);
    return executed >= block || !worker.isRunning();
  });
  if (executed < block) throw new Error(`the worker ended before block ${block}:\n${worker.said()}`);
}
