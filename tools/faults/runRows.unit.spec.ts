import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultRow } from './faultRow';
import { outcomesOf, runRows } from './runRows';

const ROOT = realpathSync(join(__dirname, '../..'));
const FILE = 'libs/x.unit.spec.ts';
const row: FaultRow = {
  id: 'P1',
  fault: 'x',
  tests: [
    { file: FILE, title: 'holds %s (P1)' },
    { file: FILE, title: 'holds too' },
  ],
};

const report = (tests: Readonly<Record<string, string>>, file = FILE) => ({
  testResults: [
    {
      name: join(ROOT, file),
      assertionResults: Object.entries(tests).map(([title, status]) => ({ title, status })),
    },
  ],
});

describe('a row', () => {
  const outcome = (...args: Parameters<typeof report>) => outcomesOf(ROOT, [row], report(...args))[0];

  it('holds when each of its tests has passed, with all values of its table', () => {
    expect(
      outcome({ 'holds 1 (P1)': 'passed', 'holds 2 (P1)': 'passed', 'holds too': 'passed' }),
    ).toMatchObject({
      outcome: 'passed',
    });
  });

  it.each([
    [
      'failed with one value',
      { 'holds 1 (P1)': 'passed', 'holds 2 (P1)': 'failed', 'holds too': 'passed' },
      'failed',
    ],
    ['was skipped', { 'holds 1 (P1)': 'pending', 'holds too': 'passed' }, 'skipped'],
    ['was not run', { 'holds too': 'passed' }, 'not-run'],
  ] as const)('does not hold when a test %s', (_what, tests, expected) => {
    expect(outcome(tests)).toMatchObject({
      outcome: 'failed',
      tests: [{ outcome: expected }, { outcome: 'passed' }],
    });
  });

  it('does not hold by a test of the same name in another file', () => {
    expect(outcome({ 'holds 1 (P1)': 'passed', 'holds too': 'passed' }, 'libs/y.unit.spec.ts')).toMatchObject(
      {
        outcome: 'failed',
      },
    );
  });

  it('is not run again when a report has its files', async () => {
    const interruption = {
      happened: false,
      onInterruption: () => () => undefined,
      ended: new Promise<number>(() => undefined),
    };
    const ran = report({ 'holds 1 (P1)': 'passed', 'holds too': 'failed' });
    expect(await runRows(ROOT, [row], interruption, ran)).toEqual(outcomesOf(ROOT, [row], ran));
  });
});
