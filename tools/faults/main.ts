// Proves every row of the known faults, and runs histories of crashes, reorgs and faults from seeds.
//   npm run test:faults -- --help
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@imart/core';
import { createInterruption, type Interruption } from './interruption';
import { OptionsError, readOptions, USAGE, type FaultOptions } from './options';
import { FAULT_ROWS } from './rows';
import { runFullHistories } from './runFullHistories';
import { runHistories } from './runHistories';
import { runRows, type JestReport, type RowOutcome } from './runRows';

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

function readReport(file: string): JestReport {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as JestReport;
  } catch (error) {
    throw new OptionsError(`--ran ${file} is no report of jest: ${messageOf(error)}`);
  }
}

/** @returns how many rows do not hold. */
async function proveRows({ only, ran }: FaultOptions, interruption: Interruption): Promise<number> {
  const unknown = only?.filter((id) => !FAULT_ROWS.some((row) => row.id === id)) ?? [];
  if (unknown.length > 0) throw new OptionsError(`there is no row ${unknown.join(', ')}`);
  const rows = FAULT_ROWS.filter(({ id }) => only?.includes(id) ?? true);
  const outcomes = await runRows(ROOT, rows, interruption, ran === null ? undefined : readReport(ran));
  if (interruption.happened) return 0;
  tellRows(outcomes);
  const failed = outcomes.filter(({ outcome }) => outcome === 'failed');
  tell(`${outcomes.length - failed.length} of ${outcomes.length} rows hold`);
  return failed.length;
}

/** @returns how many histories differ. */
async function runAllHistories(options: FaultOptions, interruption: Interruption): Promise<number> {
  const { histories, fullHistories, seed, hours } = options;
  if (histories + fullHistories === 0) return 0;
  const started = performance.now();
  const end = hours === null ? null : started + hours * HOUR_MS;
  const isOver = (): boolean => interruption.happened || (end !== null && performance.now() >= end);
  let [inMemory, whole, found, faults, forks, points, failures] = [0, 0, 0, 0, 0, 0, 0];
  tell(`histories from seed ${seed} on`);
  /** Hours of soaking take turns: many in memory, a few of the whole worker. */
  for (let round = 0; round === 0 || (end !== null && !isOver()); round++) {
    const from = seed + round * Math.max(histories, fullHistories);
    const small = await runHistories(from, histories, isOver, tell);
    inMemory += small.seeds;
    faults += small.faults;
    forks += small.forks;
    points += small.points;
    failures += small.failed.length;
    if (fullHistories === 0 || isOver()) continue;
    const full = await runFullHistories(from, fullHistories, isOver, interruption, tell);
    whole += full.seeds;
    found += full.found;
    failures += full.failed.length;
  }
  tell(
    `histories from seed ${seed} on: ${inMemory} in memory (${faults} faults, ${forks} forks, ${points} points passed), ` +
      `${whole} of the whole worker (${found} events found by the second pass); ${failures} differ; ${Math.round((performance.now() - started) / 1000)} s`,
  );
  return failures;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), () => Math.floor(Math.random() * SEED_LIMIT));
  if (options.help) {
    tell(USAGE);
    return 0;
  }
  const interruption = createInterruption(tell);
  const run = async (): Promise<number> => {
    const rows = options.rows ? await proveRows(options, interruption) : 0;
    const failures = interruption.happened ? 0 : rows + (await runAllHistories(options, interruption));
    // Whoever was interrupted says how it ended.
    return interruption.happened ? interruption.ended : failures === 0 ? 0 : 1;
  };
  const ended = run().catch((error: unknown) => {
    // Programs that were ended with it are missed by whatever still waited for them.
    if (interruption.happened) return interruption.ended;
    throw error;
  });
  return Promise.race([ended, interruption.ended]);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const wrongAsked = error instanceof OptionsError;
    console.error(`test:faults: ${messageOf(error)}${wrongAsked ? '; see --help' : ''}`);
    process.exit(wrongAsked ? 2 : 1);
  },
);
