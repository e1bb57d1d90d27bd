import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultRow, TestRef } from './faultRow';
import { citedIds, testsOf, type TitledTest } from './testTitles';

const known = new Map<string, readonly TitledTest[]>();

/** The tests with this title, as their file has them. */
function found(root: string, { file, title, source }: TestRef): readonly TitledTest[] {
  const path = join(root, source ?? file);
  if (!existsSync(path) || !existsSync(join(root, file))) return [];
  const tests = known.get(path) ?? testsOf(path);
  known.set(path, tests);
  return tests.filter((test) => test.title === title);
}

/** What is wrong with a row; empty: it is proven, or says why it does not apply. */
export function problemsOf(root: string, row: FaultRow): string[] {
  const problems: string[] = [];
  if (row.tests.length === 0 && row.reason === undefined)
    problems.push(`${row.id} has neither a test nor a reason why it does not apply`);
  // A scenario is no row of the catalogue: its tests say what they show in words.
  let cited = row.id.startsWith('S');
  for (const ref of row.tests) {
    const tests = found(root, ref);
    if (tests.length === 0) problems.push(`${row.id}: ${ref.source ?? ref.file} has no test "${ref.title}"`);
    if (tests.some(({ skipped }) => skipped)) problems.push(`${row.id}: "${ref.title}" is skipped`);
    cited ||= tests.some(({ title, within, text }) =>
      citedIds([title, ...within, text].join(' ')).has(row.id),
    );
  }
  if (row.tests.length > 0 && problems.length === 0 && !cited)
    problems.push(`${row.id} is cited by none of its tests, in no name and no comment`);
  return problems;
}
