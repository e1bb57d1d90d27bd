import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './bundles';
import { isListening, processesOf, type FoundProcess } from './processesOf';
import { createPrograms, type Program } from './programs';
import { until } from './until';

/** From Ctrl-C to the end of everything. */
const STOP_MS = 30_000;

/** What one run has shown of itself. */
export interface Run {
  readonly program: Program;
  readonly api: string;
  readonly ports: readonly number[];
}

/** `npm start` in a directory of its own, again and again. */
export interface NpmStart {
  readonly dataDir: string;
  /** Its processes that run. */
  leftBehind(): readonly FoundProcess[];
  launch(port: number, ...args: readonly string[]): Program;
  /** Resolves when it has said that all is up. */
  start(port: number, ...args: readonly string[]): Promise<Run>;
  /** Ctrl-C: it ends in order, in time, and leaves nothing. */
  stopByHand(run: Run): Promise<void>;
  close(): Promise<void>;
}

export function createNpmStart(): NpmStart {
  const directory = mkdtempSync(join(tmpdir(), 'imart-test-start-'));
  chmodSync(directory, 0o755);
  const dataDir = join(directory, 'data');
  const programs = createPrograms();
  const leftBehind = (): readonly FoundProcess[] => processesOf(directory);
  const launch: NpmStart['launch'] = (port, ...args) =>
    programs.start({
      name: 'npm start',
      args: [
        join(ROOT, 'tools/start.mjs'),
        ...['--data-dir', dataDir, '--port', String(port), '--rate', '20', ...args],
      ],
      // All its processes inherit the first one, which makes them known. The others are of somebody's shell, and none of its business.
      env: { IMART_TEST_RUN: directory, END_BLOCK: '1', REDIS_URL: 'redis://127.0.0.1:1', LANES: '2' },
      cwd: ROOT,
      patienceMs: 300_000,
    });
  return {
    dataDir,
    leftBehind,
    launch,
    async start(port, ...args) {
      const program = launch(port, ...args);
      await program.line((text) => text.includes('Ctrl-C stops everything'), 'saying that all is up');
      const said = program.said();
      const api = /^ {2}api +(http:\S+)/m.exec(said)?.[1] ?? '';
      const ports = [...said.matchAll(/127\.0\.0\.1:(\d+)|embedded, port (\d+)/g)].map((m) =>
        Number(m[1] ?? m[2]),
      );
      return { program, api, ports: [...new Set(ports)] };
    },
    async stopByHand(run) {
      const asked = performance.now();
      run.program.kill('SIGINT');
      expect([await run.program.ended, run.program.said()]).toEqual([
        { code: 0, signal: null },
        expect.stringMatching(/stopping \.\.\.\nstopped\n$/),
      ]);
      expect(performance.now() - asked).toBeLessThan(STOP_MS);
      expect(leftBehind()).toEqual([]);
      for (const port of run.ports) expect([port, await isListening(port)]).toEqual([port, false]);
    },
    async close() {
      await programs.close();
      // What a failed test has left.
      for (const { pid } of leftBehind()) process.kill(pid, 'SIGKILL');
      await until('all processes are gone', () => leftBehind().length === 0);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
