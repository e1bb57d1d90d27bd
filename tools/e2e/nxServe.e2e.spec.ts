import { join } from 'node:path';
import { createScriptedMarket } from '../replay-fullnode/src/scriptedMarket';
import { expectedMarket, storedMarket } from './aptosTables';
import { createAptosWorkers, EVERY_SCRIPTED_MARKET, type AptosWorkers, type ServedBy } from './aptosWorkers';
import { createPrograms } from './programs';
import { PATIENCE_MS } from './until';

/* The worker by the command that the documentation names, as a user runs it: nx builds it, then starts it with the flags of its target. */

const ROOT = join(__dirname, '../..');
const NX = require.resolve('nx/bin/nx.js', { paths: [ROOT] });

describe('npx nx run aptos-worker:serve', () => {
  const programs = createPrograms();
  const market = createScriptedMarket({ transactions: 300, seed: 20261122, everything: true });
  let workers: AptosWorkers;
  beforeAll(async () => {
    workers = await createAptosWorkers();
  });
  afterAll(async () => {
    await programs.close();
    await workers?.close();
  });

  it.each<[string, ServedBy]>([
    ['tools/replay-fullnode, by REST', 'rest'],
    ['tools/replay-stream, by gRPC', 'grpc'],
  ])('reads the scripted market of %s, and ends with it', async (_what, by) => {
    const url = await workers.createDatabase();
    const { ledger } = market;
    const server = await (by === 'rest' ? workers.fullnode(ledger) : workers.stream(ledger));
    const program = programs.start({
      name: 'nx run aptos-worker:serve',
      args: [NX, 'run', 'aptos-worker:serve'],
      env: {
        ...workers.settingsOf(by, server),
        MARKETS: EVERY_SCRIPTED_MARKET,
        DATABASE_URL: url,
        END_VERSION: String(ledger.head),
        HOME: process.env['HOME'] ?? '',
        // No process of nx stays behind, and it writes lines.
        NX_DAEMON: 'false',
        NX_TUI: 'false',
      },
      cwd: ROOT,
      patienceMs: PATIENCE_MS,
    });
    const { code } = await program.ended;
    expect([code, program.said()]).toEqual([0, expect.stringContaining('END_VERSION is executed')]);
    expect(await storedMarket(url, 'aptos:4')).toEqual(expectedMarket(market));
  });
});
