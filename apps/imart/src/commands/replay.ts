import { seqNosOf } from '@imart/core';
import { marketEventCodec, marketReducers } from '@imart/market';
import { replay, type ReplayResult } from '@imart/storage';
import type { Command } from '../command';
import { VIEWS_FILE, withDatabase } from '../openDatabase';
import { readOptions } from '../readOptions';

const help = `imart replay [--accept-differences]

Rebuilds every state and activity from the event log into fresh tables, compares them row by row with the live ones, and
switches to them in one transaction. The worker may run meanwhile; reads are served all along. Interrupted at any moment, it
changes nothing.

  --accept-differences   switch although the rebuilt rows are not the live ones (after a change of the reducers)

Exit code 0: switched. 1: the tables differ and were kept, or something failed. 2: wrong usage.
DATABASE_URL, or DATA_DIR for the embedded database, says where.
`;

export const replayCommand: Command = {
  summary: 'rebuilds states and activities from the log, verifies them, switches',
  help,
  async run(args) {
    const { values } = readOptions(args, { 'accept-differences': { type: 'boolean' } });
    const accept = values['accept-differences'] === true;
    const started = performance.now();
    const result = await withDatabase((pool) =>
      replay({
        pool,
        viewsFile: VIEWS_FILE,
        codec: marketEventCodec,
        seqNosOf,
        observerOf: (subjectId) => ({ name: 'market', subjectId, reducers: marketReducers }),
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

function printDifferences({ differences }: ReplayResult): void {
  for (const { table, rows, samples } of differences) {
    process.stderr.write(`${table}: ${rows} rows differ\n`);
    for (const { live, replayed } of samples) {
      process.stderr.write(`  live     ${JSON.stringify(live)}\n  replayed ${JSON.stringify(replayed)}\n`);
    }
  }
}
