import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultRow, TestRef } from './faultRow';
import { isTitle } from './testTitles';

/** What became of a test of a row. */
export type TestOutcome = 'passed' | 'failed' | 'skipped' | 'not-run';

export interface RowOutcome {
  readonly row: FaultRow;
  /** `reason`: it does not apply. */
  readonly outcome: 'passed' | 'failed' | 'reason';
  readonly tests: readonly { readonly ref: TestRef; readonly outcome: TestOutcome }[];
}

interface JestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

/** What is in one of jest's titles of a written one: the longest part that does not stand for something else. */
function patternOf(title: string): string {
  const parts = title.split(/%[a-zA-Z%#$]|\$[a-zA-Z#.]+/);
  const longest = parts.reduce((a, b) => (b.length > a.length ? b : a));
  return longest.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Runs exactly the tests that the rows name, each once, whatever rows it belongs to. */
export async function runRows(root: string, rows: readonly FaultRow[]): Promise<readonly RowOutcome[]> {
  const refs = rows.flatMap(({ tests }) => tests);
  const files = [...new Set(refs.map(({ file }) => file))];
  const patterns = [...new Set(refs.map(({ title }) => patternOf(title)))];
  const report = files.length === 0 ? { testResults: [] } : await runJest(root, files, patterns);
  const outcomeOf = ({ file, title }: TestRef): TestOutcome => {
    const ran = report.testResults
      .filter(({ name }) => name === join(root, file))
      .flatMap(({ assertionResults }) => assertionResults)
      .filter((test) => isTitle(title, test.title));
    if (ran.some(({ status }) => status === 'failed')) return 'failed';
    if (ran.some(({ status }) => status === 'passed')) return 'passed';
    return ran.length === 0 ? 'not-run' : 'skipped';
  };
  return rows.map((row): RowOutcome => {
    const tests = row.tests.map((ref) => ({ ref, outcome: outcomeOf(ref) }));
    const all = tests.every(({ outcome }) => outcome === 'passed');
    return { row, tests, outcome: tests.length === 0 ? 'reason' : all ? 'passed' : 'failed' };
  });
}

async function runJest(
  root: string,
  files: readonly string[],
  patterns: readonly string[],
): Promise<JestReport> {
  const dir = mkdtempSync(join(tmpdir(), 'imart-faults-'));
  const output = join(dir, 'report.json');
  const child = spawn(
    process.execPath,
    [
      join(root, 'node_modules/jest/bin/jest.js'),
      '--runTestsByPath',
      ...files,
      '--testNamePattern',
      patterns.join('|'),
      '--json',
      `--outputFile=${output}`,
      '--selectProjects',
      'unit',
      'int',
      'e2e',
      'faults',
    ],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve());
    });
    return JSON.parse(readFileSync(output, 'utf8')) as JestReport;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
