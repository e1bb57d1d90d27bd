import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { problemsOf } from './rowCheck';
import { withRows } from './renderRows';
import { EXPECTED_IDS, FAULT_ROWS } from './rows';
import { isTitle } from './testTitles';

const ROOT = join(__dirname, '../..');

describe('the rows of known faults', () => {
  it('are all there, each once, in order', () => {
    expect(FAULT_ROWS.map(({ id }) => id)).toEqual(EXPECTED_IDS);
  });

  it('name tests that exist and cite them, or say why they do not apply', () => {
    expect(FAULT_ROWS.flatMap((row) => problemsOf(ROOT, row))).toEqual([]);
  });

  it('are the table of docs/guarantees.md (if not: npx tsx tools/faults/renderRows.ts)', () => {
    const document = readFileSync(join(ROOT, 'docs/guarantees.md'), 'utf8');
    expect(withRows(document)).toBe(document);
  });
});

describe('the check of a row', () => {
  const [row] = FAULT_ROWS;

  it('sees a row without test and reason, a test that is gone, and tests that cite another row only', () => {
    expect(problemsOf(ROOT, { id: 'P1', fault: 'x', tests: [] })).toHaveLength(1);
    expect(problemsOf(ROOT, { id: 'P1', fault: 'x', tests: [], reason: 'y' })).toEqual([]);
    const [test] = row!.tests;
    expect(problemsOf(ROOT, { ...row!, tests: [{ ...test!, title: 'of no such name' }] })).toHaveLength(1);
    expect(problemsOf(ROOT, { ...row!, id: 'Q22' })).toEqual([
      'Q22 is cited by none of its tests, in no name and no comment',
    ]);
  });

  it('knows the titles of tables of tests', () => {
    expect(isTitle('%s is told (P1)', 'a log (twice) is told (P1)')).toBe(true);
    expect(isTitle('takes %i "%s"', 'takes 3 "a"')).toBe(true);
    expect(isTitle('is told (P1)', 'is told (P1) again')).toBe(false);
  });
});
