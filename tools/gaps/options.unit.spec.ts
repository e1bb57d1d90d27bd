import { readGapOptions } from './options';

describe('options of the gap test', () => {
  it('are 60 seconds, a seed that is drawn, and an embedded server', () => {
    const { seconds, seed, databaseUrl } = readGapOptions([]);
    expect([seconds, Number.isInteger(seed), databaseUrl]).toEqual([60, true, null]);
  });

  it('are taken as they are given', () => {
    expect(
      readGapOptions(['--seconds', '5', '--seed', '0', '--database-url', 'postgresql://x']),
    ).toMatchObject({
      seconds: 5,
      seed: 0,
      databaseUrl: 'postgresql://x',
    });
  });

  it.each([
    [['--seconds', '0'], '--seconds must be a whole number of at least 1, not "0"'],
    [['--seed', 'x'], '--seed must be a whole number of at least 0, not "x"'],
    [['--secnds', '5'], "Unknown option '--secnds'"],
  ])('that cannot be meant are told: %s', (args, says) => {
    expect(() => readGapOptions(args)).toThrow(says);
  });
});
