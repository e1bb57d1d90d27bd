import type { PositionWords } from './words';

/** What the progress display needs to know, at one moment. */
export interface ProgressSample {
  readonly atMs: number;
  readonly startPosition: bigint;
  /** The last ingested position; one below `startPosition` before the first. */
  readonly position: bigint;
  /** What is to be reached: the head, or where reading is to end; `null` while not known. */
  readonly target: bigint | null;
  readonly events: number;
}

/** A progress as numbers. */
export interface Progress {
  /** From 0 to 1. */
  readonly done: number;
  readonly positionsLeft: bigint;
  readonly eventsPerSecond: number;
  readonly positionsPerSecond: number;
  /** `null` while the rate is not known. */
  readonly secondsLeft: number | null;
}

/** From two samples: rates are those between them. */
export function progressBetween(before: ProgressSample, now: ProgressSample): Progress {
  const seconds = Math.max((now.atMs - before.atMs) / 1000, 0.001);
  const target = now.target ?? now.position;
  const total = target - now.startPosition + 1n;
  const read = now.position - now.startPosition + 1n;
  const positionsLeft = target > now.position ? target - now.position : 0n;
  const positionsPerSecond = Number(now.position - before.position) / seconds;
  return {
    done: total <= 0n ? 1 : Math.min(1, Number(read) / Number(total)),
    positionsLeft,
    eventsPerSecond: (now.events - before.events) / seconds,
    positionsPerSecond,
    secondsLeft: positionsPerSecond > 0 ? Number(positionsLeft) / positionsPerSecond : null,
  };
}

const BAR_WIDTH = 28;

/** One line for a terminal. */
export function progressLine(progress: Progress, position: bigint, words: PositionWords): string {
  const full = Math.round(progress.done * BAR_WIDTH);
  const bar = `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)}`;
  const percent = (progress.done * 100).toFixed(1).padStart(5);
  return (
    `${bar} ${percent} %  ${words.one} ${position}  ${Math.round(progress.eventsPerSecond)} events/s  ` +
    `${Math.round(progress.positionsPerSecond)} ${words.many}/s  ${timeLeft(progress.secondsLeft)} left`
  );
}

/** @example `1 h 02 min`, `3 min 20 s`, `12 s`; `?` when not known. */
export function timeLeft(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '?';
  const whole = Math.ceil(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  return whole >= 60 ? `${Math.floor(whole / 60)} min ${two(whole % 60)} s` : `${whole} s`;
}
