// npm run bench -- [--case catch-up|replay|head|recovery|reorg|aptos|events|purchase|all] [--database-url URL] [--redis-url URL]
//   catch-up, replay: [--events 200000] [--runs 3] [--latency 0]
//   head:             [--sizes 1,30,300] [--blocks 60] [--interval 1000] [--poll-interval 100]
//   recovery:         [--scenario 1..4] [--kills 5]
//   reorg:            [--reorgs 5]
//   aptos:            [--events 200000] [--transactions 1000000] [--source rest|grpc] [--runs 1] [--cpu-prof DIR]
//   events:           [--appends 5000] [--runs 3] [--seconds 5]
//   purchase:         [--rate 200] [--seconds 20] [--clients 64] [--most 10000]
//
// catch-up: the worker as a process reads the synthetic chain into an empty database, to the end of its start-up, its log, its
// states and its indexes (catchUp.mjs). replay: imart replay on that database. The others let the chain grow under a worker that
// has caught up (live/main.ts). aptos: aptos-worker as a process reads a synthetic ledger over REST and over gRPC (aptos/main.ts). events:
// commands and their events, beside plain pg and emmett (events/main.ts). purchase: from the request to the API to
// the end (purchase/main.ts). Every result is verified row by row.
// The database is the embedded PostgreSQL with full durability, or the server of --database-url.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { buildApp, buildTool } from '../build.mjs';
import { measureCatchUp } from './catchUp.mjs';
import { machine, ROOT } from './processes.mjs';

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: 'all' },
    events: { type: 'string', default: '200000' },
    runs: { type: 'string' },
    latency: { type: 'string', default: '0' },
    'database-url': { type: 'string' },
    'redis-url': { type: 'string' },
    keep: { type: 'boolean', default: false },
    sizes: { type: 'string' },
    blocks: { type: 'string' },
    interval: { type: 'string' },
    'poll-interval': { type: 'string' },
    scenario: { type: 'string' },
    kills: { type: 'string' },
    reorgs: { type: 'string' },
    transactions: { type: 'string' },
    source: { type: 'string' },
    'cpu-prof': { type: 'string' },
    appends: { type: 'string' },
    seconds: { type: 'string' },
    rate: { type: 'string' },
    clients: { type: 'string' },
    most: { type: 'string' },
  },
});
/** Cases of a chain that grows, and the options that they take besides those of the servers. */
const LIVE = ['head', 'recovery', 'reorg'];
const LIVE_OPTIONS = [
  ...['database-url', 'redis-url'],
  ...['sizes', 'blocks', 'interval', 'poll-interval', 'scenario', 'kills', 'reorgs'],
];
const APTOS_OPTIONS = ['database-url', 'events', 'transactions', 'source', 'runs', 'cpu-prof'];
const EVENTS_OPTIONS = ['database-url', 'runs', 'appends', 'seconds'];
const PURCHASE_OPTIONS = ['database-url', 'redis-url', 'rate', 'seconds', 'clients', 'most'];
const CATCH_UP = ['catch-up', 'replay'];
const CASES = [...CATCH_UP, ...LIVE, 'aptos', 'events', 'purchase'];
if (![...CASES, 'all'].includes(options.case)) {
  console.error(`bench: there is no case "${options.case}"; cases are ${CASES.join(', ')}, all`);
  process.exit(2);
}
const all = options.case === 'all';

/** Runs a program of the benchmark with those of these options that were given. */
function run(program, names, args = []) {
  const given = names.flatMap((name) => (options[name] === undefined ? [] : [`--${name}`, options[name]]));
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', program, ...args, ...given], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = status ?? 1;
}
const today = () => `${machine()}; ${new Date().toISOString().slice(0, 10)}`;

if (all || CATCH_UP.includes(options.case)) {
  await measureCatchUp({ ...options, runs: options.runs ?? '3' });
}
const live = all ? LIVE : LIVE.filter((name) => name === options.case);
if (live.length > 0) {
  await buildApp('evm-worker');
  console.log(today());
  run(
    'tools/bench/live/main.ts',
    LIVE_OPTIONS,
    live.flatMap((name) => ['--case', name]),
  );
}
if (all || options.case === 'aptos') {
  await Promise.all([
    buildApp('aptos-worker'),
    buildTool('bench/embeddedServer', 'tools/bench/embeddedServer.ts'),
    buildTool('bench/aptosLedgerServer', 'tools/bench/aptos/ledgerServer.ts'),
    buildTool('bench/aptosFloor', 'tools/bench/aptos/floor.ts'),
  ]);
  console.log(today());
  run('tools/bench/aptos/main.ts', APTOS_OPTIONS);
}
if (all || options.case === 'events') {
  console.log(today());
  run('tools/bench/events/main.ts', EVENTS_OPTIONS);
}
if (all || options.case === 'purchase') {
  await Promise.all([buildApp('purchase-worker'), buildApp('api')]);
  console.log(today());
  run('tools/bench/purchase/main.ts', PURCHASE_OPTIONS);
}
