import { enumerateFaults, enumeratePairs, type Enumeration } from './enumerate';
import type { FaultKind } from './faultPoints';
import { describeMet, type HistoryOptions } from './history';
import { plainHistoryOf } from './profiles';

/** Each of them has reorgs, refolding, catching up and following among its points. */
const HISTORIES: readonly [string, HistoryOptions][] = [
  ['one worker', plainHistoryOf(22, 'app', ['all'], 6)],
  ['a reader and two that execute', plainHistoryOf(21, 'engine', ['ingest', 'apply', 'apply'], 6)],
  [
    'one worker, a second pass and an operator',
    plainHistoryOf(12, 'app', ['all', 'second-pass', 'operator'], 5),
  ],
];
const KINDS: readonly FaultKind[] = ['crash', 'error', 'freeze'];

/** What to look at when it fails: each with the command that repeats it. */
function failuresOf({ failed }: Enumeration): unknown[] {
  return failed.map(({ options, result }) => ({
    faults: describeMet(result),
    repeat: JSON.stringify(options),
    differences: result.differences,
  }));
}

const tell = (text: string): void => void process.stdout.write(`${text}\n`);

describe('a history', () => {
  it.each(HISTORIES)(
    'ends with the tables of one clean pass after a crash, an error or a stand-still before and after every port call: %s (Q1, Q12, Q13)',
    async (name, options) => {
      const enumeration = await enumerateFaults(options, KINDS);
      const { points, histories } = enumeration;
      const calls = new Set(points.map(({ call }) => call));
      tell(
        `${name} (seed ${options.seed}): ${points.length} points of ${calls.size} calls, ${histories} histories`,
      );
      expect(failuresOf(enumeration)).toEqual([]);
      expect(histories).toBeGreaterThan(2 * points.length);
      // It is worth nothing without a rollback that folds again.
      expect([...calls]).toEqual(
        expect.arrayContaining(['transaction.cutLog', 'transaction.eraseAggregates', 'transaction.append']),
      );
    },
    600_000,
  );

  it('ends with the tables of one clean pass after pairs of crashes, the second in the recovery from the first (Q1, R3)', async () => {
    const options = plainHistoryOf(1, 'app', ['all', 'apply'], 5);
    const enumeration = await enumeratePairs(options, 2);
    tell(
      `pairs of crashes (seed ${options.seed}): ${enumeration.points.length} points, ${enumeration.histories} histories`,
    );
    expect(failuresOf(enumeration)).toEqual([]);
    expect(enumeration.histories).toBe(2 * enumeration.points.length);
  }, 600_000);
});
