import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { FaultRow, TestRef } from './faultRow';
import type { Interruption } from './interruption';
import { isTitle } from './testTitles';

/** What became of a test of a row. */
export type TestOutcome = 'passed' | 'failed' | 'skipped' | 'not-run';

export interface RowOutcome {
  readonly row: FaultRow;
  /** `reason`: it does not apply. */
  readonly outcome: 'passed' | 'failed' | 'reason';
  readonly tests: readonly { readonly ref: TestRef; readonly outcome: TestOutcome }[];
}

/** What jest tells of a run, as far as it is used. */
export interface JestReport {
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

/** Where jest says that a file is. */
const pathOf = (root: string, file: string): string => join(realpathSync(root), file);

/**
 * Runs exactly the tests that the rows name, each once, whatever rows it belongs to.
 * @param ran of the files that it has, what became of their tests is taken from there.
 */
export async function runRows(
  root: string,
  rows: readonly FaultRow[],
  interruption: Interruption,
  ran: JestReport = { testResults: [] },
): Promise<readonly RowOutcome[]> {
  const known = new Set(ran.testResults.map(({ name }) => name));
  const refs = rows.flatMap(({ tests }) => tests).filter(({ file }) => !known.has(pathOf(root, file)));
  const files = [...new Set(refs.map(({ file }) => file))];
  const patterns = [...new Set(refs.map(({ title }) => patternOf(title)))];
  const own = files.length === 0 ? { testResults: [] } : await runJest(root, files, patterns, interruption);
  return outcomesOf(root, rows, { testResults: [...ran.testResults, ...own.testResults] });
}

/** What became of the rows, by a report. */
export function outcomesOf(
  root: string,
  rows: readonly FaultRow[],
  report: JestReport,
): readonly RowOutcome[] {
  const outcomeOf = ({ file, title }: TestRef): TestOutcome => {
    const ran = report.testResults
      .filter(({ name }) => name === pathOf(root, file))
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
  interruption: Interruption,
): Promise<JestReport> {
  // Also where tests have their files: nothing of one that is ended half way stays. Every user may enter, as a server that root starts needs it.
  const dir = mkdtempSync(join(tmpdir(), 'imart-faults-'));
  chmodSync(dir, 0o755);
  // A server that has just lost its test process still writes.
  const remove = (): void => rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
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
      // Not in that directory: the next run is to find it.
      `--cacheDirectory=${join(root, 'node_modules/.cache/jest-faults')}`,
      // What works in memory only may share the cores; left to itself, jest keeps one of two for nothing.
      ...(files.every((file) => file.endsWith('.faults.spec.ts')) ? ['--maxWorkers=2'] : []),
      '--selectProjects',
      'unit',
      'int',
      'e2e',
      'faults',
    ],
    // With a group of its own: what its tests have started ends with it, whoever is told to.
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
      env: { ...process.env, TMPDIR: dir },
    },
  );
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  const forget = interruption.onInterruption(async () => {
    await endGroup(child, ended);
    remove();
  });
  try {
    await ended;
    // Nobody waits for what becomes of the rows.
    if (interruption.happened) return { testResults: [] };
    return JSON.parse(readFileSync(output, 'utf8')) as JestReport;
  } finally {
    forget();
    if (!interruption.happened) remove();
  }
}

/** Time for servers to end by themselves. */
const GRACE_MS = 10_000;

async function endGroup({ pid }: ChildProcess, ended: Promise<void>): Promise<void> {
  if (pid === undefined) return;
  const send = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-pid, signal);
    } catch {
      // All of it has ended.
    }
  };
  send('SIGINT');
  await Promise.race([ended, setTimeout(GRACE_MS, undefined, { ref: false })]);
  send('SIGKILL');
}
