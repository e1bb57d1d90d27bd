import type { Random } from '../devnet/src/random';

/** Timers that go by turns of the event loop instead of the clock: the same program gives the same interleaving, every time. */
interface Timer {
  readonly id: number;
  readonly due: number;
  readonly run: () => void;
}

/** Longest wait in turns: what waits longer than anything else does only has to come last. */
const WAIT_TURNS_MAX = 2_000;

/**
 * Runs the work with `Math.random` from these numbers, and with `setTimeout`, `clearTimeout` and all clocks counted in turns of the event loop, one for each millisecond.
 * Nothing in it may wait for the outside world (sockets, files): its time would stand still for that.
 */
export async function inVirtualTime<T>(random: Random, work: (now: () => number) => Promise<T>): Promise<T> {
  const real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    random: Math.random,
    dateNow: Date.now,
    performanceNow: performance.now,
  };
  let timers: Timer[] = [];
  let now = 0;
  let nextId = 1;
  let running = false;
  let ended = false;

  const turn = (): void => {
    now++;
    const due = timers.filter((timer) => timer.due <= now).sort((a, b) => a.due - b.due || a.id - b.id);
    timers = timers.filter((timer) => timer.due > now);
    for (const timer of due) timer.run();
    running = timers.length > 0 && !ended;
    if (running) setImmediate(turn);
  };
  globalThis.setTimeout = ((run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const id = nextId++;
    timers.push({ id, due: now + 1 + Math.min(Math.ceil(ms), WAIT_TURNS_MAX), run: () => run(...args) });
    if (!running) {
      running = true;
      setImmediate(turn);
    }
    return id;
  }) as unknown as typeof setTimeout;
  globalThis.clearTimeout = ((id: number) => {
    timers = timers.filter((timer) => timer.id !== id);
  }) as unknown as typeof clearTimeout;
  Math.random = () => random.below(2 ** 32) / 2 ** 32;
  Date.now = () => now;
  performance.now = () => now;
  try {
    return await work(() => now);
  } finally {
    ended = true;
    globalThis.setTimeout = real.setTimeout;
    globalThis.clearTimeout = real.clearTimeout;
    Math.random = real.random;
    Date.now = real.dateNow;
    performance.now = real.performanceNow;
  }
}

/** Lets everything else that is ready go first, `count` times. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
