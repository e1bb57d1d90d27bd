import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  /** As people call it. */
  readonly name: string;
  /** Arguments of node. */
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Where its output goes. */
  readonly logFile: string;
  /** Called for each line of its output. */
  readonly onLine: (line: string) => void;
}

/** A process of ours. It ends when we end, however that is: its standard input is a pipe of ours. */
export interface Child {
  readonly name: string;
  /** Resolves with what it ended with. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Asks it to end, and waits; ends it hard when it takes longer than the bound. */
  stop(graceMs: number): Promise<void>;
}

export function startChild(options: ChildOptions): Child {
  const log = createWriteStream(options.logFile, { flags: 'a' });
  const child = spawn(process.execPath, options.args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    // A process group of its own: Ctrl-C reaches us, and we stop the others in order.
    detached: true,
  });
  child.stdin.on('error', () => undefined);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      log.write(`${line}\n`);
      options.onLine(line);
    });
  }
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('error', () => resolve(1));
    child.once('exit', (code, signal) => {
      log.end();
      resolve(code ?? signal ?? 1);
    });
  });
  return {
    name: options.name,
    ended,
    async stop(graceMs) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}
