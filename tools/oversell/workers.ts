import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** Processes that work on purchases, of which some are killed now and then, and replaced. */
export interface Workers {
  /** Kills one that works, at a place that it does not choose, and starts another one. @returns `false`: none works right now. */
  killOne(index: number): boolean;
  readonly kills: number;
  /** Resolves when all work, or one has ended. */
  working(): Promise<void>;
  /** What ended without having been killed: its last lines. */
  readonly broken: readonly string[];
  stop(): Promise<void>;
}

export interface WorkersOptions {
  /** The program's bundle. */
  readonly main: string;
  readonly processes: number;
  readonly env: Readonly<Record<string, string>>;
}

const LIFELINE = join(__dirname, '../start/lifeline.cjs');
const LINES_KEPT = 10;

export function startWorkers({ main, processes, env }: WorkersOptions): Workers {
  const slots: { child: ChildProcess; works: boolean }[] = [];
  const ended: Promise<unknown>[] = [];
  const broken: string[] = [];
  let kills = 0;
  let stopping = false;

  const start = (slot: number): void => {
    const child = spawn(process.execPath, ['--require', LIFELINE, main], {
      env: { PATH: process.env.PATH, ...env },
      // Its standard input is the lifeline: it ends when this process does.
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => undefined);
    const state = { child, works: false };
    slots[slot] = state;
    const last: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (line.includes('working on purchases')) state.works = true;
        last.push(line);
        if (last.length > LINES_KEPT) last.shift();
      });
    }
    ended.push(
      once(child, 'exit').then(([code, signal]) => {
        if (stopping || signal === 'SIGKILL') return;
        broken.push(`ended with ${String(code ?? signal)}:\n${last.join('\n')}`);
      }),
    );
  };
  for (let slot = 0; slot < processes; slot++) start(slot);

  return {
    get kills() {
      return kills;
    },
    broken,
    async working() {
      while (broken.length === 0 && !slots.every(({ works }) => works)) await delay(10);
    },
    killOne(index) {
      const slot = index % processes;
      const { child, works } = slots[slot] as (typeof slots)[number];
      if (!works) return false;
      child.kill('SIGKILL');
      kills++;
      start(slot);
      return true;
    },
    async stop() {
      stopping = true;
      for (const { child } of slots) child.kill('SIGKILL');
      await Promise.all(ended);
    },
  };
}
