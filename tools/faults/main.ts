// Proves every row of the known faults, and runs histories of crashes, reorgs and faults from seeds.
//   npm run test:faults -- --help
import { join } from 'node:path';
import { messageOf } from '@imart/core';
import { startTestServer } from '../../libs/storage/src/testing/testDatabase';
import { isRedisInstalled, startTestRedis } from '../../libs/stream/src/testing/redisServer';
import { createMarket } from '../e2e/market';
import { runFullHistory, type FullStack } from './fullHistory';
import { FULL_HISTORIES_DEFAULT, readOptions, USAGE, type FaultOptions } from './options';
import { FAULT_ROWS } from './rows';
import { runHistories } from './runHistories';
import { runRows, type RowOutcome } from './runRows';

const ROOT = join(__dirname, '../..');
const SEED_LIMIT = 2 ** 30;
const HOUR_MS = 3_600_000;

const tell = (line: string): void => void process.stdout.write(`${line}\n`);

/** Row, tests, result. */
function tellRows(outcomes: readonly RowOutcome[]): void {
  tell('\nrow   tests  result');
  for (const { row, tests, outcome } of outcomes) {
    const passed = tests.filter((test) => test.outcome === 'passed').length;
    const result = outcome === 'reason' ? `does not apply: ${row.reason}` : outcome;
    tell(`${row.id.padEnd(4)} ${`${passed}/${tests.length}`.padStart(6)}  ${result}  (${row.fault})`);
    for (const { ref, outcome: one } of tests)
      if (one !== 'passed') tell(`       ${one}: ${ref.file} "${ref.title}"`);
  }
}

async function runFullHistories(options: FaultOptions, isOver: () => boolean): Promise<readonly number[]> {
  const failed: number[] = [];
  const server = await startTestServer();
  const redis = isRedisInstalled() ? await startTestRedis() : null;
  const programs = createMarket();
  const stack: FullStack = { programs, server, redis };
  try {
    for (let i = 0; i < options.fullHistories && !isOver(); i++) {
      const seed = options.seed + i;
      const { differences, steps, blocks, seconds } = await runFullHistory(stack, seed);
      tell(`whole worker, seed ${seed}: ${blocks} blocks, ${seconds.toFixed(1)} s: ${steps.join('; ')}`);
      if (differences.length === 0) continue;
      failed.push(seed);
      tell(`seed ${seed} is not as the chain's model: npm run test:faults -- --full --seed ${seed}`);
      for (const difference of differences) tell(`  ${difference}`);
    }
  } finally {
    await programs.close();
    await redis?.stop();
    await server.stop();
  }
  return failed;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), () => Math.floor(Math.random() * SEED_LIMIT));
  if (options.help) {
    tell(USAGE);
    return 0;
  }
  const started = performance.now();
  const end = options.hours === null ? null : started + options.hours * HOUR_MS;
  const isOver = (): boolean => end !== null && performance.now() >= end;
  let failures = 0;

  if (options.rows) {
    const unknown = options.only?.filter((id) => !FAULT_ROWS.some((row) => row.id === id)) ?? [];
    if (unknown.length > 0) throw new RangeError(`there is no row ${unknown.join(', ')}`);
    const rows = FAULT_ROWS.filter(({ id }) => options.only?.includes(id) ?? true);
    const outcomes = await runRows(ROOT, rows);
    tellRows(outcomes);
    const failed = outcomes.filter(({ outcome }) => outcome === 'failed');
    failures += failed.length;
    tell(`${outcomes.length - failed.length} of ${outcomes.length} rows hold`);
  }

  let [histories, faults, forks, points] = [0, 0, 0, 0];
  /** Hours of soaking take turns: many in memory, a few of the whole worker. */
  for (let round = 0; round === 0 || (end !== null && !isOver()); round++) {
    const from = options.seed + round * Math.max(options.histories, options.fullHistories, 1);
    const inMemory = await runHistories(from, options.histories, isOver, tell);
    histories += inMemory.seeds;
    faults += inMemory.faults;
    forks += inMemory.forks;
    points += inMemory.points;
    failures += inMemory.failed.length;
    if (options.fullHistories > 0 && !isOver()) {
      const failed = await runFullHistories({ ...options, seed: from }, isOver);
      histories += Math.min(options.fullHistories, FULL_HISTORIES_DEFAULT);
      failures += failed.length;
    }
  }
  tell(
    `histories: ${histories} from seed ${options.seed} on, ${faults} faults, ${forks} forks, ${points} points passed; ` +
      `${failures} failures in ${Math.round((performance.now() - started) / 1000)} s`,
  );
  return failures === 0 ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(`test:faults: ${messageOf(error)}`);
    process.exit(1);
  },
);
