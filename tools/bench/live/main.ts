// Benchmarks of a chain that moves: node --import tsx tools/bench/live/main.ts --case head|recovery|reorg
// See bench.mjs, which builds the worker and starts this.
import { parseArgs } from 'node:util';
import type { Figures } from './figures';
import { measureHead } from './head';
import { measureRecovery, SCENARIOS } from './recovery';
import { measureReorg } from './reorg';

const { values } = parseArgs({
  options: {
    case: { type: 'string', multiple: true, default: ['head'] },
    'database-url': { type: 'string' },
    'redis-url': { type: 'string' },
    sizes: { type: 'string', default: '1,30,300' },
    blocks: { type: 'string', default: '60' },
    interval: { type: 'string', default: '1000' },
    'poll-interval': { type: 'string' },
    scenario: { type: 'string' },
    kills: { type: 'string', default: '5' },
    reorgs: { type: 'string', default: '5' },
  },
});

const servers = { databaseUrl: values['database-url'], redisUrl: values['redis-url'] };

const ms = (value: number): string => value.toFixed(1).padStart(6);
const shown = ({ p50, p99, least, most }: Figures): string =>
  `p50 ${ms(p50)}  p99 ${ms(p99)}  least ${ms(least)}  most ${ms(most)} ms `;

async function head(): Promise<void> {
  const polled = values['poll-interval'];
  for (const size of values.sizes.split(',').map(Number)) {
    const result = await measureHead({
      ...servers,
      eventsPerBlock: size,
      blocks: Number(values.blocks),
      intervalMs: Number(values.interval),
      hints: polled === undefined,
      pollIntervalMs: Number(polled ?? 1_000),
    });
    console.log(
      `head ${String(size).padStart(4)} events/block, ${polled === undefined ? 'newHeads' : `polling every ${polled} ms`}: ` +
        `${shown(result)} (${result.count} blocks, upper bounds by ${result.uncertaintyMs.toFixed(1)} ms; worker ${(result.workerCpu * 100).toFixed(0)} % of a core; ${result.place}; rows verified)`,
    );
  }
}

async function recovery(): Promise<void> {
  const chosen = SCENARIOS.filter(
    (_, i) => values.scenario === undefined || i + 1 === Number(values.scenario),
  );
  for (const scenario of chosen) {
    const result = await measureRecovery({ ...servers, scenario, kills: Number(values.kills) });
    console.log(
      `recovery, ${scenario.name}: ${shown(result)} (${result.count} kills; ${result.place}; rows verified)`,
    );
  }
}

async function reorg(): Promise<void> {
  const [depth, eventsPerBlock] = [10, 300];
  const result = await measureReorg({ ...servers, reorgs: Number(values.reorgs), depth, eventsPerBlock });
  console.log(
    `reorg of ${depth} blocks, ${depth * eventsPerBlock} events: ${shown(result.whole)}\n` +
      `  taking them back alone: ${shown(result.invalidate)} (${result.whole.count} reorgs; ${result.place}; rows verified)`,
  );
}

const cases: Readonly<Record<string, () => Promise<void>>> = { head, recovery, reorg };

async function main(): Promise<void> {
  for (const name of values.case) {
    const measure = cases[name];
    if (measure === undefined) throw new Error(`there is no case "${name}"`);
    await measure();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
