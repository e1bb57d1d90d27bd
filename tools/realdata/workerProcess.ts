import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { workerBundle } from './workerBundle';

/** Longer than anything a worker is asked for here takes on a busy machine. */
const PATIENCE_MS = 180_000;

/** A line of the worker's log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** How a worker ended. */
export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The worker as a process. */
export interface WorkerProcess {
  readonly pid: number;
  /** Its log so far. */
  readonly lines: readonly LogLine[];
  /** All that it has written so far, to stdout and stderr. */
  said(): string;
  /** The first line, written or to come, that is like this. @throws when the worker ends without it. */
  line(matches: (line: LogLine) => boolean, what: string): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
  /** @throws when it goes on longer than a worker may; it is killed then. */
  readonly ended: Promise<WorkerEnd>;
}

/** Starts workers, and leaves none behind. */
export interface WorkerProcesses {
  /** Starts a worker with these settings and no others. */
  start(settings: Readonly<Record<string, string | number>>): WorkerProcess;
  /** Runs a worker to its end. @throws unless it ends by itself with 0, with what it said. */
  run(settings: Readonly<Record<string, string | number>>): Promise<WorkerProcess>;
  /** Kills what still runs. */
  close(): Promise<void>;
}

export function createWorkerProcesses(): WorkerProcesses {
  const directory = mkdtempSync(join(tmpdir(), 'imart-test-worker-'));
  const running = new Set<{ kill(): void; ended: Promise<unknown> }>();

  const start: WorkerProcesses['start'] = (settings) => {
    const environment = Object.entries({ LOG_DIR: join(directory, 'logs'), ...settings });
    const child = spawn(
      process.execPath,
      ['--max-semi-space-size=32', '--min-semi-space-size=32', workerBundle()],
      {
        cwd: directory,
        env: {
          PATH: process.env['PATH'],
          ...Object.fromEntries(environment.map(([name, value]) => [name, String(value)])),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const lines: LogLine[] = [];
    const heard = new Set<() => void>();
    let output = '';
    let over: WorkerEnd | null = null;
    const told = (): void => [...heard].forEach((listener) => listener());
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    createInterface({ input: child.stdout }).on('line', (text) => {
      output += `${text}\n`;
      if (text.startsWith('{')) lines.push(JSON.parse(text) as LogLine);
      told();
    });
    const closed = once(child, 'close').then(([code, signal]) => {
      over = { code, signal } as WorkerEnd;
      told();
      return over;
    });
    const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    const ended = closed.then((end) => {
      clearTimeout(late);
      running.delete(entry);
      return end;
    });
    const entry = { kill: () => child.kill('SIGKILL'), ended };
    running.add(entry);
    return {
      pid: child.pid ?? -1,
      lines,
      said: () => output,
      line: (matches, what) =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            const found = lines.find(matches);
            if (found === undefined && over === null) return;
            heard.delete(look);
            if (found !== undefined) resolve(found);
            else reject(new Error(`ended (${JSON.stringify(over)}) without a line of ${what}: ${output}`));
          };
          heard.add(look);
          look();
        }),
      kill: (signal) => void child.kill(signal),
      ended,
    };
  };

  return {
    start,
    async run(settings) {
      const worker = start(settings);
      const { code, signal } = await worker.ended;
      if (code !== 0) throw new Error(`the worker ended with ${code ?? signal}: ${worker.said()}`);
      return worker;
    },
    async close() {
      await Promise.all(
        [...running].map(({ kill, ended }) => {
          kill();
          return ended;
        }),
      );
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
