import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Suite } from './mutants';

/** What jest tells of a run, as far as it is used. */
interface JestReport {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

export interface SuiteResult {
  readonly passed: number;
  /** Full titles of the tests that failed. */
  readonly failed: readonly string[];
  /** Why files could not be run at all, or the end of the output when there is no report. */
  readonly broken: readonly string[];
}

/** A suite that takes longer hangs, which is a way to fail. */
const SUITE_MAX_MS = 240_000;

const running = new Set<ChildProcess>();

/** Ends suites that run, with the servers and processes that their tests have started. */
export function endSuites(): void {
  for (const child of running) end(child);
}

function end({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

/**
 * Runs a suite in a tree.
 * @param databaseUrl a superuser's, of the server that its tests make databases on.
 */
export async function runSuite(
  root: string,
  { files, only }: Suite,
  databaseUrl: string,
): Promise<SuiteResult> {
  const report = join(root, 'suite-report.json');
  rmSync(report, { force: true });
  const args = [
    join(root, 'node_modules/jest/bin/jest.js'),
    ...files.map((file) => file.replaceAll('.', '\\.')),
    ...(only === undefined ? [] : ['--testNamePattern', [only].flat().map(escapePattern).join('|')]),
    '--ci',
    // What is broken may leave timers and connections behind.
    '--forceExit',
    '--json',
    `--outputFile=${report}`,
    '--selectProjects',
    'unit',
    'int',
    'faults',
  ];
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, IMART_TEST_DATABASE_URL: databaseUrl },
  });
  running.add(child);
  let output = '';
  const keep = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-4_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    end(child);
  }, SUITE_MAX_MS);
  await new Promise<void>((resolve) => child.once('close', () => resolve()));
  clearTimeout(timer);
  running.delete(child);
  if (hung) return { passed: 0, failed: [`(it hung: ended after ${SUITE_MAX_MS / 1000} s)`], broken: [] };
  let told: JestReport;
  try {
    told = JSON.parse(readFileSync(report, 'utf8')) as JestReport;
  } catch {
    return { passed: 0, failed: [], broken: [output] };
  }
  const results = told.testResults.flatMap((file) => file.assertionResults);
  return {
    passed: told.numPassedTests,
    failed: results.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    broken: told.testResults
      .filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
      .map((file) => `${file.name}: ${file.message.slice(0, 500)}`),
  };
}

export const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
