import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const LIFELINE = join(__dirname, '../start/lifeline.cjs');

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program of the project as a process. */
export interface Program {
  readonly pid: number;
  /** All that it has written so far, to stdout and stderr. */
  said(): string;
  /** The first line of stdout, written or to come, that is like this. @throws when it ends without one. */
  line(matches: (text: string) => boolean, what: string): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  /** Whether it still runs. */
  isRunning(): boolean;
  readonly ended: Promise<ProgramEnd>;
}

export interface ProgramOptions {
  /** As a failure calls it. */
  readonly name: string;
  /** Arguments of node. */
  readonly args: readonly string[];
  /** The whole environment, but for PATH. */
  readonly env?: Readonly<Record<string, string | number>>;
  readonly cwd: string;
  /** It is killed when it runs longer. */
  readonly patienceMs: number;
}

/** Starts programs of node, and leaves none behind. */
export interface Programs {
  /** It is asked to end when this process ends, however that is. */
  start(options: ProgramOptions): Program;
  /** Runs one to its end, and gives what it said. @throws unless it ends by itself with 0. */
  run(options: ProgramOptions): Promise<Program>;
  /** Kills what still runs. */
  close(): Promise<void>;
}

export function createPrograms(): Programs {
  const running = new Set<Program>();

  const start = ({ name, args, env = {}, cwd, patienceMs }: ProgramOptions): Program => {
    const child = spawn(process.execPath, ['--require', LIFELINE, ...args], {
      cwd,
      env: {
        PATH: process.env['PATH'],
        ...Object.fromEntries(Object.entries(env).map(([setting, value]) => [setting, String(value)])),
      },
      // Its standard input is the lifeline.
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => undefined);
    const lines: string[] = [];
    const heard = new Set<() => void>();
    let output = '';
    let over: ProgramEnd | null = null;
    const tell = (): void => [...heard].forEach((listener) => listener());
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    createInterface({ input: child.stdout }).on('line', (text) => {
      output += `${text}\n`;
      lines.push(text);
      tell();
    });
    const late = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    const program: Program = {
      pid: child.pid ?? -1,
      said: () => output,
      line: (matches, what) =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            const found = lines.find(matches);
            if (found === undefined && over === null) return;
            heard.delete(look);
            if (found !== undefined) resolve(found);
            else reject(new Error(`${name} ended (${JSON.stringify(over)}) without ${what}:\n${output}`));
          };
          heard.add(look);
          look();
        }),
      kill: (signal) => void child.kill(signal),
      isRunning: () => over === null,
      ended: once(child, 'close').then(([code, signal]) => {
        over = { code, signal } as ProgramEnd;
        clearTimeout(late);
        running.delete(program);
        tell();
        return over;
      }),
    };
    running.add(program);
    return program;
  };

  return {
    start,
    async run(options) {
      const program = start(options);
      const { code, signal } = await program.ended;
      if (code !== 0) throw new Error(`${options.name} ended with ${code ?? signal}:\n${program.said()}`);
      return program;
    },
    async close() {
      await Promise.all(
        [...running].map((program) => {
          program.kill('SIGKILL');
          return program.ended;
        }),
      );
    },
  };
}
