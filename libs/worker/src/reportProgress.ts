import type { Logger } from '@imart/runtime';
import { progressBetween, progressLine, type ProgressSample } from './progress';
import type { PositionWords } from './words';

/** How often a log line tells how far it is. */
const LOG_INTERVAL_MS = 5_000;
const BAR_INTERVAL_MS = 250;
/** Over how long rates are averaged. */
const WINDOW = 12;

export interface ProgressReporterOptions {
  readonly sample: () => ProgressSample;
  readonly logger: Logger;
  /** A terminal gets a bar, anything else log lines. */
  readonly output: NodeJS.WriteStream;
  /** Whether the worker is still catching up: the bar is shown only then. */
  readonly catchingUp: () => boolean;
  readonly words: PositionWords;
}

/** Shows how far the worker is, until stopped. */
export function reportProgress(options: ProgressReporterOptions): { stop(): void } {
  const { sample, logger, output, catchingUp, words } = options;
  const samples: ProgressSample[] = [sample()];
  let lineShown = false;

  const clearLine = (): void => {
    if (!lineShown) return;
    output.write('\r\u001b[2K');
    lineShown = false;
  };

  const tick = (): void => {
    const now = sample();
    const before = samples[0] as ProgressSample;
    samples.push(now);
    if (samples.length > WINDOW) samples.shift();
    if (!catchingUp()) return clearLine();
    const progress = progressBetween(before, now);
    if (output.isTTY) {
      // Some terminals do not tell their width.
      const width = output.columns > 0 ? output.columns - 1 : 79;
      // The cursor goes back to the start: a log line that comes next is written over the bar, not behind it.
      output.write(`\r\u001b[2K${progressLine(progress, now.position, words).slice(0, width)}\r`);
      lineShown = true;
    } else if (now.target !== null) {
      logger.info('catching up', {
        [words.one]: now.position,
        [words.field('target')]: now.target,
        percent: Number((progress.done * 100).toFixed(1)),
        eventsPerSecond: Math.round(progress.eventsPerSecond),
        secondsLeft: progress.secondsLeft === null ? null : Math.ceil(progress.secondsLeft),
      });
    }
  };

  const timer = setInterval(tick, output.isTTY ? BAR_INTERVAL_MS : LOG_INTERVAL_MS);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      clearLine();
    },
  };
}
