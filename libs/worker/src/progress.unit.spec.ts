import { progressBetween, progressLine, timeLeft, type ProgressSample } from './progress';
import { positionWords } from './words';

const sample = (atMs: number, position: bigint, events: number): ProgressSample => ({
  atMs,
  startPosition: 100n,
  position,
  target: 299n,
  events,
});

describe('progress', () => {
  it('measures rates between two looks, and the share of all blocks', () => {
    const progress = progressBetween(sample(0, 99n, 0), sample(2_000, 199n, 5_000));
    expect(progress).toEqual({
      done: 0.5,
      positionsLeft: 100n,
      eventsPerSecond: 2_500,
      positionsPerSecond: 50,
      secondsLeft: 2,
    });
    expect(progressLine(progress, 199n, positionWords('block'))).toMatch(
      /^█{14}░{14} {2}50\.0 % {2}block 199 {2}2500 events\/s {2}50 blocks\/s {2}2 s left$/,
    );
    expect(progressLine(progress, 199n, positionWords('version'))).toMatch(/version 199 .* 50 versions\/s/);
  });

  it('knows no time left without a rate, and is done at the target', () => {
    expect(progressBetween(sample(0, 99n, 0), sample(1_000, 99n, 0)).secondsLeft).toBeNull();
    expect(progressBetween(sample(0, 99n, 0), sample(1_000, 299n, 0)).done).toBe(1);
    const unknown = { ...sample(1_000, 120n, 0), target: null };
    expect(progressBetween(unknown, unknown).done).toBe(1);
  });

  it.each([
    [null, '?'],
    [0.2, '1 s'],
    [61, '1 min 01 s'],
    [3_720, '1 h 02 min'],
    [Infinity, '?'],
  ])('writes %p seconds as %s', (seconds, text) => {
    expect(timeLeft(seconds)).toBe(text);
  });
});
