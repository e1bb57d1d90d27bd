/** What the progress display needs to know, at one moment. */
export interface ProgressSample {
  readonly atMs: number;
  readonly startBlock: bigint;
  /** The last ingested block; one below `startBlock` before the first. */
  readonly block: bigint;
  /** What is to be reached: the head, or `END_BLOCK`; `null` while not known. */
  readonly targetBlock: bigint | null;
  readonly events: number;
}

/** A progress as numbers. */
export interface Progress {
  /** From 0 to 1. */
  readonly done: number;
  readonly blocksLeft: bigint;
  readonly eventsPerSecond: number;
  readonly blocksPerSecond: number;
  /** `null` while the rate is not known. */
  readonly secondsLeft: number | null;
}

/** From two samples: rates are those between them. */
export function progressBetween(before: ProgressSample, now: ProgressSample): Progress {
  const seconds = Math.max((now.atMs - before.atMs) / 1000, 0.001);
  const target = now.targetBlock ?? now.block;
  const total = target - now.startBlock + 1n;
  const read = now.block - now.startBlock + 1n;
  const blocksLeft = target > now.block ? target - now.block : 0n;
  const blocksPerSecond = Number(now.block - before.block) / seconds;
  return {
    done: total <= 0n ? 1 : Math.min(1, Number(read) / Number(total)),
    blocksLeft,
    eventsPerSecond: (now.events - before.events) / seconds,
    blocksPerSecond,
    secondsLeft: blocksPerSecond > 0 ? Number(blocksLeft) / blocksPerSecond : null,
  };
}

const BAR_WIDTH = 28;

/** One line for a terminal. */
export function progressLine(progress: Progress, block: bigint): string {
  const full = Math.round(progress.done * BAR_WIDTH);
  const bar = `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)}`;
  const percent = (progress.done * 100).toFixed(1).padStart(5);
  return (
    `${bar} ${percent} %  block ${block}  ${Math.round(progress.eventsPerSecond)} events/s  ` +
    `${Math.round(progress.blocksPerSecond)} blocks/s  ${timeLeft(progress.secondsLeft)} left`
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
