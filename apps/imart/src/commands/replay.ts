import { availableParallelism } from 'node:os';
import { replay, type ReplayResult } from '@imart/storage';
import type { Command } from '../command';
import { FOLD_MEANS } from '../foldMeans';
import { foldThreads } from '../foldThreads';
import { VIEWS_FILE, withDatabase } from '../openDatabase';
import { readOptions } from '../readOptions';
import { UsageError } from '../usageError';

/** Threads without an option: the server needs as much of the machine as they do. */
const THREADS_DEFAULT_MAX = 4;
const THREADS_MAX = 32;
/** The log of about 50,000 events, which one thread folds in a second. */
const LARGE_LOG_BYTES = 32 * 1024 * 1024;

const help = `imart replay [--accept-differences] [--threads N]

Rebuilds every state and activity from the event log into fresh tables, compares them with the live ones by a hash over every row, and
switches to them in one transaction. The worker may run meanwhile; reads are served all along. Interrupted at any moment, it
changes nothing.

  --accept-differences   switch although the rebuilt rows are not the live ones (after a change of the reducers)
  --threads N            fold in so many threads, each with three connections; at most ${THREADS_MAX}; without it, a large log is folded
                         in one for each processor, ${THREADS_DEFAULT_MAX} at most

Exit code 0: switched. 1: the tables differ and were kept, or something failed. 2: wrong usage.
DATABASE_URL, or DATA_DIR for the embedded database, says where.
`;

export const replayCommand: Command = {
  summary: 'rebuilds states and activities from the log, verifies them, switches',
  help,
  async run(args) {
    const { values } = readOptions(args, {
      'accept-differences': { type: 'boolean' },
      threads: { type: 'string' },
    });
    const threads = readThreads(values.threads);
    const fromLogBytes = values.threads === undefined ? LARGE_LOG_BYTES : 0;
    const accept = values['accept-differences'] === true;
    const started = performance.now();
    const result = await withDatabase((pool, connectionString) =>
      replay({
        ...FOLD_MEANS,
        pool,
        viewsFile: VIEWS_FILE,
        ...(threads === 1 ? {} : { elsewhere: foldThreads(threads - 1, fromLogBytes, connectionString) }),
        onDifference: accept ? 'switch' : 'refuse',
        onProgress: (step) => {
          if (process.stderr.isTTY) {
            process.stderr.write(
              `\r\u001b[2K${step.step}${step.step === 'folding' ? ` ${step.events} events` : ''}`,
            );
          }
        },
      }),
    );
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
    const seconds = (performance.now() - started) / 1000;
    printDifferences(result);
    const rate = Math.round(result.events / seconds);
    const what = `${result.events} events into ${result.rows} rows and ${result.activities} activities in ${seconds.toFixed(2)} s (${rate} events/s)`;
    if (!result.switched) {
      process.stderr.write(`imart replay: replayed ${what}; the live tables were kept because they differ\n`);
      return 1;
    }
    const parked =
      result.newlyParked === 0 ? '' : `; ${result.newlyParked} aggregates failed and are parked now`;
    process.stdout.write(`replayed ${what}; verified and switched${parked}\n`);
    return 0;
  },
};

function readThreads(text: string | undefined): number {
  if (text === undefined) return Math.min(THREADS_DEFAULT_MAX, availableParallelism());
  const threads = Number(text);
  if (!/^\d+$/.test(text) || threads < 1 || threads > THREADS_MAX)
    throw new UsageError(`--threads must be a whole number from 1 to ${THREADS_MAX}, not '${text}'`);
  return threads;
}

function printDifferences({ differences }: ReplayResult): void {
  for (const { table, rows, samples } of differences) {
    process.stderr.write(`${table}: ${rows} rows differ\n`);
    for (const { live, replayed } of samples) {
      process.stderr.write(`  live     ${JSON.stringify(live)}\n  replayed ${JSON.stringify(replayed)}\n`);
    }
  }
}
