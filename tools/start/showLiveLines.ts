import { liveLine, sampleOf, type WorkerSample } from './liveLine';
import type { Screen } from './screen';

const LIVE_INTERVAL_MS = 1_000;
/** A pipe's reader wants a line now and then, not one every second. */
const PLAIN_LINE_EVERY = 10;

/** A worker of whom a live line is shown. */
export interface WatchedWorker {
  /** Before the line, where there are several. */
  readonly label: string;
  /** What its chain calls its positions. */
  readonly positions: readonly [one: string, many: string];
  readonly metricsUrl: string;
}

async function sample({ metricsUrl }: WatchedWorker): Promise<WorkerSample | null> {
  const text = await fetch(metricsUrl, { signal: AbortSignal.timeout(2_000) }).then(
    (response) => response.text(),
    () => '',
  );
  return sampleOf(text, performance.now());
}

/** Writes the live lines until asked to stop. A worker that does not answer for a moment leaves its last line standing. */
export async function showLiveLines(
  screen: Screen,
  workers: readonly WatchedWorker[],
  signal: AbortSignal,
): Promise<undefined> {
  const before: (WorkerSample | null)[] = workers.map(() => null);
  const lines: (string | null)[] = workers.map(() => null);
  const label = ({ label: text }: WatchedWorker): string =>
    workers.length === 1 ? '' : `${text.padEnd(6)} `;
  for (let round = 0; !signal.aborted; round++) {
    const now = await Promise.all(workers.map(sample));
    workers.forEach((worker, i) => {
      const [earlier, later] = [before[i] ?? null, now[i] ?? null];
      if (earlier !== null && later !== null)
        lines[i] = `${label(worker)}${liveLine(earlier, later, worker.positions)}`;
      if (later !== null) before[i] = later;
    });
    const shown = lines.filter((line) => line !== null);
    if (shown.length > 0) {
      if (screen.isTerminal) screen.live(shown);
      else if (round % PLAIN_LINE_EVERY === 1) for (const line of shown) screen.say(`  ${line}`);
    }
    await new Promise<void>((next) => {
      const timer = setTimeout(done, LIVE_INTERVAL_MS);
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        next();
      }
      signal.addEventListener('abort', done);
    });
  }
  return undefined;
}
