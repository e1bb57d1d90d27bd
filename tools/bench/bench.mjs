// npm run bench -- [--case catch-up|replay|head|recovery|reorg|events|all] [--database-url URL] [--redis-url URL]
//   catch-up, replay: [--events 200000] [--runs 3] [--latency 0]
//   head:             [--sizes 1,30,300] [--blocks 60] [--interval 1000] [--poll-interval 100]
//   recovery:         [--scenario 1..4] [--kills 5]
//   reorg:            [--reorgs 5]
//   events:           [--appends 5000] [--runs 3] [--seconds 5]
//
// catch-up: the worker as a process reads the synthetic chain into an empty database, to the end of its start-up, its log, its
// states and its indexes (catchUp.mjs). replay: imart replay on that database. The others let the chain grow under a worker that
// has caught up (live/main.ts). events: commands and their events, beside plain pg and emmett (events/main.ts). Every result is verified row by row.
// The database is the embedded PostgreSQL with full durability, or the server of --database-url.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { buildApp } from '../build.mjs';
import { measureCatchUp } from './catchUp.mjs';
import { machine, ROOT } from './processes.mjs';

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: 'all' },
    events: { type: 'string', default: '200000' },
    runs: { type: 'string', default: '3' },
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
    appends: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '5' },
  },
});
/** Cases of a chain that grows, and the options that they take besides those of the servers. */
const LIVE = ['head', 'recovery', 'reorg'];
const LIVE_OPTIONS = [
  ...['database-url', 'redis-url'],
  ...['sizes', 'blocks', 'interval', 'poll-interval', 'scenario', 'kills', 'reorgs'],
];
const CATCH_UP = ['catch-up', 'replay'];
const CASES = [...CATCH_UP, ...LIVE, 'events'];
if (![...CASES, 'all'].includes(options.case)) {
  console.error(`bench: there is no case "${options.case}"; cases are ${CASES.join(', ')}, all`);
  process.exit(2);
}
const all = options.case === 'all';

if (all || CATCH_UP.includes(options.case)) await measureCatchUp(options);
const live = all ? LIVE : LIVE.filter((name) => name === options.case);
if (live.length > 0) {
  await buildApp('evm-worker');
  console.log(`${machine()}; ${new Date().toISOString().slice(0, 10)}`);
  const given = LIVE_OPTIONS.flatMap((name) =>
    options[name] === undefined ? [] : [`--${name}`, options[name]],
  );
  const { status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'tools/bench/live/main.ts', ...live.flatMap((name) => ['--case', name]), ...given],
    { cwd: ROOT, stdio: 'inherit' },
  );
  process.exitCode = status ?? 1;
}
if (all || options.case === 'events') {
  console.log(`${machine()}; ${new Date().toISOString().slice(0, 10)}`);
  const given = options['database-url'] === undefined ? [] : ['--database-url', options['database-url']];
  const args = ['--events', options.appends, '--runs', options.runs, '--seconds', options.seconds, ...given];
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', 'tools/bench/events/main.ts', ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  process.exitCode ||= status ?? 1;
}
