import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import type { FakeLedger } from '../../libs/chain-aptos/src/testing/fakeLedger';
import type { FakeFullnode } from '../../libs/chain-aptos/src/testing/fakeFullnode';
import type { FakeStream } from '../../libs/chain-aptos/src/testing/fakeStream';
import { parseFault } from '../replay-fullnode/src/commandLine';
import { SCRIPTED_HANDLES } from '../replay-fullnode/src/scriptedHandles';
import { SCRIPTED_ADDRESS } from '../replay-fullnode/src/scriptedMarket';
import { FULLNODE_FAULTS, startReplayFullnode } from '../replay-fullnode/src/startReplayFullnode';
import { startReplayStream, STREAM_FAULTS } from '../replay-stream/src/startReplayStream';
import { bundleApp, type Bundle } from './bundles';
import { createPrograms, type Program } from './programs';
import { PATIENCE_MS } from './until';

/** How a ledger is read: by a fullnode's REST API, whole or by the market's event handles, or by a Transaction Stream. */
export type ServedBy = 'rest' | 'handles' | 'grpc';

/** What is followed of the scripted market. */
export const SCRIPTED_MARKETS = `imart:${SCRIPTED_ADDRESS}`;
/** What is followed of a script of everything, in the order in which a worker tells it. */
export const EVERY_SCRIPTED_MARKET = ['imart-creation', 'imart-curation', 'imart']
  .map((name) => `${name}:${SCRIPTED_ADDRESS}`)
  .join(',');

export interface ServeOptions {
  /** As the tools' command lines have them: `short=7@0-999`. */
  readonly faults?: readonly string[];
  /** The last version that is there yet, whenever somebody asks. @defaultValue the ledger's last one */
  readonly head?: () => bigint;
  /** Transactions of a stream's message at most. @defaultValue as many as are asked for */
  readonly batchMax?: number;
}

/** aptos-worker as it is shipped, as processes, with servers of ledgers and a database server for the specs of one file. */
export interface AptosWorkers {
  createDatabase(): Promise<string>;
  fullnode(ledger: FakeLedger, options?: ServeOptions): Promise<FakeFullnode>;
  stream(ledger: FakeLedger, options?: ServeOptions): Promise<FakeStream>;
  /** The settings of a worker that reads from it. */
  settingsOf(by: ServedBy, ...servers: readonly { readonly url: string }[]): Readonly<Record<string, string>>;
  start(env: Readonly<Record<string, string | number>>, ...args: readonly string[]): Program;
  /** Another program, in the same way. */
  run(program: Bundle, env: Readonly<Record<string, string | number>>, ...args: readonly string[]): Program;
  /** Waits for its end, which must be in order. @returns what it has said. */
  toEnd(program: Program): Promise<string>;
  close(): Promise<void>;
}

export async function createAptosWorkers(): Promise<AptosWorkers> {
  const programs = createPrograms();
  const directory = mkdtempSync(join(tmpdir(), 'imart-test-aptos-'));
  const closers: (() => unknown)[] = [];
  let server: TestServer | null = null;
  let bundle: Bundle | null = null;
  const close = async (): Promise<void> => {
    await programs.close();
    for (const closeOne of closers) await closeOne();
    await server?.stop();
    bundle?.remove();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    bundle = bundleApp('aptos-worker');
    server = await startTestServer();
  } catch (error) {
    await close();
    throw error;
  }
  const worker = bundle;
  const database = server;
  const run: AptosWorkers['run'] = (program, env, ...args) =>
    programs.start({
      name: program === worker ? 'aptos-worker' : 'the program',
      args: [program.main, ...args],
      env: { LOG_DIR: join(directory, 'logs'), POLL_INTERVAL_MS: 50, ...env },
      cwd: directory,
      patienceMs: PATIENCE_MS,
    });
  const served = (ledger: FakeLedger, { faults = [], head }: ServeOptions, kinds: object) => ({
    ledger,
    port: 0,
    faults: faults.map((fault) => parseFault(fault, Object.keys(kinds))),
    head: head ?? (() => ledger.head),
  });

  return {
    createDatabase: async () => (await database.createDatabase()).url,
    async fullnode(ledger, options = {}) {
      const node = await startReplayFullnode(served(ledger, options, FULLNODE_FAULTS));
      closers.push(() => node.close());
      return node;
    },
    async stream(ledger, options = {}) {
      const { batchMax } = options;
      const stream = await startReplayStream(
        served(ledger, options, STREAM_FAULTS),
        batchMax === undefined ? {} : { batchMax },
      );
      closers.push(() => stream.close());
      return stream;
    },
    settingsOf: (by, ...servers) => ({
      APTOS_SOURCE: by,
      APTOS_URLS: servers.map(({ url }) => url).join(','),
      MARKETS: SCRIPTED_MARKETS,
      ...(by === 'handles' ? { APTOS_HANDLES: Object.keys(SCRIPTED_HANDLES).join(',') } : {}),
    }),
    start: (env, ...args) => run(worker, env, ...args),
    run,
    async toEnd(program) {
      const { code, signal } = await program.ended;
      if (code !== 0) throw new Error(`it ended with ${code ?? signal}:\n${program.said()}`);
      return program.said();
    },
    close,
  };
}
