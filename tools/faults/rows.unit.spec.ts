import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
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

  it('name tests that npm test runs, or that only test:faults does', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const kinds = [...(scripts['test'] ?? '').replace('jest --selectProjects ', '').split(' '), 'faults'];
    const elsewhere = FAULT_ROWS.flatMap(({ tests }) => tests).filter(
      ({ file }) => !kinds.some((kind) => file.endsWith(`.${kind}.spec.ts`)),
    );
    expect(kinds).toHaveLength(4);
    expect(elsewhere).toEqual([]);
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

  it('sees a test that is skipped, in its own name or in that of a block around it', () => {
    const root = mkdtempSync(join(tmpdir(), 'imart-faults-'));
    const check = (text: string): string[] => {
      const file = `${randomUUID()}.unit.spec.ts`;
      writeFileSync(join(root, file), text);
      return problemsOf(root, { id: 'P1', fault: 'x', tests: [{ file, title: 'holds (P1)' }] });
    };
    try {
      expect(check("describe('it', () => { it('holds (P1)', () => undefined); });")).toEqual([]);
      expect(check("(here ? it : it.skip)('holds (P1)', () => undefined);")).toEqual([]);
      for (const text of [
        "it.skip('holds (P1)', () => undefined);",
        "it.skip.each([1])('holds (P1)', () => undefined);",
        "it.todo('holds (P1)');",
        "describe.skip('it', () => { describe('too', () => { it('holds (P1)', () => undefined); }); });",
      ])
        expect([text, check(text)]).toEqual([text, ['P1: "holds (P1)" is skipped']]);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });

  it('knows the titles of tables of tests', () => {
    expect(isTitle('%s is told (P1)', 'a log (twice) is told (P1)')).toBe(true);
    expect(isTitle('takes %i "%s"', 'takes 3 "a"')).toBe(true);
    expect(isTitle('is told (P1)', 'is told (P1) again')).toBe(false);
  });
});
